"""What sentences, tables and legends call the strategies."""

STRATEGY_NAMES = {
    "probe": "the linear probe",
    "head": "the plain head",
    "augmented": "the head on augmented views",
    "finetune": "fine-tuning",
    "scratch": "training from scratch",
    "scratch_augmented": "training from scratch with augmentation",
}

# Where the words of a sentence are too long for a table or a legend.
_SHORT_TITLES = {"scratch": "From scratch", "scratch_augmented": "From scratch, augmented"}


def strategy_in_words(name: str) -> str:
    """What a sentence calls the strategy ``name``; a name that isn't known is used as it is."""
    return STRATEGY_NAMES.get(name, name)


def strategy_title(name: str) -> str:
    """What a table or a legend calls the strategy ``name``: "Plain head", "Fine-tuning"."""
    if title := _SHORT_TITLES.get(name):
        return title
    words = strategy_in_words(name).removeprefix("the ")
    return words[:1].upper() + words[1:]
