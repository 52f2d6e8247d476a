"""The strategies that are compared, in the order in which tables show them."""

from typing import Literal, get_args

Strategy = Literal["scratch", "scratch_augmented", "probe", "head", "augmented", "finetune"]
STRATEGIES: tuple[str, ...] = get_args(Strategy)
# Those without a pretrained base, and those with one.
FROM_SCRATCH, TRANSFER = STRATEGIES[:2], STRATEGIES[2:]
# Those that train a classifier on kept features, in seconds; the others are repeated less often.
HEADS = TRANSFER[:3]
# Those in whose training nothing is random: on the same images they come out the same, whatever the seed.
WITHOUT_CHANCE = ("probe",)


def stage_of(strategy: str) -> str:
    """Return the stage that trains a strategy; its section of params.yaml has the same name."""
    return strategy if strategy == "finetune" else f"train_{strategy}"
