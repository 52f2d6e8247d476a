"""The precisions that tests compute in: bfloat16 only where the pipeline would."""

import pytest

from headstart.base import precision

needs_bfloat16 = pytest.mark.skipif(not precision.cpu_has_bfloat16(), reason="this processor has no bfloat16")
BFLOAT16 = pytest.param("mixed_bfloat16", marks=needs_bfloat16)
POLICIES = ["float32", BFLOAT16]
