"""Run the frozen base once over every image, and over augmented views of the training images.

Writes data/features/{train,validation,test,train_views}.npy, the base's outputs, and data/trunk/, the
outputs of an inner layer that fine-tuning starts from; both of mirrored validation and test images in
data/flipped/ where test_time_flip asks for them. All are float16. An interrupted run goes on
from where it stopped.
"""

import os
import shutil
from pathlib import Path

from headstart.base import base, extraction, precision, runtime, weights
from headstart.base.extraction import Extraction
from headstart.features import features
from headstart.foundation import arrays, paths, versions
from headstart.foundation.entry import run_stage
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.settings.params import load


def main() -> None:
    """Read params.yaml, extract, bring the finished arrays to their places."""
    params = load()
    settings = params.extract_features
    frame = manifest.read(paths.MANIFEST)
    files = {
        split: [paths.PREPARED / path for path in frame.loc[frame["split"] == split, "path"]]
        for split in ("train", "validation", "test")
    }
    runtime.start(params.seed)
    chosen = precision.choose(params.precision)
    runtime.set_policy(chosen.policy)
    whole = base.build(params.backbone.name, weights.load(paths.WEIGHTS), settings.image_size)
    trunk = base.trunk(whole, settings.trunk)

    print(f"{params.backbone.name} at {settings.image_size} × {settings.image_size} pixels, {chosen.reason}")
    if trunk:
        print(f"for finetune: the output of {trunk}")
    framing = Framing(settings.image_size, settings.fit, params.prepare.white_level)
    work = features.Work(
        files=files,
        plain=tuple(files),
        flipped=("validation", "test") if params.test_time_flip else (),
        sha256s=list(frame.loc[frame["split"] == "train", "sha256"]),
        views=tuple(range(settings.views)),
        framing=framing,
        batch_size=settings.batch_size,
        augmentation=params.augmentation,
        seed=params.seed,
        base=params.backbone.name,
    )
    state = Resumable(
        "extract_features",
        (params.seed, params.test_time_flip, params.backbone, settings, framing, params.augmentation, chosen.policy),
        [paths.MANIFEST, paths.WEIGHTS],
    )
    for name, file in features.extract(whole, trunk, work, state).items():
        _place(file, paths.DATA / f"{name}.npy")
    record = Extraction(
        base=params.backbone.name,
        image_size=framing.size,
        batch_size=settings.batch_size,
        fit=framing.fit,
        white_level=framing.white,
        policy=chosen.policy,
        blocks=base.blocks(whole),
        feature_rms=arrays.root_mean_square(paths.FEATURES / "train.npy") or 1.0,  # 1 for a base that gives only zeros
        versions=versions.installed(),
    )
    extraction.write(record, trunk, params.test_time_flip)
    state.discard()


def _place(file: Path, target: Path) -> None:
    """Put a finished file in its place and leave it with the continuing state as well.

    An interruption between two files then costs nothing: DVC deletes the outputs before the next
    run, and that finds everything finished.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(file, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(file, target)


if __name__ == "__main__":
    run_stage(main, __doc__)
