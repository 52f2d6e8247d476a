"""A folder of everything that phones, scrapers, colleagues and attackers leave, and what must come of it."""

import os
import socket
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from PIL import Image

from tests.pictures import colour_profile, encode, fill, jpeg, pixels

LINK = "symbolic link: not followed"  # in an archive
LEADS_OUT = "symbolic link out of the folder: not followed, give a copy made with `cp -rL`"
TO_A_FOLDER = "symbolic link to a folder: not followed, put the folder itself in its place, as `cp -rL` does"
DANGLING = "symbolic link to nothing: copy the file itself in its place, or fetch it first (`dvc pull`)"
PIPE = "named pipe: not read"

CLASSES = (
    "cat",
    "nan",
    "1e3",
    "=cmd()",
    "<b>&amp;",
    "a,b",
    "new\nline",
    " ",
    "-rf",
    "CON",
    "Cat",
    "\u732b",
    "\U0001f431",
)


def images() -> dict[str, bytes]:
    """Files that are images, by path; each class has at least three, no two of them alike."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(pixels(1))
    profile = colour_profile()
    frames = [Image.fromarray(pixels(number)) for number in range(20, 23)]
    moving = {"save_all": True, "append_images": frames}
    files = {f"{name}/{n}.jpg": jpeg(100 * place + n) for place, name in enumerate(CLASSES, 1) for n in range(3)}
    kinds = {
        "wrong extension.jpg": encode(pixels(2), "PNG"),
        "no extension": encode(pixels(3), "JPEG"),
        "EXTENSION.JPeG": encode(pixels(4), "JPEG"),
        "CMYK.jpg": encode(picture.convert("CMYK"), "JPEG"),
        "sixteen bits.png": encode(picture.convert("I;16"), "PNG"),
        "palette.png": encode(picture.quantize(9), "PNG"),
        "palette.gif": encode(picture.quantize(8), "GIF"),
        "RGBA.png": encode(picture.convert("RGBA"), "PNG"),
        "grey.png": encode(picture.convert("L"), "PNG"),
        "black and white.tif": encode(picture.convert("1"), "TIFF"),
        "1 x 1.png": encode(pixels(5, 1, 1), "PNG"),
        "1 x 20000.jpg": encode(pixels(6, 1, 20_000), "JPEG"),
        "20000 x 1.png": encode(pixels(7, 20_000, 1), "PNG"),
        "moving.gif": encode(pixels(8), "GIF", **moving),
        "moving.webp": encode(pixels(9), "WEBP", **moving),
        "turned.jpg": encode(pixels(10), "JPEG", exif=exif),
        "profile.jpg": encode(pixels(11), "JPEG", icc_profile=profile),
        "broken profile.jpg": encode(pixels(12), "JPEG", icc_profile=b"broken"),
        "progressive.jpg": encode(pixels(13), "JPEG", progressive=True),
        "junk behind.jpg": jpeg(14) + b"junk" * 999,
        "picture.bmp": encode(pixels(15), "BMP"),
        "new\nline.jpg": jpeg(16),
        "\U0001f431.jpg": jpeg(17),
        "caf\u00e9.jpg": jpeg(18),
        "cafe\u0301.jpg": jpeg(19),
        "-rf.jpg": jpeg(30),
        "=cmd().jpg": jpeg(31),
        "x" * 251 + ".jpg": jpeg(32),
        "deep/er/and/deeper.jpg": jpeg(33),
        "a\\b.jpg": jpeg(34),
        "aux.jpg": jpeg(35),
    }
    return files | {f"cat/{name}": data for name, data in kinds.items()}


def not_images() -> dict[str, tuple[bytes, str]]:
    """Files that are no images, or none that can be used, by path, with the reason that must be given."""
    whole = encode(pixels(40, 120, 160), "JPEG")
    files = {
        "empty.jpg": (b"", "empty file"),
        "text.jpg": (b"this is no picture", "text: not supported"),
        "notes.txt": (b"nor is this", "text: not supported"),
        "page.jpg": (b"<!DOCTYPE html><html>404</html>", "a web page: not supported"),
        "junk in front.jpg": (b"\0\1junk" + jpeg(41), "of no known image format: not supported"),
        "phone.jxl": (b"\xff\x0a" + bytes(99), "a JPEG XL image: not supported"),
        "renamed.jpg": (b"\xff\x0a" + bytes(98), "a JPEG XL image: not supported"),
        "modern.heic": (b"\0\0\0\x18ftypheic" + bytes(99), "damaged HEIF"),
        "archive.zip": (b"PK\3\4" + bytes(99), "a zip archive: not supported"),
        "bomb.gif": (_bomb(), "too large: 65535 × 65535 pixels, over 100 million"),
    }
    for tenth in range(1, 10):
        files[f"{tenth}0 %.jpg"] = (whole[: len(whole) * tenth // 10], "truncated JPEG")
    return {f"cat/{name}": value for name, value in files.items()}


def _bomb() -> bytes:
    data = bytearray(encode(Image.new("L", (8, 8)), "GIF"))
    data[6:10] = b"\xff\xff\xff\xff"
    return bytes(data)


@contextmanager
def hostile_folder(root: Path) -> Iterator[dict[str, str]]:
    """Make such a folder at ``root``; yield what must be dropped of it, by path, with the reasons.

    Outside the folder lies ``secret.jpg``, which nothing may read.
    """
    reasons = {name: reason for name, (_, reason) in not_images().items()}
    fill(root, images() | {name: data for name, (data, _) in not_images().items()})
    fill(root, {"cat/.hidden.jpg": jpeg(50), "cat/Thumbs.db": jpeg(51), "__MACOSX/cat/._0.jpg": jpeg(52)})
    secret = fill(root.parent, {"outside/secret.jpg": jpeg(53)})
    links: dict[str, tuple[str | Path, str]] = {
        "cat/loop.jpg": ("loop.jpg", DANGLING),
        "cat/dangling.jpg": ("nowhere.jpg", DANGLING),
        "cat/out.jpg": (secret / "outside/secret.jpg", LEADS_OUT),
        "cat/up": ("..", TO_A_FOLDER),
        "cat/root": ("/", TO_A_FOLDER),
        "linked class": (secret / "outside", TO_A_FOLDER),
    }
    for name, (target, reason) in links.items():
        (root / name).symlink_to(target)
        reasons[name] = reason
    os.mkfifo(root / "cat/pipe.jpg")
    os.mkfifo(root / "pipe")
    reasons |= {"cat/pipe.jpg": PIPE, "pipe": PIPE}
    with open(os.fsencode(root) + b"/cat/\xff\xfe.txt", "wb") as file:  # noqa: PTH123 - a Path holds no bytes
        file.write(b"text")
    reasons["cat/\\udcff\\udcfe.txt"] = "text: not supported"
    # The path of a socket must be short.
    with chdir(root), socket.socket(socket.AF_UNIX) as server:
        server.bind("cat/socket.jpg")
        reasons["cat/socket.jpg"] = "socket: not read"
        yield reasons
