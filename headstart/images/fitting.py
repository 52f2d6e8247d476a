"""How a picture of any shape becomes the square that a network sees."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from headstart.foundation.framing import Fit, Framing

Box = tuple[float, float, float, float]

# What pad fills up with: the grey as bright as the mean of ImageNet's images. Most bases subtract that mean, so
# this is their zero, nearly, as is what their convolutions pad with; black would be the darkest thing in every
# picture, and repeated edges would be streaks. And grey, so that grey pictures stay grey.
PAD = 117
_GREY = (PAD, PAD, PAD)
# A strip longer than so many times the square's side is shortened before it is padded to a square, which would
# take too much memory.
_LONGEST = 64


def fitted(image: Image.Image, box: Box, width: int, height: int, framing: Framing) -> Image.Image:
    """Resize a picture into a square by antialiased bilinear interpolation.

    Cropping and padding come before resizing, at whole pixels of the full picture, as in exported models. The upright
    RGB ``image`` has it in full, ``width`` × ``height`` pixels, or reduced as it was decoded; ``box`` is where it lies
    there: left, top, right, bottom.
    """
    square = (framing.size, framing.size)
    match framing.fit:
        case "stretch":
            return image.resize(square, Image.Resampling.BILINEAR, box)
        case "crop":
            return _cropped(image, box, width, height, square)
        case "pad" if width > height:
            turned = image.transpose(Image.Transpose.TRANSPOSE)
            left, top, right, bottom = box
            return _padded(turned, (top, left, bottom, right), height, width, framing.size).transpose(
                Image.Transpose.TRANSPOSE
            )
        case "pad":
            return _padded(image, box, width, height, framing.size)


def onto_picture(heat: npt.NDArray[np.float32], height: int, width: int, fit: Fit) -> npt.NDArray[np.float32]:
    """Bring a map over the square that the network saw, (rows, columns), back onto the whole picture at any scale.

    Returns:
        float32 (height, width), smoothly enlarged; 0 where the network saw nothing of the picture.
    """
    if fit == "stretch":
        return _enlarged(heat, width, height)
    if fit == "pad":
        top, left = max(width - height, 0) // 2, max(height - width, 0) // 2
        return _enlarged(heat, width + 2 * left, height + 2 * top)[top : top + height, left : left + width]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    whole = np.zeros((height, width), np.float32)
    whole[top : top + side, left : left + side] = _enlarged(heat, side, side)
    return whole


def _cropped(image: Image.Image, box: Box, width: int, height: int, square: tuple[int, int]) -> Image.Image:
    left, top, right, bottom = box
    across, down = (right - left) / width, (bottom - top) / height  # 1 unless the image is reduced
    side = min(width, height)
    left += (width - side) // 2 * across
    top += (height - side) // 2 * down
    right, bottom = left + side * across, top + side * down
    # Cut out first: the filter would reach beyond the box, which an exported model can't.
    start = math.floor(left), math.floor(top)
    cut = image.crop((*start, min(math.ceil(right), image.width), min(math.ceil(bottom), image.height)))
    inside = (left - start[0], top - start[1], min(right - start[0], cut.width), min(bottom - start[1], cut.height))
    return cut.resize(square, Image.Resampling.BILINEAR, inside)


def _padded(image: Image.Image, box: Box, width: int, height: int, size: int) -> Image.Image:
    """Pad a picture that is higher than wide, or square. Rows first: no square of the full height is ever made."""
    left, top, right, bottom = box
    if height > _LONGEST * size:
        image = image.resize((image.width, _LONGEST * size), Image.Resampling.BILINEAR, (0, top, image.width, bottom))
        top, bottom = 0, image.height
        # What the shortening leaves of the width; less than a pixel is shown as one.
        columns = max(1, round((right - left) * _LONGEST * size / height))
        image = image.resize((columns, image.height), Image.Resampling.BILINEAR, (left, 0, right, image.height))
        left, right, width, height = 0, columns, columns, image.height
    across = (right - left) / width  # 1 unless the image is reduced
    rows = image.resize((image.width, size), Image.Resampling.BILINEAR, (0, top, image.width, bottom))
    picture = rows.crop((math.floor(left), 0, math.ceil(right), size))
    for column, cover in ((0, 1 - left + math.floor(left)), (picture.width - 1, 1 - math.ceil(right) + right)):
        if cover < 1:  # Only that much of it is picture.
            edge = picture.crop((column, 0, column + 1, size))
            picture.paste(Image.blend(Image.new("RGB", edge.size, _GREY), edge, cover), (column, 0))
    margin = (height - width) // 2 * across
    whole = width * across + 2 * margin
    place = math.ceil(margin)
    # In a reduced image the margin may end between two pixels; the canvas then begins that much earlier.
    start = place + (left - math.floor(left)) - margin
    canvas = Image.new("RGB", (max(place + picture.width, math.ceil(start + whole)), size), _GREY)
    canvas.paste(picture, (place, 0))
    return canvas.resize((size, size), Image.Resampling.BILINEAR, (start, 0, start + whole, size))


def _enlarged(heat: npt.NDArray[np.float32], width: int, height: int) -> npt.NDArray[np.float32]:
    return np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BICUBIC))
