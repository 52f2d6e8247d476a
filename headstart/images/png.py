"""PNG files: the texts in them are left unread, and those of 16 bits a channel keep their precision."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Of compressed profiles and texts, no more is ever inflated. The largest profiles, of printing presses, have 4 MB.
MOST_INFLATED = 32 << 20

_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
# The only texts that change what a viewer shows: they can hold the orientation.
_ORIENTED = frozenset({b"XML:com.adobe.xmp", b"Raw profile type exif"})


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    stop: int


def without_texts(data: bytes) -> bytes:
    """Leave out what viewers pass over: texts, and profiles that inflate beyond MOST_INFLATED.

    Programs that generate images write megabytes of settings into them, more than Pillow accepts, though
    nothing here reads a text. Inflating them at all would be a waste, and with hostile files a danger. The file may be
    damaged.
    """
    kept = []
    seen: set[bytes] = set()
    start = len(_SIGNATURE)
    for chunk in _chunks(data):
        if _is_dropped(chunk, data, seen):
            kept.append(data[start : chunk.start])
            start = chunk.stop
    return data[: len(_SIGNATURE)] + b"".join(kept) + data[start:] if kept else data


def deep_values(data: bytes) -> npt.NDArray[Any] | None:
    """Decode a PNG of 16 bits a channel in colour or with transparency, of which Pillow keeps only 8.

    Returns:
        uint16, shape (height, width, channels): grey and alpha, RGB, or RGB and alpha; None for any other PNG.
    """
    depth, colour_type = data[24:26]
    if depth != 16 or colour_type not in (2, 4, 6):  # PNG specification, 11.2.1: RGB, grey and alpha, RGB and alpha
        return None
    import imagecodecs

    values: npt.NDArray[Any] = imagecodecs.png_decode(data)
    return values


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield a PNG's chunks up to its end, or up to where it is cut off."""
    start = len(_SIGNATURE)
    while start + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, start)
        kind, stop = data[start + 4 : start + 8], start + 12 + size
        if stop > len(data):
            return
        yield _Chunk(kind, start, stop)
        if kind == b"IEND":
            return
        start = stop


def _is_dropped(chunk: _Chunk, data: bytes, seen: set[bytes]) -> bool:
    if chunk.kind not in _TEXTS and chunk.kind != b"iCCP":
        return False
    name, _, rest = data[chunk.start + 8 : chunk.stop - 4].partition(b"\0")
    if chunk.kind != b"iCCP" and name not in _ORIENTED:
        return True
    # Were there several, they could add up to any amount.
    identity = b"iCCP" if chunk.kind == b"iCCP" else name
    if identity in seen:
        return True
    seen.add(identity)
    return not _inflates(chunk.kind, rest)


def _inflates(kind: bytes, rest: bytes) -> bool:
    """Whether what follows a chunk's name stays within MOST_INFLATED."""
    if kind == b"tEXt":
        return len(rest) <= MOST_INFLATED
    if kind == b"iTXt":
        compressed, rest = rest[:1] == b"\1", rest[2:]
        rest = rest.split(b"\0", 2)[-1]  # after the language and the translated name
        if not compressed:
            return len(rest) <= MOST_INFLATED
    else:
        rest = rest[1:]  # the method, of which there is only one
    try:
        return len(zlib.decompressobj().decompress(rest, MOST_INFLATED + 1)) <= MOST_INFLATED
    except zlib.error:
        return False
