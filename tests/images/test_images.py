"""Every kind of image file comes out as a viewer shows it, and nothing else comes out at all."""

import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import images, png
from headstart.images.images import UnreadableImage, decode, load, measure
from tests.pictures import colour_profile, encode, jpeg, pixels

PICTURE = pixels(3)
# What JPEG loses of a smooth picture at quality 95, in levels of 255.
LOSSY = 16


def far(one: npt.ArrayLike, other: npt.ArrayLike) -> int:
    """The largest difference of two pictures, in levels."""
    return int(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max())


def reason(data: bytes) -> str:
    """Why ``data`` is refused; decoding and measuring must agree on it."""
    with pytest.raises(UnreadableImage) as decoding:
        decode(data)
    with pytest.raises(UnreadableImage) as measuring:
        measure(data)
    assert decoding.value.reason == measuring.value.reason == str(decoding.value)
    return decoding.value.reason


def outcome(function: Callable[[bytes], Any], data: bytes) -> Any:
    """What ``function`` returns, or the reason for which it refuses ``data``."""
    try:
        return function(data)
    except UnreadableImage as error:
        return error.reason


LOSSLESS = {
    "png": encode(PICTURE, "PNG"),
    "webp": encode(PICTURE, "WEBP", lossless=True),
    "bmp": encode(PICTURE, "BMP"),
    "tiff": encode(PICTURE, "TIFF"),
    "tiff, deflate": encode(PICTURE, "TIFF", compression="tiff_adobe_deflate"),
    "tiff, lzw": encode(PICTURE, "TIFF", compression="tiff_lzw"),
    "junk behind": encode(PICTURE, "PNG") + b"junk" * 100,
    "opaque RGBA": encode(Image.fromarray(PICTURE).convert("RGBA"), "PNG"),
    "ppm": encode(PICTURE, "PPM"),
    "plain ppm": b"P3 32 24 255 " + " ".join(map(str, PICTURE.ravel())).encode(),
    "jpeg 2000": encode(PICTURE, "JPEG2000"),
    "jpeg 2000 without its box": encode(PICTURE, "JPEG2000", no_jp2=True),
}


@pytest.mark.parametrize("data", LOSSLESS.values(), ids=LOSSLESS)
def test_lossless_files_come_out_exactly(data: bytes) -> None:
    found = decode(data)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, PICTURE)
    assert measure(data)[:2] == (32, 24)


LOSSY_FILES = {
    "jpeg": encode(PICTURE, "JPEG", quality=95, subsampling=0),
    "progressive jpeg": encode(PICTURE, "JPEG", quality=95, subsampling=0, progressive=True),
    "jpeg, junk behind": encode(PICTURE, "JPEG", quality=95, subsampling=0) + b"junk" * 100,
    "CMYK jpeg": encode(Image.fromarray(PICTURE).convert("CMYK"), "JPEG", quality=95),
    "CMYK tiff": encode(Image.fromarray(PICTURE).convert("CMYK"), "TIFF"),
    "YCbCr tiff": encode(Image.fromarray(PICTURE).convert("YCbCr"), "TIFF"),
    "webp": encode(PICTURE, "WEBP", quality=95),
    "heif": encode(PICTURE, "HEIF", quality=95, chroma=444),
    "avif": encode(PICTURE, "AVIF", quality=95, subsampling="4:4:4"),
    "lossy jpeg 2000": encode(PICTURE, "JPEG2000", irreversible=True, quality_layers=[3]),
}


@pytest.mark.parametrize("data", LOSSY_FILES.values(), ids=LOSSY_FILES)
def test_lossy_files_come_out_nearly(data: bytes) -> None:
    assert far(decode(data), PICTURE) <= LOSSY
    assert measure(data)[:2] == (32, 24)


def test_grey_images_have_three_equal_channels() -> None:
    grey = Image.fromarray(PICTURE).convert("L")
    for data in (
        encode(grey, "PNG"),
        encode(grey, "TIFF"),
        encode(grey, "BMP"),
        encode(grey, "GIF"),
        encode(grey, "PPM"),
    ):
        np.testing.assert_array_equal(decode(data), np.repeat(np.asarray(grey)[..., None], 3, axis=-1))


def test_black_and_white_images_are_black_and_white() -> None:
    bits = Image.fromarray(PICTURE).convert("1")
    for kind in ("PNG", "TIFF", "BMP", "PPM"):
        np.testing.assert_array_equal(decode(encode(bits, kind))[..., 0], np.asarray(bits) * 255)


def test_palettes_are_looked_up() -> None:
    palette = Image.fromarray(PICTURE).quantize(64)
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        np.testing.assert_array_equal(decode(encode(palette, kind)), np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_over_the_whole_range(kind: str) -> None:
    values = np.array([[0, 128, 129, 257, 32768, 65535]], dtype=np.uint16)
    found = decode(encode(Image.fromarray(values), kind))
    np.testing.assert_array_equal(found[0, :, 0], [0, 0, 1, 1, 128, 255])
    assert measure(encode(Image.fromarray(values), kind)) == (6, 1, 65535)


def test_big_endian_sixteen_bits() -> None:
    values = np.array([[0, 257, 65535]], dtype=">u2")
    assert decode(encode(Image.frombytes("I;16B", (3, 1), values.tobytes()), "TIFF"))[0, :, 0].tolist() == [0, 1, 255]


def test_integers_of_32_bits_are_taken_if_they_hold_16() -> None:
    assert decode(encode(Image.fromarray(np.array([[0, 65535]], np.int32)), "TIFF"))[0, :, 0].tolist() == [0, 255]
    beyond = encode(Image.fromarray(np.array([[0, 65536]], np.int32)), "TIFF")
    assert reason(beyond) == "pixels of more than 16 bits: not supported, convert it to PNG"


def test_floats_are_taken_from_0_to_1() -> None:
    assert decode(encode(Image.fromarray(np.array([[0, 0.5, 1]], np.float32)), "TIFF"))[0, :, 0].tolist() == [
        0,
        128,
        255,
    ]
    for outside in (1.5, -0.1, float("nan"), float("inf")):
        data = encode(Image.fromarray(np.array([[0.5, outside]], np.float32)), "TIFF")
        assert reason(data) == "floating-point pixels outside 0 to 1: not supported, convert it to PNG"


def test_transparency_is_laid_on_white() -> None:
    layers = np.zeros((1, 3, 4), dtype=np.uint8)
    layers[0, :, 3] = [0, 128, 255]  # black: invisible, half, opaque
    rgba = Image.fromarray(layers)
    for data in (encode(rgba, "PNG"), encode(rgba, "WEBP", lossless=True), encode(rgba, "TIFF")):
        np.testing.assert_array_equal(decode(data)[0], [[255] * 3, [127] * 3, [0] * 3])
    np.testing.assert_array_equal(decode(encode(rgba.convert("LA"), "PNG"))[0, :, 0], [255, 127, 0])
    keyed = encode(Image.fromarray(np.array([[[9, 9, 9], [0, 0, 0]]], np.uint8)), "PNG", transparency=(9, 9, 9))
    np.testing.assert_array_equal(decode(keyed)[0, :, 0], [255, 0])
    palette = Image.new("P", (2, 1))
    palette.putpalette([9, 9, 9, 0, 0, 0])
    palette.putdata([0, 1])
    for kind in ("PNG", "GIF"):
        np.testing.assert_array_equal(decode(encode(palette, kind, transparency=0))[0, :, 0], [255, 0])


def test_what_is_nowhere_opaque_is_shown_by_its_colours() -> None:
    """As Photoshop writes BMP with 32 bits: the fourth channel is there, and zero."""
    layers = np.concatenate([PICTURE, np.zeros((24, 32, 1), np.uint8)], axis=-1)
    rgba = Image.fromarray(layers)
    for data in (
        _bmp_with_alpha(layers),
        encode(rgba, "PNG"),
        encode(rgba, "TIFF"),
        encode(rgba, "WEBP", exact=True, lossless=True),
    ):
        np.testing.assert_array_equal(decode(data), PICTURE)
    layers[0, 0, 3] = 255
    np.testing.assert_array_equal(decode(_bmp_with_alpha(layers))[1:], np.full((23, 32, 3), 255))


def _bmp_with_alpha(layers: npt.NDArray[np.uint8]) -> bytes:
    """A BMP with a header of version 3, which names the bits of alpha."""
    height, width = layers.shape[:2]
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 56, width, height, 1, 32, 3, 0, 2835, 2835, 0, 0) + masks
    rows = np.ascontiguousarray(layers[::-1, :, [2, 1, 0, 3]]).tobytes()
    return b"BM" + struct.pack("<IHHI", 14 + 56 + len(rows), 0, 0, 14 + 56) + header + rows


def test_sixteen_bits_a_channel_keep_their_precision_in_png() -> None:
    # 511 is nearer to 2 · 257 than to 1 · 257, although its upper byte is 1.
    values = np.array([[[511, 257, 0], [65535, 128, 129]]], np.uint16)
    for channels in (values, np.concatenate([values, np.full((1, 2, 1), 65535, np.uint16)], axis=-1)):
        data = bytes(imagecodecs.png_encode(channels))
        np.testing.assert_array_equal(decode(data)[0], [[2, 1, 0], [255, 0, 1]])
        assert measure(data) == (2, 1, 65535)
    grey = np.array([[[511, 65535], [511, 0]]], np.uint16)
    np.testing.assert_array_equal(decode(bytes(imagecodecs.png_encode(grey)))[0, :, 0], [2, 255])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "HEIF"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "lime")]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert far(decode(data), np.full((16, 16, 3), [255, 0, 0])) <= LOSSY


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(kind: str, orientation: int, tmp_path: Path) -> None:
    upright = np.zeros((40, 80, 3), dtype=np.uint8)
    upright[:20, :40] = 255  # one quarter white: every turn and mirror shows
    # EXIF 2.3, tag 0x0112: what the camera stored of an upright scene.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    # From bytes, but not from an object, pillow-heif makes HEIF's own orientation, which alone counts there.
    options = {"exif": exif.tobytes()} if kind == "HEIF" else {"exif": exif}
    data = encode(Image.fromarray(np.ascontiguousarray(stored)), kind, **options)
    assert far(decode(data), upright) <= 40  # the edge of the quarter, in JPEG
    assert far(decode(data)[::16, ::16], upright[::16, ::16]) <= LOSSY
    assert measure(data)[:2] == (80, 40)
    path = tmp_path / "image"
    path.write_bytes(data)
    assert load(path, Framing(8))[0, 0, 0] > 200
    assert load(path, Framing(8))[7, 7, 0] < 50


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_broken_exif_does_no_harm(exif: bytes) -> None:
    data = encode(PICTURE, "JPEG", quality=95, exif=exif)
    assert far(decode(data), PICTURE) <= 40
    assert measure(data)[:2] == (32, 24)


def test_orientation_beyond_8_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 99
    np.testing.assert_array_equal(decode(encode(PICTURE, "PNG", exif=exif)), PICTURE)


def test_a_colour_profile_is_converted_to_srgb() -> None:
    srgb = colour_profile()
    assert far(decode(encode(PICTURE, "PNG", icc_profile=srgb)), PICTURE) <= 1
    swapped = decode(encode(PICTURE, "PNG", icc_profile=_profile_with_red_and_blue_swapped(srgb)))
    assert far(swapped, PICTURE[..., ::-1]) <= 3


def _profile_with_red_and_blue_swapped(profile: bytes) -> bytes:
    """The same profile with the tags rXYZ and bXYZ exchanged."""
    return profile.replace(b"rXYZ", b"tmp!").replace(b"bXYZ", b"rXYZ").replace(b"tmp!", b"bXYZ")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "LA", "RGBA", "P", "1"])
def test_a_profile_that_is_broken_or_does_not_fit_is_ignored(mode: str) -> None:
    image = Image.fromarray(PICTURE).convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    plain = decode(encode(image, kind))
    np.testing.assert_array_equal(decode(encode(image, kind, icc_profile=b"not a profile")), plain)
    lab = colour_profile("LAB")
    np.testing.assert_array_equal(decode(encode(image, kind, icc_profile=lab)), plain)


@pytest.mark.parametrize("height", [1, 2, 24])
@pytest.mark.parametrize("width", [1, 2, 20_000])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_sizes_from_one_pixel_to_long_strips(kind: str, height: int, width: int, tmp_path: Path) -> None:
    for shape in ((height, width), (width, height)):
        data = encode(pixels(1, *shape), kind)
        assert decode(data).shape == (*shape, 3)
        assert measure(data)[:2] == shape[::-1]
        (tmp_path / "image").write_bytes(data)
        assert load(tmp_path / "image", Framing(16)).shape == (16, 16, 3)


REFUSED = {
    "empty": (b"", "empty file"),
    "text": (b"cat, dog\r\n" * 50, "text: not supported"),
    "web page": (b"  <!DOCTYPE html><html><body>404</body></html>", "a web page: not supported"),
    "SVG": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing: not supported"),
    "only a HEIC's start": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "damaged HEIF"),
    "LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "a Git LFS pointer: run git lfs pull",
    ),
    "PDF": (b"%PDF-1.7\n", "a PDF document: not supported"),
    "zip": (b"PK\3\4" + bytes(99), "a zip archive: not supported"),
    "noise": (bytes(range(256)), "of no known image format: not supported"),
    "junk in front": (b"\0\1\2junk" + encode(PICTURE, "PNG"), "of no known image format: not supported"),
    "only a PNG's start": (b"\x89PNG\r\n\x1a\n", "damaged PNG"),
    "only a JPEG's start": (b"\xff\xd8\xff", "damaged JPEG"),
    "Canon raw": (b"II*\0\x10\0\0\0CR\2\0" + bytes(99), "a camera's raw file: not supported"),
}


@pytest.mark.parametrize(("data", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_image_is_refused_with_its_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


@pytest.mark.parametrize("kind", ["ICO", "TGA", "PCX"])
def test_formats_that_only_the_library_knows_are_refused(kind: str) -> None:
    assert reason(encode(PICTURE, kind)).endswith(": not supported")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("tenth", range(10))
def test_a_jpeg_truncated_at_any_tenth_is_refused(progressive: bool, tenth: int) -> None:
    whole = encode(pixels(2, 120, 160), "JPEG", quality=90, progressive=progressive)
    assert reason(whole[: len(whole) * tenth // 10]) in ("empty file", "damaged JPEG", "truncated JPEG")


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", "AVIF", "JPEG2000", "PPM"])
@pytest.mark.parametrize("tenth", range(1, 10))
def test_other_formats_truncated_at_any_tenth_are_refused(kind: str, tenth: int) -> None:
    whole = encode(pixels(2, 120, 160), kind)
    name = {"WEBP": "WebP", "JPEG2000": "JPEG 2000"}.get(kind, kind)
    assert reason(whole[: len(whole) * tenth // 10]) in (f"damaged {name}", f"truncated {name}")


def _png_that_declares(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_bombs_are_refused_before_they_are_decoded() -> None:
    assert reason(_png_that_declares(50_000, 50_000)) == "too large: 50000 × 50000 pixels, over 100 million"
    gif = bytearray(encode(Image.new("L", (8, 8)), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_535, 65_535)
    assert reason(bytes(gif)).startswith("too large: 65535 × 65535")
    webp = bytearray(encode(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    webp[21:25] = struct.pack("<I", 16_382 | 16_382 << 14)  # after the mark of VP8L: 14 bits each, less one
    assert reason(bytes(webp)).startswith("too large: 16383 × 16383")
    tiff = encode(Image.new("1", (11_000, 11_000)), "TIFF", compression="group4")
    assert reason(tiff).startswith("too large: 11000 × 11000")


def test_a_jpeg_painted_over_and_over_is_refused() -> None:
    whole = encode(Image.new("L", (9_000, 9_000)), "JPEG", progressive=True)
    start = whole.rindex(b"\xff\xda")
    assert decode(encode(Image.new("L", (900, 900)), "JPEG", progressive=True)).shape == (900, 900, 3)
    again = whole[:start] + whole[start:-2] * 300 + whole[-2:]
    assert reason(again) == "too large: a JPEG that is painted over and over"


def test_a_huge_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 1000)
    assert reason(encode(pixels(1, 200, 200), "PNG")) == "too large: over 256 MB"


def _with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG of PICTURE with one more chunk behind its header."""
    whole = encode(PICTURE, "PNG")
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return whole[:33] + chunk + whole[33:]


TEXTS = {
    "zTXt": (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3 << 20))),
    "iTXt": (b"iTXt", b"workflow\0\1\0en\0\0" + zlib.compress(bytes(3 << 20))),
    "tEXt": (b"tEXt", b"prompt\0" + b"a" * (3 << 20)),
    "zTXt that is none": (b"zTXt", b"Comment\0\0no deflate"),
    "text bomb": (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 << 20), 9)),
    "XMP bomb": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(64 << 20), 9)),
    "profile": (b"iCCP", b"a printing press\0\0" + zlib.compress(colour_profile() + bytes(3 << 20))),
    "profile bomb": (b"iCCP", b"a printing press\0\0" + zlib.compress(bytes(64 << 20), 9)),
}


@pytest.mark.parametrize(("kind", "data"), TEXTS.values(), ids=TEXTS)
def test_texts_and_profiles_of_any_size_do_no_harm(kind: bytes, data: bytes) -> None:
    tracemalloc.start()
    found = decode(_with_chunk(kind, data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert far(found, PICTURE) <= 1
    assert peak < 3 * png.MOST_INFLATED


def test_the_orientation_in_a_text_is_followed() -> None:
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0" + b'<x tiff:Orientation="3"/>'
    np.testing.assert_array_equal(decode(_with_chunk(b"iTXt", xmp)), PICTURE[::-1, ::-1])


def test_raw_files_that_are_tiff_are_refused() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[50706] = b"\1\4\0\0"
    tags.tagtype[50706] = 1
    expected = "a camera's raw file: not supported, convert it to JPEG or PNG"
    assert reason(encode(PICTURE, "TIFF", tiffinfo=tags)) == expected


def test_lab_colours_are_refused() -> None:
    lab = Image.frombytes("LAB", (2, 2), bytes(12))
    assert reason(encode(lab, "TIFF")) == "Lab colours: not supported, convert it to JPEG or PNG"


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(PICTURE, "PNG"))
    np.testing.assert_array_equal(load(path, Framing(32)), np.asarray(Image.fromarray(PICTURE).resize((32, 32), 2)))


@pytest.mark.parametrize(("height", "width"), [(600, 800), (301, 640), (2000, 300)])
def test_a_large_jpeg_loads_as_if_it_were_decoded_whole(height: int, width: int, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(pixels(5, height, width), "JPEG", quality=95))
    whole = Image.fromarray(decode(path.read_bytes())).resize((64, 64), Image.Resampling.BILINEAR)
    assert far(load(path, Framing(64)), np.asarray(whole)) <= 5
    np.testing.assert_array_equal(load(path, Framing(64)), load(path, Framing(64)))


def test_an_image_that_broke_since_is_told(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(1)[:200])
    with pytest.raises(InputError, match=r"photo.jpg: .* JPEG; expected an image: run the prepare stage again"):
        load(path, Framing(32))


def test_no_warning_leaks_even_where_warnings_are_shown() -> None:
    exif = encode(PICTURE, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\xff\xff\0\0\x06\0")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for data in (exif, encode(Image.fromarray(PICTURE).quantize(8), "PNG", transparency=b"\0\x80")):
            decode(data)
    assert caught == []


def test_the_libraries_print_nothing() -> None:
    """libtiff prints to the process's stderr, past Python; Pillow logs, which without any set-up prints too."""
    code = (
        "import sys; from headstart.images.images import decode, UnreadableImage\n"
        "data = bytearray(sys.stdin.buffer.read())\n"
        "for place in range(0, len(data), 3):\n"
        "    broken = data[:place] + b'\\xff\\xff' + data[place + 2:]\n"
        "    try: decode(bytes(broken))\n"
        "    except UnreadableImage: pass\n"
    )
    wide = encode(Image.fromarray(pixels(1, 8, 8)[..., 0].astype(np.uint16) * 257), "TIFF")
    plain = encode(pixels(1, 8, 8), "TIFF")
    samples = struct.pack("<HHI", 277, 3, 1)
    many = plain.replace(samples + b"\3\0", samples + b"\3\4")
    assert many != plain
    for tiff in (encode(pixels(1, 8, 8), "TIFF", compression="tiff_lzw"), many, wide):
        done = subprocess.run([sys.executable, "-W", "always", "-c", code], input=tiff, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


SEEDS = [
    *LOSSLESS.values(),
    *LOSSY_FILES.values(),
    encode(Image.fromarray(PICTURE).quantize(16), "GIF"),
    encode(PICTURE, "TIFF", compression="jpeg"),
    encode(PICTURE, "JPEG", icc_profile=colour_profile()),
    encode(Image.fromarray(PICTURE.astype(np.uint16)[..., 0] * 257), "PNG"),
    encode(Image.fromarray(PICTURE.astype(np.uint16)[..., 0] * 257), "TIFF"),
]


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damage_anywhere_is_an_image_or_a_reason(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
        if not content:
            break
    size, found = outcome(measure, bytes(content)), outcome(decode, bytes(content))
    if isinstance(found, str):
        assert found == size != ""
    else:
        assert found.shape == (size.height, size.width, 3)
        assert found.dtype == np.uint8


@settings(max_examples=100)
@given(
    st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*", b"BM", b"P6 9 9 "]),
    st.binary(),
)
def test_any_bytes_are_an_image_or_a_reason(start: bytes, rest: bytes) -> None:
    found = outcome(decode, start + rest)
    assert found != "" if isinstance(found, str) else found.ndim == 3
