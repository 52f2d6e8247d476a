"""Run the frozen base once over every image, and over augmented views of the training images.

Writes data/features/{train,validation,test,train_views}.npy, the base's outputs, and data/trunk/, the
outputs of an inner layer that fine-tuning starts from. All are float16. An interrupted run goes on
from where it stopped.
"""

import os
from pathlib import Path

from stages.core import base, features, manifest, precision, runtime, weights
from stages.core.atomic import write_json
from stages.core.entry import run_stage
from stages.core.params import load
from stages.core.resume import Resumable
from stages.core.sections.backbone import Backbone
from stages.core.sections.features import Augmentation, ExtractFeatures
from stages.core.sections.general import load_general

PREPARED = Path("data/prepared")
WEIGHTS = Path("data/weights/base.npz")


def main() -> None:
    """Read params.yaml, extract, move the finished arrays to their places."""
    general, settings = load_general(), load("extract_features", ExtractFeatures)
    changes = load("augmentation", Augmentation)
    backbone = load("backbone", Backbone)
    frame = manifest.read(PREPARED / "manifest.csv")
    runtime.start(general.seed)
    chosen = precision.choose(general.precision)
    runtime.set_policy(chosen.policy)
    whole = base.build(weights.load(WEIGHTS), settings.image_size, chosen.policy)
    trunk = None if settings.trunk == "none" else settings.trunk
    if trunk:
        base.check_layer(whole, trunk, "extract_features.trunk")

    print(f"{backbone.name} at {settings.image_size} × {settings.image_size} pixels, {chosen.reason}")
    files = {
        split: [PREPARED / path for path in frame.loc[frame["split"] == split, "path"]]
        for split in ("train", "validation", "test")
    }
    work = features.Work(
        files=files,
        sha256s=list(frame.loc[frame["split"] == "train", "sha256"]),
        image_size=settings.image_size,
        batch_size=settings.batch_size,
        views=settings.views,
        augmentation=changes,
        seed=general.seed,
    )
    inputs = [PREPARED / "manifest.csv", WEIGHTS]
    state = Resumable("extract_features", (general, backbone, settings, changes, chosen.policy), inputs)
    finished = features.extract(whole, trunk, work, state)
    features.FEATURES.mkdir(parents=True, exist_ok=True)
    features.TRUNK.mkdir(parents=True, exist_ok=True)
    for name, path in finished.items():
        os.replace(path, name)
    record = {
        "base": backbone.name,
        "image_size": settings.image_size,
        "policy": chosen.policy,
        "trunk": trunk,
        "views": settings.views,
    }
    write_json(features.FEATURES / "extraction.json", record)
    state.discard()


if __name__ == "__main__":
    run_stage(main, __doc__)
