"""What a person may say of how their folder or archive is to be read; everything else is found out."""

from dataclasses import dataclass
from typing import Literal

EmptyClasses = Literal["refuse", "leave_out"]

# How a parameter says that something is to be found out, and that there is none.
AUTO = "auto"
NONE = "none"


@dataclass(frozen=True)
class Reading:
    """The settings of a folder or archive; each is the parameter of that name in ``prepare``.

    Attributes:
        name_encoding: the code page of names in zip archives that don't say it; "auto": guessed.
        empty_classes: what is done about a class without usable images.
    """

    name_encoding: str = AUTO
    empty_classes: EmptyClasses = "refuse"


DEFAULT = Reading()
