"""How pictures are brought into the square that a network sees: the settings that are recorded."""

from typing import Literal, NamedTuple

Fit = Literal["stretch", "crop", "pad"]
# The largest value of 16 bits: white, unless the parameter prepare.white_level says otherwise.
FULL = 0xFFFF


class Framing(NamedTuple):
    """How pictures are brought into a square; what is trained in one framing must predict in the same."""

    size: int  # side of the square, pixels
    # ``stretch`` scales both sides separately, as the chapter does; ``crop`` cuts out the largest square in the middle;
    # ``pad`` adds grey, as many whole pixels on either side, which may leave one too few.
    fit: Fit = "stretch"
    white: int = FULL  # the value shown white in images of 16 bits; the same for all images of a set
