"""The user's settings for reading a folder or an archive; everything else is detected."""

from dataclasses import dataclass
from typing import Literal

EmptyClasses = Literal["refuse", "leave_out"]
Group = Literal["given", "folder", "auto", "none"]

# The values of a parameter for "detect it" and "there is none".
AUTO = "auto"
NONE = "none"


@dataclass(frozen=True)
class Reading:
    """The settings of a folder or archive; each is the parameter of that name in ``prepare``."""

    labels: str = AUTO  # the table of labels, a path inside the source; "auto": looked for; "none": not read
    pattern: str = NONE  # the regular expression that reads class, group and split off paths; "none": there isn't one
    # "given": groups are those of the table or the pattern; "folder": the folders below the classes; "auto": as
    # given, bursts and near-duplicates; "none": there are none, whatever table and pattern give.
    group: Group = "given"
    resplit: bool = False  # whether the owner's splits are forgotten
    # The code page of names in zip archives, and of tables, that don't declare one; "auto": guessed.
    name_encoding: str = AUTO
    empty_classes: EmptyClasses = "refuse"  # what happens to a class without usable images


DEFAULT = Reading()
