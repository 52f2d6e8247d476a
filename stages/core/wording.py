"""How names and numbers read inside a sentence."""

STRATEGY_NAMES = {
    "head": "the plain head",
    "augmented": "the head on augmented views",
    "finetune": "fine-tuning",
    "scratch": "training from scratch",
    "scratch_augmented": "training from scratch with augmentation",
}

# From here on one image is a hundredth of a point or less, so that a second decimal means something.
_SECOND_DECIMAL_FROM = 10_000

# No p-value below this one is worth a digit of its own.
_SMALLEST_P = 0.0001


def strategy_in_words(name: str) -> str:
    """What a sentence calls the strategy ``name``; a name that isn't known is used as it is."""
    return STRATEGY_NAMES.get(name, name)


def points(share: float, images: int) -> str:
    """A difference between two shares of ``images`` images in percentage points: 0.013 reads "1.3".

    A negative number carries a true minus sign, and what rounds to nought carries none.
    """
    decimals = 2 if images >= _SECOND_DECIMAL_FROM else 1
    rounded = round(100 * share, decimals)
    return ("\N{MINUS SIGN}" if rounded < 0 else "") + f"{abs(rounded):.{decimals}f}"


def points_range(low: float, high: float, images: int) -> str:
    """An interval of differences in percentage points, for example "0.7 to 1.9"."""
    return f"{points(low, images)} to {points(high, images)}"


def p_value(p: float) -> str:
    """A p-value as a sentence shows it: "p = 0.0003", "p = 0.024", "p = 0.31" or "p < 0.0001"."""
    if p < _SMALLEST_P:
        return f"p < {_SMALLEST_P}"
    decimals = 4 if p < 0.001 else 3 if p < 0.1 else 2
    return f"p = {p:.{decimals}f}"


def count(number: int, noun: str) -> str:
    """A number with its noun: "2,000 images", "1 image"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
