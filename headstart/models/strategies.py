"""The strategies that are compared, in the order in which tables show them."""

from typing import Literal, get_args

Strategy = Literal["scratch", "scratch_augmented", "head", "augmented", "finetune"]
STRATEGIES: tuple[str, ...] = get_args(Strategy)
# Those without a pretrained base, and those with one.
FROM_SCRATCH, TRANSFER = STRATEGIES[:2], STRATEGIES[2:]
