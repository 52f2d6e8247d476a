"""Settings of ``evaluate``."""

from pydantic import Field

from stages.core.params import Section


class Evaluate(Section):
    """The comparison on the test split."""

    gallery: int = Field(ge=1, le=100, description="Wrongly classified test images shown in the picture of mistakes.")
