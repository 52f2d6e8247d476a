"""What is measured is the run's own: its networks, at their sizes."""

import json
from pathlib import Path

import pytest

from headstart.planning import durations, space
from tests.planning.small import Small

pytest_plugins = ["tests.planning.fixtures"]
_STRATEGIES = {
    "train_scratch": "scratch",
    "train_scratch_augmented": "scratch_augmented",
    "train_head": "head",
    "train_augmented": "augmented",
    "finetune": "finetune",
}


def test_networks_are_those_that_the_stages_train(small: Small) -> None:
    for stage, strategy in _STRATEGIES.items():
        model = json.loads((small.project.folder / "models" / strategy / "model.json").read_text())
        trained = small.measured.trainings[stage].trained
        assert trained == model["trained_parameters"], stage


def test_the_base_is_described_as_it_is(small: Small) -> None:
    base = small.measured.base
    assert (base.features, base.trunk, base.cut, base.cut_is_kept) == ((1, 1, 512), (3, 3, 512), (3, 3, 512), True)
    assert base.weights == 14_714_688
    assert base.patterns == 2
    # Three of VGG16's thirteen convolutions, at 3 × 3 of 48 × 48 positions.
    assert 0.05 < base.above_cut == base.above_trunk < 0.2


def test_every_time_was_taken(small: Small) -> None:
    measured = small.measured
    for name in ("check", "decode", "build", "image", "augment", "scratch_augment", "resampled", "multiplications"):
        assert getattr(measured, name) > 0, name
    assert all(min(one.build, one.compile, one.example) > 0 for one in measured.trainings.values())
    assert 10**8 < measured.memory < 10**10
    found = durations.of_stages(small.params, small.counts, measured)
    assert all(0 <= seconds.likely <= seconds.most for seconds in found.values())


def test_disk_is_what_the_stages_write(small: Small) -> None:
    folder = small.project.folder
    written = space.of_stages(small.params, small.counts, small.measured)
    outputs = {
        "backbone": ["data/weights/base.npz"],
        "prepare": ["data/prepared/train", "data/prepared/validation", "data/prepared/test"],
        "preview": ["plots/augmentation.png"],
        "extract_features": ["data/features", "data/trunk", "data/flipped"],
        **{stage: [f"models/{strategy}", f"metrics/{strategy}"] for stage, strategy in _STRATEGIES.items()},
        "evaluate": ["plots/evaluation", "metrics/evaluation.json", "metrics/comparison.json"],
        "explain": ["plots/explain"],
    }
    sizes = {stage: sum(bytes_of(folder / name) for name in names) for stage, names in outputs.items()}
    for stage in ("backbone", "prepare", "extract_features"):
        assert written[stage] == pytest.approx(sizes[stage], rel=0.1), stage
    # Beside the winner: a plan takes it for one that stands on the base, and here it need not be.
    assert space.copied(written) == pytest.approx(sum(sizes.values()), rel=0.1), sizes
    assert sum(written.values()) - space.copied(written) >= bytes_of(folder / "models/winner")


def bytes_of(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
