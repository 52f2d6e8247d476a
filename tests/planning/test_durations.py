"""Seconds follow from the amounts of work and what a unit of it takes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.planning import durations, memory
from headstart.planning.counts import Counts, divided
from headstart.settings import params
from headstart.settings.schema import Params
from tests.pipeline import ROOT
from tests.planning.small import machine, training

CHAPTER = params.load(ROOT / "presets/chapter.yaml")
COUNTS = Counts(train=2000, validation=1000, test=2000, classes=2, mean_bytes=20_000)
MACHINE = machine()
# Python, TensorFlow, and what DVC does around a stage.
START = 1.25 + 2
# Compiling what answers, and the steps.
ANSWERS, STEPS = 2, 1


def changed(section: str, **values: Any) -> Params:
    return CHAPTER.model_copy(update={section: getattr(CHAPTER, section).model_copy(update=values)})


def seconds(stage: str, settings: Params = CHAPTER, counts: Counts = COUNTS) -> float:
    return durations.of_stages(settings, counts, MACHINE)[stage].likely


def test_extraction_is_passes_of_the_base() -> None:
    # 2,000 images that train, 3,000 others, these mirrored too, and 8,000 views; in batches of 32.
    plain = 2016 + 2 * 3008
    passes = (plain + 4 * 2016) * 0.1 + 4 * 2016 * 0.01
    assert seconds("extract_features") == pytest.approx(START + 3 + passes, abs=5000 * 0.002)


def test_a_training_is_its_epochs() -> None:
    """And what it says in the end of validation and test images, mirrored ones as well."""
    once = 1 + 20 * (2000 + 1000 / 3) * 0.01 + 2 * 3000 / 3 * 0.01
    assert seconds("train_head") == pytest.approx(START + ANSWERS + STEPS + once)
    repeated = CHAPTER.model_copy(update={"repeats": 3})
    assert seconds("train_head", repeated) == pytest.approx(START + ANSWERS + STEPS + 3 * once)
    assert seconds("finetune", repeated) == seconds("finetune")


def test_with_folds_a_strategy_trains_on_each_and_once_on_everything() -> None:
    settings = changed("prepare", folds=5, train="auto", test="auto", validation=0.25)
    settings = settings.model_copy(update={"repeats": 2, "test_time_flip": False})
    counts = Counts(*divided({(None, "cat"): 500, (None, "dog"): 500}, settings.prepare, ""), 2, mean_bytes=20_000)
    assert (counts.train, counts.validation, counts.test, counts.images) == (600, 200, 200, 1000)
    fold = 1 + 20 * (600 + 200 / 3) * 0.01 + 400 / 3 * 0.01
    kept = 1 + 20 * (750 + 250 / 3) * 0.01 + 250 / 3 * 0.01
    assert seconds("train_head", settings, counts) == pytest.approx(START + ANSWERS + STEPS + 2 * 5 * fold + kept)
    # Every image is extracted as it is and in four views.
    passes = 1024 * 0.1 + 4 * 1024 * 0.11
    assert seconds("extract_features", settings, counts) == pytest.approx(START + 3 + passes, abs=1000 * 0.002)


def test_a_probe_is_passes_over_pooled_features_for_each_penalty() -> None:
    # 2,000 images of 512 channels, ten penalties of 40 steps, forward and back.
    once = 10 * 40 * 2 * 2000 * 512 / 1e10
    assert seconds("train_probe") == pytest.approx(START + ANSWERS + once)
    repeated = CHAPTER.model_copy(update={"repeats": 3})
    assert seconds("train_probe", repeated) == seconds("train_probe")
    more = seconds("train_probe", counts=replace(COUNTS, classes=5)) - seconds("train_probe")
    assert more == pytest.approx(4 * once)


def test_early_stopping_makes_a_range() -> None:
    found = durations.of_stages(changed("train_head", epochs=20, patience=5), COUNTS, MACHINE)["train_head"]
    assert found.likely < found.most == pytest.approx(seconds("train_head"))


def test_without_kept_views_every_epoch_runs_the_base() -> None:
    online = changed("extract_features", views=0)
    more = seconds("train_augmented", online) - seconds("train_augmented")
    assert more == pytest.approx(2 + 50 * 2000 * 0.11, rel=0.02)


def test_without_a_trunk_fine_tuning_runs_the_layers_below_once() -> None:
    bare = replace(MACHINE, base=replace(MACHINE.base, trunk=None, cut_is_kept=False, above_trunk=1.0))
    more = durations.of_stages(CHAPTER, COUNTS, bare)["finetune"].likely - seconds("finetune")
    assert more == pytest.approx((4 * 2000 + 2 * 3000) * 0.1 * 0.9)


def test_a_download_is_counted() -> None:
    assert seconds("prepare", counts=replace(COUNTS, download=10**9)) - seconds("prepare") == pytest.approx(100)


@given(
    train=st.integers(2, 5000),
    validation=st.integers(2, 2000),
    test=st.integers(2, 5000),
    more=st.sampled_from(["train", "validation", "test"]),
)
def test_more_images_never_take_less(train: int, validation: int, test: int, more: str) -> None:
    counts = Counts(train, validation, test, classes=5, mean_bytes=1000)
    larger = replace(counts, **{more: 2 * getattr(counts, more)})
    fewer, many = (durations.of_stages(CHAPTER, found, MACHINE) for found in (counts, larger))
    for stage in fewer:
        assert 0 < fewer[stage].likely <= fewer[stage].most
        assert fewer[stage].likely <= many[stage].likely
    peaks = memory.of_stages(CHAPTER, counts, MACHINE)
    assert all(peaks[stage] <= size for stage, size in memory.of_stages(CHAPTER, larger, MACHINE).items())


def test_the_slower_machine_takes_longer() -> None:
    slow = machine(finetune=training(example=0.02))
    assert durations.of_stages(CHAPTER, COUNTS, slow)["finetune"].likely > 1.5 * seconds("finetune")
