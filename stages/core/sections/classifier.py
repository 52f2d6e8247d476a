"""Settings of a classifier on top of the base, and of training one: ``train_head``, ``train_augmented``."""

from typing import Literal

from pydantic import Field

from stages.core.params import Section


class Optimization(Section):
    """How something is trained."""

    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = Field(description="Keras's optimizer of that name.")
    learning_rate: float = Field(gt=0, le=10, description="Step size of the optimizer.")
    batch_size: int = Field(ge=1, le=4096, description="Images in one step.")
    epochs: int = Field(ge=1, le=10000, description="Passes over the training images, at the most.")
    patience: int = Field(
        ge=0,
        description="Stop after this many epochs without a lower validation loss; 0 runs every epoch. The best "
        "epoch is what is kept either way.",
    )


class Classifier(Optimization):
    """A classifier on the features of the base, and its training."""

    pooling: Literal["flatten", "average"] = Field(
        description="How a feature map becomes a vector: every value, or each channel's mean."
    )
    units: int = Field(ge=0, le=8192, description="Units of the hidden layer; 0 for none.")
    activation: Literal["linear", "relu", "gelu", "elu", "tanh"] = Field(
        description="Activation of the hidden layer."
    )
    dropout: float = Field(ge=0, lt=1, description="Fraction of the hidden values dropped in each training step.")
