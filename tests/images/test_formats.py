"""The first bytes tell what a file holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.images.formats import describe, is_image, supported
from tests.pictures import encode, pixels


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF"])
def test_supported_formats(kind: str) -> None:
    head = encode(pixels(1), kind.upper())[:512]
    assert supported(head) == kind
    assert is_image(head)
    assert describe(head) == f"a {kind} image"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (encode(pixels(1), "AVIF")[:512], "an AVIF image"),
        (encode(pixels(1), "JPEG2000")[:512], "a JPEG 2000 image"),
        (encode(pixels(1), "ICO")[:512], "an icon"),
        (b"\0\0\0\x18ftypheic", "a HEIC image"),
        (b"\0\0\0\x18ftypmif1", "a HEIF image"),
        (b"\0\0\0\x18ftypcrx ", "a camera's raw file"),
        (b"II*\0\x10\0\0\0CR\2\0", "a camera's raw file"),
        (b"8BPS\0\1", "a Photoshop file"),
    ],
)
def test_images_that_are_not_supported_are_known(head: bytes, expected: str) -> None:
    assert supported(head) is None
    assert is_image(head)
    assert describe(head) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", "an empty file"),
        (b"\0\0\0\x18ftypisom", "a film"),
        (b"%PDF-1.4", "a PDF document"),
        (b"name,class\r\n1.jpg,cat\n", "text"),
        ("größer".encode(), "text"),
        (b"\xef\xbb\xbf<!doctype HTML>", "a web page"),
        (b"<html>", "a web page"),
        (b"<?xml?>\n<SVG>", "an SVG drawing"),
        (b"\x7fELF", "a program"),
        (b"\0\1\2\3", "of no known image format"),
    ],
)
def test_what_is_no_image_is_described(head: bytes, expected: str) -> None:
    assert supported(head) is None
    assert not is_image(head)
    assert describe(head) == expected


@given(st.binary(max_size=64))
def test_anything_is_described(head: bytes) -> None:
    assert describe(head)
    assert is_image(head) or supported(head) is None
