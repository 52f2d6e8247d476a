"""Settings that stand at the top of params.yaml."""

from typing import Literal

from pydantic import Field

from stages.core.params import PARAMS, Section, check, read

Precision = Literal["auto", "float32", "bfloat16"]


class General(Section):
    """What holds for the whole run."""

    seed: int = Field(
        ge=0, le=2**31 - 1, description="Start of every random choice: split, augmentation, weights, dropout."
    )
    precision: Precision = Field(
        description="Arithmetic of the base and of fine-tuning. `auto` takes bfloat16 where the processor or "
        "GPU computes it in hardware, float32 elsewhere."
    )


def load_general() -> General:
    """Return the settings at the top of params.yaml.

    Raises:
        InputError: one is missing or does not fit.
    """
    values = read(PARAMS)
    return check({name: values[name] for name in General.model_fields if name in values}, General, PARAMS)
