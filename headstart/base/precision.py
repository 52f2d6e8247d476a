"""Which arithmetic the base runs in: float32, or bfloat16 where the machine computes it in hardware."""

import os
import platform
from pathlib import Path
from typing import Literal, NamedTuple

from headstart.base.lazy import tf
from headstart.foundation.errors import InputError

Setting = Literal["auto", "float32", "bfloat16"]

# Processor flags, as Linux names them, of instructions that multiply bfloat16 matrices. Without one
# of them bfloat16 is emulated and several times slower than float32.
_CPU_FLAGS = ("amx_bf16", "avx512_bf16")
# Those with which oneDNN takes bfloat16 at all, be it emulated. Without one of them TensorFlow leaves it to Eigen,
# whose sums depend on the number of threads: see runtime.py.
_ONEDNN_FLAGS = ("avx512f", "avx_ne_convert")
# NVIDIA's compute capability from which bfloat16 runs on tensor cores (Ampere).
_GPU_CAPABILITY = (8, 0)


class Precision(NamedTuple):
    """What was chosen."""

    # Keras's name for it: ``float32``, or ``mixed_bfloat16``, which computes in bfloat16 and keeps the weights in
    # float32.
    policy: str
    reason: str  # why, in a few words, for people


def choose(setting: Setting) -> Precision:
    """Return the precision that ``setting`` means on this machine. Imports TensorFlow.

    Raises:
        InputError: ``bfloat16`` on a processor that has none.
    """
    if setting == "float32":
        return Precision("float32", "float32, as params.yaml says")
    if setting == "bfloat16":
        gpu = _for_gpu()
        if gpu.policy == "float32" if gpu else not cpu_has_bfloat16():
            raise InputError(
                f"params.yaml: precision: found bfloat16, but this {'GPU' if gpu else 'processor'} has no instructions "
                "for it: choose auto or float32"
            )
        return Precision("mixed_bfloat16", "bfloat16, as params.yaml says")
    return _for_gpu() or for_cpu(_cpu_flags())


def for_cpu(flags: frozenset[str]) -> Precision:
    """Return the faster precision on a processor with these flags."""
    found = [flag for flag in _CPU_FLAGS if flag in flags]
    if found:
        return Precision("mixed_bfloat16", f"bfloat16, since this processor has {found[0]}")
    return Precision("float32", "float32, since this processor has no bfloat16 instructions")


def cpu_has_bfloat16() -> bool:
    """Whether this processor computes bfloat16 by oneDNN, as far as the system tells."""
    flags = _cpu_flags()
    return not flags or any(flag in flags for flag in _ONEDNN_FLAGS)


def _for_gpu() -> Precision | None:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    name = details.get("device_name", "this GPU")
    if details.get("compute_capability", (0, 0)) >= _GPU_CAPABILITY:
        return Precision("mixed_bfloat16", f"bfloat16, since {name} has it")
    return Precision("float32", f"float32, since {name} has no bfloat16")


def _cpu_flags() -> frozenset[str]:
    """The processor's feature flags; empty where the system doesn't list them (macOS, Windows)."""
    if platform.system() != "Linux":
        return frozenset()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("flags"):
            return _limited(frozenset(line.partition(":")[2].split()), os.environ.get("ONEDNN_MAX_CPU_ISA", ""))
    return frozenset()


def _limited(flags: frozenset[str], limit: str) -> frozenset[str]:
    """Return the flags that oneDNN goes by where a person has told it to behave as on a lesser processor."""
    if limit.upper().startswith(("SSE", "AVX2")) or limit.upper() == "AVX":
        return frozenset(flag for flag in flags if not flag.startswith(("avx512", "amx")))
    if limit.upper() in ("AVX512_CORE", "AVX512_CORE_VNNI"):
        return flags - {"avx512_bf16", "amx_bf16"}
    return flags
