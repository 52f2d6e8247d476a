"""Tells from the first bytes of a file what it holds; its name is never trusted."""

# Enough for every signature below and for telling text from binary.
HEAD_BYTES = 512

# Extensions that nearly always mean a supported image: such a file is taken at its word until it is decoded.
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"})

_SUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)

_UNSUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"II*\0", "a camera's raw file"),  # Canon's. All other TIFF is supported.
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\1\0", "an icon"),
    (b"SIMPLE  =", "a FITS image"),
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

# Bytes 4 to 11 of files in the ISO base media format (ISO/IEC 14496-12): its mark and the brand.
_BRANDS = {
    b"ftypheic": "a HEIC image",
    b"ftypheix": "a HEIC image",
    b"ftyphevc": "a HEIC image",
    b"ftyphevx": "a HEIC image",
    b"ftypheim": "a HEIC image",
    b"ftypheis": "a HEIC image",
    b"ftypmif1": "a HEIF image",
    b"ftypmsf1": "a HEIF image",
    b"ftypavif": "an AVIF image",
    b"ftypavis": "an AVIF image",
    b"ftypcrx ": "a camera's raw file",
}


def supported(head: bytes) -> str | None:
    """The supported image format of a file whose first bytes are ``head``; None if it is of none."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:4] == b"II*\0" and head[8:10] == b"CR":
        return None  # Canon's raw files look like TIFF up to here.
    return _look_up(head, _SUPPORTED)


def is_image(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is an image, supported or not."""
    return bool(supported(head) or head[4:12] in _BRANDS or _look_up(head, _UNSUPPORTED))


def describe(head: bytes) -> str:
    """What a file that begins with ``head`` holds, in words that finish the sentence "it is …"."""
    if not head:
        return "an empty file"
    known = supported(head)
    if known:
        return f"a {known} image"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[4:12], "a film")
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
