"""Tells from the first bytes of a file what it holds; its name is never trusted."""

import re

# Enough for every signature below and for telling text from binary.
HEAD_BYTES = 512

# Extensions that nearly always mean a supported image: such a file is taken at its word until it is decoded.
SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "gif", "webp", "bmp", "tif", "tiff"),
        *("heic", "heif", "hif", "avif", "jp2", "j2k", "j2c", "jpf", "jpx", "pbm", "pgm", "ppm", "pnm"),
    )
)

_SUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),  # BigTIFF
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
)

# Netpbm's formats begin with letters that occur in texts as well: here with their sizes, comments between.
_NETPBM = re.compile(rb"P[1-6f](\s+(#[^\r\n]*[\r\n])?)+[0-9]+(\s+(#[^\r\n]*[\r\n])?)+[0-9]+\s")
_NETPBM_NAMES = {b"1": "PBM", b"4": "PBM", b"2": "PGM", b"5": "PGM", b"3": "PPM", b"6": "PPM", b"f": "PFM"}

_UNSUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"II*\0", "a camera's raw file"),  # Canon's. All other TIFF is supported.
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\1\0", "an icon"),
    (b"SIMPLE  =", "a FITS image"),
    (b"P7\n", "a PAM image"),
)

_OTHER: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\3\4", "a zip archive"),
    (b"PK\5\6", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1aE\xdf\xa3", "a film"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)

# Pointers to other files, which a tool still has to fetch, with what to do.
_POINTERS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer: run git lfs pull"),
    (b"/annex/objects/", "a git-annex pointer: run git annex get"),
)

# Bytes 4 to 11 of files in the ISO base media format (ISO/IEC 14496-12): its mark and the brand.
_BRANDS = {
    **dict.fromkeys((b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis")), "HEIF"),
    **dict.fromkeys((b"ftyp" + brand for brand in (b"hevc", b"hevx", b"hevm", b"hevs")), "HEIF"),
    **dict.fromkeys((b"ftypmif1", b"ftypmsf1"), "HEIF"),
    **dict.fromkeys((b"ftypavif", b"ftypavis"), "AVIF"),
}
_RAW_BRAND = b"ftypcrx "
_RAW = "a camera's raw file"


def supported(head: bytes) -> str | None:
    """The supported image format of a file whose first bytes are ``head``; None if it is of none."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:4] == b"II*\0" and head[8:10] == b"CR":
        return None  # Canon's raw files look like TIFF up to here.
    if netpbm := _NETPBM.match(head):
        return _NETPBM_NAMES[netpbm[0][1:2]]
    return _BRANDS.get(head[4:12]) or _look_up(head, _SUPPORTED)


def is_image(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is an image, supported or not."""
    return bool(supported(head) or head[4:12] == _RAW_BRAND or _look_up(head, _UNSUPPORTED))


def refusal(head: bytes) -> str:
    """Why a file that begins with ``head`` and did not decode can't be used, in a few words."""
    known = supported(head)
    return f"damaged {known}" if known else _look_up(head, _POINTERS) or f"{describe(head)}: not supported"


def describe(head: bytes) -> str:
    """What a file that begins with ``head`` holds, in words that finish the sentence "it is …"."""
    if not head:
        return "an empty file"
    known = supported(head)
    if known:
        return f"{'an' if known == 'AVIF' else 'a'} {known} image"
    if head[4:8] == b"ftyp":
        return _RAW if head[4:12] == _RAW_BRAND else "a film"
    return _look_up(head, _UNSUPPORTED) or _look_up(head, _OTHER) or _describe_text(head)


def _look_up(head: bytes, table: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((name for signature, name in table if head.startswith(signature)), None)


def _describe_text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    # Control characters other than tab and line ends occur in no text, whatever its encoding.
    if all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in head):
        return "text"
    return "of no known image format"
