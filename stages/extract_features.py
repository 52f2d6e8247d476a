"""Run the frozen base once over every image, and over augmented views of the images that are trained on.

Writes data/features/images.npy, the base's outputs for every row of the manifest, and views.npy for the rows that are
trained on: the first ones, or all with folds. data/trunk/ has the outputs of an inner layer that fine-tuning starts
from, its images.npy only for the rows that are validated or tested on: the last ones, or all with folds. Where
test_time_flip asks for it, data/flipped/ has both of these rows mirrored. All are float16. An interrupted run goes on
from where it stopped.
"""

import os
import shutil
from pathlib import Path

from headstart.base import base, extraction, origin, precision, runtime, weights
from headstart.base.extraction import Extraction
from headstart.features import features
from headstart.foundation import arrays, paths, versions
from headstart.foundation.entry import run_stage
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import assignments, manifest
from headstart.settings.params import load


def main() -> None:
    """Read params.yaml, extract, bring the finished arrays to their places."""
    params = load()
    settings = params.extract_features
    frame = manifest.read(paths.MANIFEST)
    spans = assignments.spans(frame)
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
        files=[paths.PREPARED / path for path in frame["path"]],
        sha256s=list(frame["sha256"]),
        plain=range(len(frame)),
        trunk=spans.unseen,
        flipped=spans.unseen if params.test_time_flip else range(0),
        viewed=spans.trained,
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
        origin=origin.read(),
        image_size=framing.size,
        batch_size=settings.batch_size,
        fit=framing.fit,
        white_level=framing.white,
        policy=chosen.policy,
        blocks=base.blocks(whole),
        # Of a base that gives only zeros there is nothing to scale.
        feature_rms=arrays.root_mean_square(paths.FEATURES / "images.npy", len(spans.trained)) or 1.0,
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
