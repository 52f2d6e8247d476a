"""What parameters and the records that stages leave have in common: strict, immutable, checked on reading."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Named values of known types: an unknown name or a wrong type is an error, and no value ever changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
