"""Draw plots/augmentation.png: a few training images, each beside nine random changes of it.

It can be looked at, and the augmentation changed, before the base has run.
"""

from headstart.base import runtime
from headstart.features import preview
from headstart.foundation import paths
from headstart.foundation.entry import run_stage
from headstart.foundation.framing import Framing
from headstart.images import manifest
from headstart.settings.params import load


def main() -> None:
    """Draw the sheet and say where it is."""
    params = load()
    runtime.start(params.seed)
    extracted = params.extract_features
    framing = Framing(extracted.image_size, extracted.fit, params.prepare.white_level)
    preview.draw(manifest.read(paths.MANIFEST), params.augmentation, framing, params.seed)
    print(f"What augmentation does to training images: {paths.PREVIEW}")


if __name__ == "__main__":
    run_stage(main, __doc__)
