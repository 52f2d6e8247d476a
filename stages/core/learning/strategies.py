"""The strategies that are compared, in the order in which tables show them."""

STRATEGIES = ("head", "augmented", "finetune")
