"""Checks of what a mirror gave, by digest."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from headstart.fetching.mirrors import MirrorError

Accept = Callable[[Path, Path], Path]
"""Checks what a mirror gave: ``(file, scratch folder) -> file to keep``, either the same or one made of it in
the scratch folder. Raises :class:`MirrorError` where it is not what was asked for."""


def matching(digest: str) -> Accept:
    """A check that a file has this MD5 or SHA-256 (hexadecimal)."""

    def accept(file: Path, folder: Path) -> Path:
        with file.open("rb") as source:
            check_digest(hashlib.file_digest(source, digest_name(digest).replace("-", "")).hexdigest(), digest)
        return file

    return accept


def exactly(size: int, sha256: str) -> Accept:
    """A check that a file has this many bytes and this SHA-256 (hexadecimal)."""

    def accept(file: Path, folder: Path) -> Path:
        found = file.stat().st_size
        if found != size:
            raise MirrorError(f"{found:,} bytes, expected {size:,}")
        return matching(sha256)(file, folder)

    return accept


def check_digest(found: str, expected: str) -> None:
    """Compare two digests of one kind (hexadecimal).

    Raises:
        MirrorError: they differ.
    """
    if found != expected:
        raise MirrorError(f"wrong content: {digest_name(expected)} is {found[:12]}…, expected {expected[:12]}…")


def digest_name(digest: str) -> str:
    """``MD5`` or ``SHA-256``: which of the two a hexadecimal digest is, by its length."""
    return {32: "MD5", 64: "SHA-256"}[len(digest)]
