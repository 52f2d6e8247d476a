"""The first bytes tell what a file holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.images.formats import describe, is_image, refusal, supported
from tests.pictures import encode, pixels


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "HEIF", "AVIF", "JPEG 2000", "PPM"])
def test_supported_formats(kind: str) -> None:
    head = encode(pixels(1), kind.upper().replace(" ", ""))[:512]
    assert supported(head) == kind
    assert is_image(head)
    assert describe(head) in (f"a {kind} image", f"an {kind} image")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"P5\n# made by a scanner\n24 32\n255\n", "PGM"),
        (b"P2 1 1 255 7", "PGM"),
        (b"P4\n8 1\n\xff", "PBM"),
        (b"P3\r\n1 1\r\n255\r\n1 2 3", "PPM"),
        (b"Pf\n1 1\n-1.0\n", "PFM"),
        (b"II+\0\x08\0\0\0", "TIFF"),
        (b"\xff\x4f\xff\x51\0\x2f", "JPEG 2000"),
        (b"\0\0\0\x18ftypmif1", "HEIF"),
        (b"\0\0\0\x18ftypheix", "HEIF"),
    ],
)
def test_variants_of_supported_formats(head: bytes, kind: str) -> None:
    assert supported(head) == kind


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "a Git LFS pointer: run git lfs pull"),
        (b"/annex/objects/SHA256E-s1--00.jpg\n", "a git-annex pointer: run git annex get"),
        (b"name,class\n", "text: not supported"),
        (b"P5 is the name of a port\n", "text: not supported"),
        (b"BM", "damaged BMP"),
        (b"P6\n2 2\n255\n", "damaged PPM"),
    ],
)
def test_a_refusal_says_what_to_do(head: bytes, expected: str) -> None:
    assert refusal(head) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (encode(pixels(1), "ICO")[:512], "an icon"),
        (b"P7\nWIDTH 1\n", "a PAM image"),
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
