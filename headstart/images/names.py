"""File names: their natural order, and forms of them that every system can store."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

# POSIX.1-2017, 3.282, portable filename character set; a hyphen first would be taken for an option.
_PORTABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_UNPORTABLE = re.compile(r"[^A-Za-z0-9._-]+")
# Names of devices on Windows, whatever follows their first dot.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
# Every file system takes 255 bytes and Windows 260 characters for a whole path.
_MOST_CHARACTERS = 100
_STEM_KEPT = 60
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,4}")


# Text and number in turn.
_Natural = tuple[tuple[int, str], ...]


def natural(text: str) -> _Natural:
    """A sort key by which ``cat.9.jpg`` comes before ``cat.10.jpg``: runs of digits compare as numbers."""
    # A number, without its leading zeros, compares by its length first: int() refuses one of 5,000 digits,
    # and hostile names have such.
    parts = re.split(r"([0-9]+)", text)
    numbers = [part.lstrip("0") for part in parts]
    return tuple(
        (len(number), number) if place % 2 else (0, part)
        for place, (part, number) in enumerate(zip(parts, numbers, strict=True))
    )


def file_name(path: str) -> str:
    """The last part of a path with ``/`` between its parts."""
    return path.rpartition("/")[2]


def by_number(path: str) -> tuple[_Natural, _Natural, str]:
    """A sort key for images: by the numbers in their file names; where those are equal, by their folders'."""
    return natural(file_name(path)), natural(path), path


def portable(names: Sequence[str], identities: Sequence[str] | None = None) -> list[str]:
    """Turn names of one folder into file names that every system can store, all different.

    A name that can stay as it is stays. Any other keeps what it can and is tagged with 12 digits of
    the SHA-256 of its identity, so that the same name gives the same result in any company.

    Args:
        names: any texts.
        identities: what distinguishes equal names, for example their paths; the names themselves if None.

    Returns:
        ASCII letters, digits, ``.``, ``_`` and ``-``; at most 100 characters; different even
        where the file system takes capitals for small letters.
    """
    identities = names if identities is None else identities
    alike = Counter(name.lower() for name in names)
    found = [
        name if _fits(name) and alike[name.lower()] == 1 else _tagged(_spelled(name), identity)
        for name, identity in zip(names, identities, strict=True)
    ]
    return distinct(found, identities)


def distinct(names: Sequence[str], identities: Sequence[str]) -> list[str]:
    """Tag every name that is there twice, capitals or not, with its identity, until all are different."""
    found = list(names)
    attempt = 0
    while (alike := Counter(name.lower() for name in found)).total() > len(alike):
        salt = f"\0{attempt}" if attempt else ""
        # Equal names of equal identity: only their order distinguishes them.
        found = [
            name if alike[name.lower()] == 1 else _tagged(name, f"{identity}{salt}{place if attempt else ''}")
            for place, (name, identity) in enumerate(zip(found, identities, strict=True))
        ]
        attempt += 1
    return found


def _fits(name: str) -> bool:
    return (
        bool(_PORTABLE.fullmatch(name))
        and len(name) <= _MOST_CHARACTERS
        and not name.endswith(".")
        and not _RESERVED.match(name)
    )


def _spelled(name: str) -> str:
    """What of a name can be written in portable characters, shortened; its extension stays if it is one."""
    path = PurePosixPath(name.replace("/", "_"))
    suffix = path.suffix if _SUFFIX.fullmatch(path.suffix) else ""
    # Accents go, letters stay; whole alphabets go too, and then the tag alone must do.
    ascii_stem = unicodedata.normalize("NFKD", path.name.removesuffix(suffix)).encode("ascii", "ignore").decode()
    return (_UNPORTABLE.sub("_", ascii_stem).strip("._-")[:_STEM_KEPT] or "x") + suffix


def _tagged(name: str, identity: str) -> str:
    tag = hashlib.sha256(identity.encode()).hexdigest()[:12]
    folder, slash, file = name.rpartition("/")
    suffix = PurePosixPath(file).suffix
    return f"{folder}{slash}{file.removesuffix(suffix)}-{tag}{suffix}"
