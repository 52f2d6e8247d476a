"""TIFF in every layout that people's instruments and programs write: equal pixels, or the true reason."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from headstart.images import tiff
from headstart.images.images import UnreadableImage, decode, measure
from tests.pictures import colour_profile, encode, pixels

COLOUR = pixels(3)
GREY = COLOUR[..., 0]


def written(values: npt.NDArray[Any], **options: Any) -> bytes:
    """A TIFF file of channel values, as tifffile writes it."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, metadata=None, **options)
    return file.getvalue()


def reason(data: bytes) -> str:
    with pytest.raises(UnreadableImage) as refused:
        decode(data)
    with pytest.raises(UnreadableImage) as measured:
        measure(data)
    assert refused.value.reason == measured.value.reason
    return refused.value.reason


def wide(values: npt.NDArray[np.uint8], kind: str) -> npt.NDArray[Any]:
    """The same picture with values of another type."""
    if kind.startswith("float"):
        return (values / 255).astype(kind)
    return values.astype(kind) * (257 if kind in ("uint16", "int32", "uint32") else 1)


COMPRESSIONS = [None, "lzw", "zlib", "packbits", "zstd", "lzma"]
LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 5},
    "tiles": {"tile": (16, 16)},
    "one piece": {},
    "big endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float16", "float32", "float64", "int32", "uint32"])
def test_colour_by_pixel_and_by_plane(kind: str, compression: str | None, layout: str) -> None:
    values = wide(COLOUR, kind)
    options = {"compression": compression, "photometric": "rgb", **LAYOUTS[layout]}
    for planar, data in (("contig", values), ("separate", np.moveaxis(values, -1, 0))):
        file = written(data, planarconfig=planar, **options)
        np.testing.assert_array_equal(decode(file), COLOUR)
        assert measure(file)[:2] == (32, 24)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "float16", "float32"])
def test_min_is_white_is_no_negative(kind: str, compression: str | None) -> None:
    values = wide(GREY // 2, kind)
    black = decode(written(values, photometric="minisblack", compression=compression))
    most = 1 if kind.startswith("float") else 65535 if kind == "uint16" else 127 if kind == "int8" else 255
    white = decode(written((most - values).astype(kind), photometric="miniswhite", compression=compression))
    if kind == "int8":  # its white is 255, which it doesn't reach
        np.testing.assert_array_equal(white[..., 0], 128 + GREY // 2)
    else:
        np.testing.assert_array_equal(white, black)
    np.testing.assert_array_equal(black[..., 0], GREY // 2)


@pytest.mark.parametrize("predictor", [2, 3])
def test_predictors(predictor: int) -> None:
    kind = "float32" if predictor == 3 else "uint16"
    file = written(wide(COLOUR, kind), photometric="rgb", compression="zlib", predictor=predictor)
    np.testing.assert_array_equal(decode(file), COLOUR)


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_a_fourth_channel_is_alpha_or_left_out(kind: str) -> None:
    alpha = np.broadcast_to(np.where(np.arange(32) < 16, 255, 0).astype(np.uint8)[:, np.newaxis], (24, 32, 1))
    expected = np.where(alpha == 255, COLOUR, 255)
    layers = np.concatenate([COLOUR, alpha], axis=-1)
    multiplied = np.concatenate([np.where(alpha == 255, COLOUR, 0), alpha], axis=-1)
    for how, values in (("unassalpha", layers), ("assocalpha", multiplied)):
        file = written(wide(values, kind), photometric="rgb", extrasamples=[how])
        np.testing.assert_array_equal(decode(file), expected)
    other = written(wide(layers, kind), photometric="rgb", extrasamples=["unspecified"])
    np.testing.assert_array_equal(decode(other), COLOUR)


@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_grey_with_alpha(kind: str) -> None:
    values = np.stack([GREY, np.zeros_like(GREY)], axis=-1)
    values[:, :16, 1] = 255
    file = written(wide(values, kind), photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(decode(file)[..., 0], np.where(values[..., 1] == 255, GREY, 255))


def test_three_bands_without_a_name_are_colours() -> None:
    for kind in ("uint8", "uint16"):
        file = written(wide(COLOUR, kind), photometric="minisblack", planarconfig="contig")
        np.testing.assert_array_equal(decode(file), COLOUR)


def test_cmyk_of_sixteen_bits_is_that_of_eight() -> None:
    inks = np.asarray(Image.fromarray(COLOUR).convert("CMYK"))
    eight = decode(encode(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"))
    np.testing.assert_array_equal(decode(written(wide(inks, "uint16"), photometric="separated")), eight)


def test_a_palette_of_sixteen_bits() -> None:
    colours = np.zeros((3, 65536), np.uint16)
    colours[:, 1000] = [65535, 257, 0]
    file = written(np.array([[0, 1000]], np.uint16), photometric="palette", colormap=colours)
    np.testing.assert_array_equal(decode(file)[0], [[0, 0, 0], [255, 1, 0]])


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_values_packed_in_fewer_bits_are_scaled_by_those(bits: int) -> None:
    values = np.array([[0, 1 << bits - 1, (1 << bits) - 1, 5]], np.uint16)
    file = written(values, photometric="minisblack", bitspersample=bits, compression=None)
    assert decode(file)[0, :3, 0].tolist() == [0, 128, 255]
    assert measure(file).peak is None


def test_twelve_bits_in_sixteen_are_noticed_and_scaled_by_a_white_of_their_own() -> None:
    values = np.array([[0, 2048, 4095]], np.uint16)
    for data in (
        written(values, photometric="minisblack"),
        written(np.repeat(values[..., np.newaxis], 3, axis=-1), photometric="rgb"),
        encode(Image.fromarray(values), "PNG"),
        b"P5 3 1 65535\n" + values.astype(">u2").tobytes(),
    ):
        assert measure(data).peak == 4095
        assert decode(data)[0, :, 0].tolist() == [0, 8, 16]
        assert decode(data, 4095)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_the_orientation_is_followed(orientation: int) -> None:
    file = written(wide(COLOUR, "uint16"), photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    upright = {1: COLOUR, 3: COLOUR[::-1, ::-1], 6: np.rot90(COLOUR, -1)}[orientation]
    np.testing.assert_array_equal(decode(file), upright)
    assert measure(file)[:2] == upright.shape[1::-1]


def test_the_profile_is_followed() -> None:
    profile = colour_profile()
    swapped = profile.replace(b"rXYZ", b"tmp!").replace(b"bXYZ", b"rXYZ").replace(b"tmp!", b"bXYZ")
    file = written(wide(COLOUR, "uint16"), photometric="rgb", iccprofile=swapped)
    assert np.abs(decode(file).astype(int) - COLOUR[..., ::-1]).max() <= 3


def test_of_several_pages_the_first_is_taken() -> None:
    file = written(np.stack([wide(GREY, "uint16"), wide(255 - GREY, "uint16")]), photometric="minisblack")
    np.testing.assert_array_equal(decode(file)[..., 0], GREY)


REFUSED = {
    "13 bands": (
        {"data": np.ones((8, 8, 13), np.uint16), "photometric": "minisblack", "planarconfig": "contig"},
        "13 bands: not supported, make an RGB image of three",
    ),
    "5 bands of 8 bits": (
        {"data": np.ones((8, 8, 5), np.uint8), "photometric": "minisblack", "planarconfig": "contig"},
        "5 bands: not supported, make an RGB image of three",
    ),
    "values below 0": (
        {"data": np.array([[-1024, 3071]], np.int16)},
        "pixels below 0: not supported, shift and scale them to 0 to 65535",
    ),
    "floats above 1": (
        {"data": np.full((4, 4, 3), 255, np.float32), "photometric": "rgb"},
        "floating-point pixels outside 0 to 1: not supported, convert it to PNG",
    ),
    "complex": (
        {"data": np.ones((4, 4), np.complex64)},
        "pixels that are complex numbers or of odd sizes: not supported, convert it to PNG",
    ),
    "Lab": (
        {"data": np.ones((4, 4, 3), np.uint16), "photometric": "cielab"},
        "Lab colours: not supported, convert it to JPEG or PNG",
    ),
    "raw": ({"data": np.ones((4, 4), np.uint16), "photometric": "cfa"}, tiff.RAW),
    "compressed as JPEG XL": (
        {"data": np.ones((32, 32), np.uint16), "compression": "jpegxl"},
        "TIFF compression JPEGXL of 16 bits: not supported, convert it to PNG",
    ),
}


@pytest.mark.parametrize(("options", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shown_is_refused_with_the_true_reason(options: dict[str, Any], expected: str) -> None:
    options = {"photometric": "minisblack", **options}
    assert reason(written(options.pop("data"), **options)) == expected


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("tenth", range(1, 10))
def test_truncated_at_any_tenth_it_is_refused(compression: str | None, tenth: int) -> None:
    noise = np.random.default_rng(1).integers(0, 65536, (120, 160), np.uint16)
    for options in ({"rowsperstrip": 9}, {"tile": (32, 32)}, {}):
        whole = written(noise, photometric="minisblack", compression=compression, **options)
        assert reason(whole[: len(whole) * tenth // 10]) in ("damaged TIFF", "truncated TIFF")


def test_large_ones_are_refused_before_they_are_decoded() -> None:
    huge = written(np.zeros((16, 16), np.uint16), compression="zlib", tile=(16, 16), photometric="minisblack")
    page = tifffile.TiffFile(io.BytesIO(huge)).pages.first
    for tag, value in ((256, 60_000), (257, 60_000)):
        at = page.tags[tag].valueoffset
        huge = huge[:at] + value.to_bytes(2, "little") + huge[at + 2 :]
    assert reason(huge) == "too large: 60000 × 60000 pixels, over 100 million"
    small = written(np.zeros((16, 16), np.uint16), compression="zlib", tile=(16, 16), photometric="minisblack")
    for tag in (322, 323):  # the sides of a tile
        at = page.tags[tag].valueoffset
        small = small[:at] + (65_520).to_bytes(2, "little") + small[at + 2 :]
    assert reason(small).startswith("too large: ")
