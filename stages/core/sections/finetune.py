"""Settings of ``finetune``."""

from pydantic import Field

from stages.core.sections.classifier import Optimization


class Finetune(Optimization):
    """Training the last layers of the base together with the classifier."""

    unfreeze: int = Field(
        ge=0,
        description="How many of the base's last layers train; pooling layers count. 0 trains the classifier alone.",
    )
