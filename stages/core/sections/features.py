"""Settings of ``extract_features`` and of the augmentation it applies to training images."""

from typing import Literal

from pydantic import Field

from stages.core.params import Section


class ExtractFeatures(Section):
    """One pass of the frozen base over every image."""

    image_size: int = Field(ge=32, le=1024, description="Side of the square each image is resized to, pixels.")
    batch_size: int = Field(ge=1, le=1024, description="Images the base takes at once.")
    views: int = Field(
        ge=0,
        le=1000,
        description="Augmented views of each training image, computed once and kept. 0 augments anew in every "
        "epoch, which runs the base every time.",
    )
    trunk: str = Field(
        min_length=1,
        description="Layer of the base whose output is kept for `finetune`, so that it need not run the layers "
        "up to there again; `none` keeps nothing.",
    )


class Augmentation(Section):
    """Random changes of training images; validation and test images never change."""

    flip: Literal["none", "horizontal", "vertical", "both"] = Field(
        description="Mirror at random: left to right, top to bottom, or either."
    )
    rotation: float = Field(ge=0, le=0.5, description="Largest rotation either way, as a fraction of a full turn.")
    zoom: float = Field(ge=0, le=0.9, description="Largest zoom in or out, as a fraction of the image's side.")
