"""Limits on this process's memory, looked at before TensorFlow starts.

TensorFlow that runs into one may be killed without a word. What is found here in time is reported in one line.
"""

import sys
from pathlib import Path

from headstart.foundation.errors import InputError

# The least that the small default run got through with, measured with VGG16 at 96 pixels in batches of 32. Larger
# images and batches take more.
_MEMORY = 600_000_000
_ADDRESS_SPACE = 2_600_000_000

_GROUPS = Path("/sys/fs/cgroup")


def check() -> None:
    """Check that no limit rules out from the start what follows.

    Raises:
        InputError: a limit leaves too little memory.
    """
    limits = (
        (control_group_limit(), _MEMORY, "memory", "the control group, such as a container's"),
        (_address_space_limit(), _ADDRESS_SPACE, "address space", "`ulimit -v`"),
    )
    for limit, least, what, where in limits:
        if limit is not None and limit < least:
            raise InputError(
                f"the {what} of this process is limited to {limit / 1e9:.1f} GB and TensorFlow with the base takes "
                f"{least / 1e9:.1f} GB at the least: raise the limit of {where}"
            )


def control_group_limit(groups: Path = _GROUPS, process: Path = Path("/proc/self/cgroup")) -> int | None:
    """Return the smallest memory limit of this process's control groups, bytes; None where there is none.

    They are mounted at ``groups``; the file ``process`` names those of this process.
    """
    try:
        lines = process.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return None
    found = []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers == "":
            folder, file = groups, "memory.max"
        elif "memory" in controllers.split(","):
            folder, file = groups / "memory", "memory.limit_in_bytes"
        else:
            continue
        own = Path(path.lstrip("/"))
        # A container sees its own group at the top, whatever path it is given.
        found += [_number(folder / group / file) for group in (own, *own.parents)]
    return min((limit for limit in found if limit is not None), default=None)


def _number(file: Path) -> int | None:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None  # "max": none


def _address_space_limit() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit
