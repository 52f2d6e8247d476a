"""Which arithmetic the base runs in: float32, or bfloat16 where the machine computes it in hardware."""

import platform
from pathlib import Path
from typing import Literal, NamedTuple

Setting = Literal["auto", "float32", "bfloat16"]

# Processor flags, as Linux names them, of instructions that multiply bfloat16 matrices. Without one
# of them bfloat16 is emulated and several times slower than float32.
_CPU_FLAGS = ("amx_bf16", "avx512_bf16")
# NVIDIA's compute capability from which bfloat16 runs on tensor cores (Ampere).
_GPU_CAPABILITY = (8, 0)


class Precision(NamedTuple):
    """What was chosen.

    Attributes:
        policy: Keras's name for it: ``float32``, or ``mixed_bfloat16``, which computes in bfloat16
            and keeps the weights in float32.
        reason: why, in a few words, for people.
    """

    policy: str
    reason: str


def choose(setting: Setting) -> Precision:
    """Return the precision that ``setting`` means on this machine. Imports TensorFlow."""
    if setting == "float32":
        return Precision("float32", "float32, as params.yaml says")
    if setting == "bfloat16":
        return Precision("mixed_bfloat16", "bfloat16, as params.yaml says")
    return _for_gpu() or for_cpu(_cpu_flags())


def for_cpu(flags: frozenset[str]) -> Precision:
    """Return the faster precision on a processor with these flags."""
    found = [flag for flag in _CPU_FLAGS if flag in flags]
    if found:
        return Precision("mixed_bfloat16", f"bfloat16, since this processor has {found[0]}")
    return Precision("float32", "float32, since this processor has no bfloat16 instructions")


def _for_gpu() -> Precision | None:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    name = details.get("device_name", "this GPU")
    if details.get("compute_capability", (0, 0)) >= _GPU_CAPABILITY:
        return Precision("mixed_bfloat16", f"bfloat16, since {name} has it")
    return Precision("float32", f"float32, since {name} has no bfloat16")


def _cpu_flags() -> frozenset[str]:
    """The processor's feature flags; empty where the system doesn't tell them (macOS, Windows)."""
    if platform.system() != "Linux":
        return frozenset()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()
