"""Feed damaged files to everything that reads files of others, many of them, and report what came of it.

    python -m tests.fuzz_readers --inputs 10000

Images, archives, idx files, weights files, params.yaml, manifests and predictions: each input is made of a good file by
seeded damage, so that its number brings it back (--only NUMBER). It must be read or refused with a reason, within
SECONDS. Anything else counts as lost, a process that dies included, and makes the exit code 1.
"""

import argparse
import contextlib
import gzip
import re
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from headstart.base.weights import save
from headstart.fetching.mirrors import MirrorError
from headstart.foundation.errors import InputError
from headstart.foundation.progress import bar
from headstart.images import manifest
from headstart.images.images import UnreadableImage, decode, measure
from headstart.pretrained import readers
from headstart.scoring import predictions
from headstart.scoring.predictions import Predictions
from headstart.settings import params
from headstart.sources import idx
from headstart.sources.archives import list_archive
from tests.images.test_tiff import written
from tests.pictures import colour_profile, encode, pixels, two_classes
from tests.pipeline import ROOT
from tests.pretrained.test_imagenet import SHAPES, small_tensors, write_h5, write_keras, write_onnx
from tests.sources.test_archives import MAKERS
from tests.sources.test_idx import idx_bytes

SECONDS = 10.0
NAMINGS = ("Keras 1", "Keras 1, early", "Keras 2")
_BATCH = 100
# Numbers at which arithmetic of file formats goes wrong.
_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@cache
def good_images() -> list[bytes]:
    """Image files of every format and most of their variants."""
    picture = Image.fromarray(pixels(1))
    profile = colour_profile()
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = {"save_all": True, "append_images": [Image.fromarray(pixels(2))]}
    wide = Image.fromarray(pixels(3)[..., 0].astype(np.uint16) * 257)
    compressions = ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "zstd", "lzma")
    return [
        *(encode(picture, kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")),
        *(encode(picture, kind, exif=exif, icc_profile=profile) for kind in ("JPEG", "PNG", "WEBP", "TIFF")),
        *(encode(picture, kind, **frames) for kind in ("GIF", "PNG", "WEBP", "TIFF", "MPO")),
        *(encode(picture, "TIFF", compression=compression) for compression in compressions),
        *(encode(picture.convert("1"), "TIFF", compression=fax) for fax in ("group3", "group4")),
        *(encode(picture.convert(mode), "PNG") for mode in ("1", "L", "LA", "RGBA", "P")),
        *(encode(picture.convert(mode), "TIFF") for mode in ("CMYK", "YCbCr", "LAB", "I", "F")),
        *(encode(wide, kind) for kind in ("PNG", "TIFF")),
        encode(picture, "JPEG", progressive=True),
        encode(picture.convert("CMYK"), "JPEG"),
        encode(picture, "WEBP", lossless=True),
        encode(picture.convert("L"), "BMP"),
        *(encode(picture, kind, exif=exif.tobytes()) for kind in ("HEIF", "AVIF")),
        *(encode(picture, kind) for kind in ("JPEG2000", "PPM")),
        *(encode(wide, kind) for kind in ("JPEG2000", "PPM")),
        *(written(pixels(1).astype(np.uint16) * 257, **options) for options in deep_layouts()),
    ]


def deep_layouts() -> list[dict[str, Any]]:
    """Layouts of a TIFF file of 16 bits a channel that have code of their own."""
    compressed: list[dict[str, Any]] = [
        {"compression": name, "predictor": 2} for name in ("lzw", "zlib", "zstd", "lzma")
    ]
    layouts: list[dict[str, Any]] = [
        {},
        {"tile": (16, 16)},
        {"rowsperstrip": 5, "bigtiff": True},
        {"compression": "packbits"},
        *compressed,
    ]
    return [{"photometric": "rgb", **layout} for layout in layouts]


@cache
def good_archives() -> list[bytes]:
    """Archives of every kind, of a few images."""
    return [make(two_classes(2)) for make in MAKERS.values()]


@cache
def good_idx() -> list[bytes]:
    """Arrays of images and labels, plain and compressed."""
    arrays = [idx_bytes(pixels(1)[..., 0][None]), idx_bytes(np.arange(9, dtype=np.uint8))]
    return [*arrays, *map(gzip.compress, arrays)]


@cache
def good_weights() -> list[bytes]:
    """Weights of a small base in every format."""
    tensors = small_tensors()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = [write_h5(place / f"{number}.h5", tensors, naming) for number, naming in enumerate(NAMINGS)]
        files.append(write_onnx(place / "base.onnx", tensors))
        files.append(write_keras(place / "base.keras", tensors))
        save(place / "base.npz", tensors)
        return [file.read_bytes() for file in (*files, place / "base.npz")]


@cache
def good_params() -> list[bytes]:
    """Every preset."""
    return [file.read_bytes() for file in sorted((ROOT / "presets").glob("*.yaml"))]


@cache
def good_manifests() -> list[bytes]:
    """A manifest of awkward names."""
    names = ("=cmd()", 'a,\n"b', "nan")
    rows = [(f"train/{n}/a.jpg", name, name, "train", "0" * 64, 30, 20) for n, name in enumerate(names)]
    with tempfile.TemporaryDirectory() as folder:
        manifest.write(pd.DataFrame(rows, columns=list(manifest.COLUMNS)), Path(folder, "manifest.csv"))
        return [Path(folder, "manifest.csv").read_bytes()]


@cache
def good_predictions() -> list[bytes]:
    """Predictions of three classes."""
    said = Predictions(("a", "b,c", "d\n"), ("cat", "nan", "1e3"), np.arange(3), np.eye(3) / 2 + 1 / 6)
    with tempfile.TemporaryDirectory() as folder:
        predictions.write(Path(folder, "predictions.csv"), said)
        return [Path(folder, "predictions.csv").read_bytes()]


def damaged(number: int, seed: int) -> tuple[str, bytes]:
    """Kind and content of input ``number``."""
    random = Random(f"{seed} {number}")
    (kind,) = random.choices(tuple(KINDS), [kind.share for kind in KINDS.values()])
    good = random.choice(KINDS[kind].good())
    packed = good.startswith(b"\x1f\x8b") and random.random() < 0.8
    data = bytearray(gzip.decompress(good) if packed else good)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        _damage(data, random)
    if random.random() < 0.6:
        # With its checksums mended, damage gets past the first check.
        data = _mended(data)
    return kind, gzip.compress(bytes(data), 1) if packed else bytes(data)


def _damage(data: bytearray, random: Random) -> None:
    # Formats keep what matters near their ends.
    end = min(len(data), random.choice((64, 512, len(data))))
    start = random.randrange(end) if end else 0
    if random.random() < 0.2:
        start = max(0, len(data) - 1 - start)
    # Cutting and splicing seldom leave anything to decode.
    (way,) = random.choices(range(7), (4, 6, 1, 1, 2, 1, 1))
    match way:
        case 0:
            data[start : start + 1] = bytes((random.randrange(256),))
        case 1:
            width = random.choice((1, 2, 4, 8))
            order: Literal["big", "little"] = random.choice(("big", "little"))
            value = (random.choice(_EDGES) + random.randrange(-2, 3)) % (1 << 8 * width)
            data[start : start + width] = value.to_bytes(width, order)
        case 2:
            del data[start:]
        case 3:
            del data[start : start + random.randrange(1, 64)]
        case 4:
            piece = data[start : start + random.randrange(1, 256)]
            data[start:start] = piece * random.choice((1, 1, 2, 50))
        case 5:
            data[start:start] = random.randbytes(random.randrange(1, 64))
        case 6:
            other = random.choice(good_images())
            data[start:] = other[random.randrange(len(other)) :]


def _mended(data: bytearray) -> bytearray:
    """Set the checksums of a PNG's chunks and of a tar's headers right."""
    if data.startswith(b"\x89PNG"):
        place = 8
        while place + 12 <= len(data):
            (size,) = struct.unpack_from(">I", data, place)
            end = place + 8 + size
            if end + 4 > len(data):
                break
            struct.pack_into(">I", data, end, zlib.crc32(data[place + 4 : end]))
            place = end + 4
    for found in re.finditer(rb"ustar", bytes(data)):
        place = found.start() - 257
        if place >= 0 and place + 512 <= len(data):
            data[place + 148 : place + 156] = b" " * 8
            data[place + 148 : place + 156] = b"%06o\0 " % sum(data[place : place + 512])
    return data


def _image(file: Path) -> None:
    data = file.read_bytes()
    width, height, _ = measure(data)
    found = decode(data)
    if found.shape != (height, width, 3) or found.dtype != np.uint8:
        raise AssertionError(f"measured {width} × {height}, decoded {found.shape} {found.dtype}")


def _archive(file: Path) -> None:
    found = list_archive(file)
    try:
        for entry in found.entries:
            with contextlib.suppress(UnreadableImage):
                entry.read()
    finally:
        found.close()


def _idx(file: Path) -> None:
    try:
        idx.read_images(file)
    except InputError:
        idx.read_labels(file)


class Kind(NamedTuple):
    """One kind of files.

    Attributes:
        good: whole ones, which damage begins with.
        read: what reads them in the project.
        refusals: what it may raise.
        share: how often this kind is tried, beside the others.
    """

    good: Callable[[], list[bytes]]
    read: Callable[[Path], object]
    refusals: tuple[type[Exception], ...]
    share: int


KINDS = {
    "image": Kind(good_images, _image, (UnreadableImage,), 10),
    "archive": Kind(good_archives, _archive, (InputError,), 5),
    "idx": Kind(good_idx, _idx, (InputError,), 1),
    "weights": Kind(good_weights, lambda file: readers.read(file, SHAPES), (MirrorError,), 1),
    "params": Kind(good_params, params.load, (InputError,), 1),
    "manifest": Kind(good_manifests, manifest.read, (InputError,), 1),
    "predictions": Kind(good_predictions, predictions.read, (InputError,), 1),
}


def outcome(kind: str, data: bytes) -> str:
    """What becomes of an input: "read" or "refused".

    Raises:
        Exception: whatever a reader should not have raised, or an answer that contradicts itself.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            KINDS[kind].read(Path(file.name))
        except KINDS[kind].refusals as refusal:
            if "\n" in str(refusal):
                raise AssertionError(f"a reason of several lines: {refusal}") from refusal
            return "refused"
    return "read"


def batch(numbers: range, seed: int) -> tuple[Counter[str], list[str], float, int]:
    """Try inputs; return counts of outcomes, what was lost, the longest time in seconds, the memory used in MiB."""
    counts: Counter[str] = Counter()
    lost = []
    slowest = 0.0
    for number in numbers:
        kind, data = damaged(number, seed)
        start = time.perf_counter()
        try:
            counts[f"{kind} {outcome(kind, data)}"] += 1
        except Exception as error:
            lost.append(f"{number}: {kind}: {type(error).__name__}: {error}")
        took = time.perf_counter() - start
        slowest = max(slowest, took)
        if took > SECONDS:
            lost.append(f"{number}: took {took:.1f} s")
    return counts, lost, slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def fuzz(inputs: int, seed: int) -> list[str]:
    """Try ``inputs`` inputs in a process of their own, print what came of them, return what was lost."""
    counts: Counter[str] = Counter()
    lost: list[str] = []
    slowest, memory = 0.0, 0
    pool = ProcessPoolExecutor(1)
    with bar("damaged inputs", inputs, " inputs") as progress:
        for start in range(0, inputs, _BATCH):
            numbers = range(start, min(start + _BATCH, inputs))
            try:
                some, missing, time_taken, used = pool.submit(batch, numbers, seed).result()
            except BrokenProcessPool:
                lost.append(f"the process died at one of {numbers.start} to {numbers.stop - 1}")
                pool = ProcessPoolExecutor(1)
                continue
            counts += some
            lost += missing
            slowest, memory = max(slowest, time_taken), max(memory, used)
            progress.update(len(numbers))
    pool.shutdown()
    shown = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))
    print(f"{inputs:,} inputs: {shown}; lost: {len(lost)}; slowest {slowest:.2f} s; memory {memory} MiB")
    return lost


def main() -> int:
    """Read the command line, fuzz, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_readers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--inputs", type=int, default=10_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other inputs (default: %(default)s)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="try this input alone, and show its error")
    arguments = parser.parse_args()
    if arguments.only is not None:
        print(*damaged(arguments.only, arguments.seed)[:1], outcome(*damaged(arguments.only, arguments.seed)))
        return 0
    lost = fuzz(arguments.inputs, arguments.seed)
    print(*lost, sep="\n", end="\n" if lost else "")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
