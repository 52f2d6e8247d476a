"""Generated photographs: as large in pixels and bytes, and as slow to decode, as small real ones."""

import io

import numpy as np
from PIL import Image

# Real photographs of 200 × 200 pixels in JPEG are 5 to 10 kB; with these numbers so are the generated ones.
_PATCHES = 12
_NOISE = 6.0
_QUALITY = 85


def jpeg(number: int, side: int) -> bytes:
    """Return a JPEG of ``side`` × ``side`` pixels: soft patches of colour with some noise.

    Args:
        number: each gives another picture, always the same one.
        side: pixels.
    """
    generator = np.random.default_rng(number)
    patches = generator.integers(0, 256, (_PATCHES, _PATCHES, 3), dtype=np.uint8)
    smooth = Image.fromarray(patches).resize((side, side), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth, np.float32) + generator.normal(0, _NOISE, (side, side, 3))
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
