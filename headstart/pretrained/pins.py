"""Digests of weights for which their publisher names none, pinned when they are first used.

The pins are in a file that git tracks, so that every clone, and every later run, takes the very same weights: the
record of DVC, dvc.lock, holds what came of them and is written anew whatever that is. As with the keys of hosts that
SSH knows, the first use is the one that is trusted.
"""

import json

from headstart.foundation.atomic import write_json
from headstart.foundation.errors import InputError
from headstart.foundation.paths import PINS


def known(file: str) -> str | None:
    """Return the SHA-256 (hexadecimal) that is pinned for a file of this name; None where none is.

    Raises:
        InputError: the pins can't be read.
    """
    return _read().get(file)


def pin(file: str, sha256: str) -> None:
    """Pin the SHA-256 of a file for which none is pinned."""
    pins = _read()
    assert pins.get(file, sha256) == sha256, f"{file} is pinned already, to another digest"
    if file not in pins:
        write_json(PINS, dict(sorted({**pins, file: sha256}.items())))


def _read() -> dict[str, str]:
    try:
        pins = json.loads(PINS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(f"{PINS}: not JSON ({error}): restore it, by `git checkout {PINS}`") from None
    if not isinstance(pins, dict) or not all(isinstance(sha256, str) for sha256 in pins.values()):
        raise InputError(f"{PINS}: expected digests by the names of files: restore it, by `git checkout {PINS}`")
    return pins
