"""Settings of ``prepare``: where the images come from and how they are split."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from stages.core.params import Section


def _count(value: Any) -> int | float:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if whole or (isinstance(value, float) and 0 < value <= 1):
        return value  # type: ignore[no-any-return]
    raise ValueError("a whole number of images per class, 1 or more, or a fraction above 0.0 and up to 1.0")


Count = Annotated[int | float, PlainValidator(_count, json_schema_input_type=int | float)]
Order = Literal["number", "random"]


class Prepare(Section):
    """The subset split of the source."""

    source: str = Field(
        min_length=1,
        description="A folder, an archive (zip, tar), or an entry of data/catalog/. Relative to the project, "
        "or absolute.",
    )
    order: Order = Field(
        description="`number`: by the number in the file name, as the chapter does. `random`: shuffled by `seed`."
    )
    train: Count = Field(description="Training images per class, or the fraction of each class.")
    validation: Count = Field(description="Validation images per class, or the fraction of each class.")
    test: Count = Field(description="Test images per class, or the fraction of each class.")
