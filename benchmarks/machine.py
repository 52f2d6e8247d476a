"""What a benchmark's numbers were measured on: without it they mean nothing."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from headstart.foundation import threads

# Flags of a processor that decide how fast the base is, the fastest first.
_FLAGS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")
# More runnable processes than this, a core, before the benchmark starts: something else is at work.
_BUSY = 0.25


def facts() -> list[str]:
    """Lines that describe the machine, and warn where it is not idle. Call it before measuring."""
    found = _cpuinfo("flags").split()
    flags = ", ".join(flag for flag in _FLAGS if flag in found) or "flags unknown"
    name = _cpuinfo("model name") or platform.machine()
    cores = threads.processors()
    lines = [f"{cores} cores of {name} ({flags}), TensorFlow {version('tensorflow')}, {platform.system()}"]
    load = os.getloadavg()[0]
    if load > _BUSY * cores:
        lines.append(f"load average {load:.1f} at the start: other work was running, so times are not to be trusted")
    return lines


def _cpuinfo(field: str) -> str:
    """A field of the first processor; empty where the system doesn't tell it (macOS, Windows)."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    values = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(field))
    return next(values, "")
