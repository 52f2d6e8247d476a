"""Images are counted as `prepare` draws them, before it has."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.images import manifest
from headstart.planning import counts
from headstart.settings import params
from tests.pipeline import ROOT, run, write_params
from tests.planning.small import Small

pytest_plugins = ["tests.planning.fixtures"]

SETTINGS = params.load(ROOT / "presets/quick.yaml").prepare.model_copy(
    update={"train": 3, "validation": 0.25, "test": 2}
)


def test_the_source_and_the_manifest_give_the_same(small: Small) -> None:
    with contextlib.chdir(small.project.folder):
        prepared = counts.count(small.params, prepared=True)
    found = small.counts
    assert (found.train, found.validation, found.test, found.classes) == (18, 12, 12, 3)
    assert (prepared.train, prepared.validation, prepared.test, prepared.classes) == (18, 12, 12, 3)
    assert found.mean_bytes == pytest.approx(prepared.mean_bytes, rel=0.05)


def test_fractions_are_counted_as_prepare_draws_them(pipeline: Path) -> None:
    write_params(prepare__train=0.55, prepare__validation=0.2, prepare__test=0.25)
    found = counts.count(params.load(), prepared=False)
    run("prepare")
    sizes = manifest.read(Path("data/prepared/manifest.csv"))["split"].value_counts()
    assert (found.train, found.validation, found.test) == tuple(sizes[name] for name in manifest.SPLITS)


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(8, 1000), min_size=2))
def test_every_class_gives_its_share(classes: dict[str, int]) -> None:
    settings = SETTINGS.model_copy(update={"train": 0.5, "validation": 0.25, "test": 0.25})
    found = counts.divided({(None, name): size for name, size in classes.items()}, settings, "a set")
    assert sum(found) == sum(classes.values())


def test_a_source_that_is_split_feeds_what_it_lacks_from_its_training_images() -> None:
    pools: dict[tuple[str | None, str], int] = {
        ("train", "ant"): 20,
        ("train", "bee"): 20,
        ("validation", "ant"): 8,
        ("validation", "bee"): 12,
    }
    assert counts.divided(pools, SETTINGS, "a set") == (6, 20, 4)


def test_too_few_images_are_told() -> None:
    with pytest.raises(InputError, match=r"a set: too few images: class 'ant' has 4, asked for are 3 train \+ "):
        counts.divided({(None, "ant"): 4, (None, "bee"): 40}, SETTINGS, "a set")


def test_an_entry_of_the_catalog_is_counted_before_it_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = params.load(ROOT / "presets/quick.yaml")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/catalog").symlink_to(ROOT / "data/catalog")
    monkeypatch.chdir(tmp_path)
    found = counts.count(settings, prepared=False)
    assert (found.train, found.validation, found.test, found.classes) == (300, 200, 1000, 10)
    assert found.download == 47040016 + 60008 + 7840016 + 10008
