"""The strategies that are compared, in the order in which tables show them."""

# Those without a pretrained base.
FROM_SCRATCH = ("scratch", "scratch_augmented")
# Those with one.
TRANSFER = ("head", "augmented", "finetune")
STRATEGIES = FROM_SCRATCH + TRANSFER
