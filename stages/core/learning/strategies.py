"""The strategies that are compared, in the order in which tables show them."""

STRATEGIES = ("scratch", "scratch_augmented", "head", "augmented", "finetune")
# Those without a pretrained base.
FROM_SCRATCH = ("scratch", "scratch_augmented")
