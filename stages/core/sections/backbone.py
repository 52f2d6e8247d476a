"""Settings of ``backbone``: the pretrained convolutional base."""

from pydantic import Field

from stages.core.params import Section


class Backbone(Section):
    """Which base, with which weights."""

    name: str = Field(description="The base: `vgg16`.")
    weights: str = Field(
        min_length=1,
        description="`imagenet`: fetched and verified. `random`: untrained. Otherwise a weights file of the base.",
    )
