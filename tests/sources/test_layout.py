"""Labels are read off paths, in every layout the project knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.sources.layout import Label, Unlabelled, is_litter, label


def labels(*paths: str) -> list[tuple[str, str | None] | str]:
    """(class, split) of each path, or the reason why it has none."""
    found = label(paths, "source")
    return [(item.class_name, item.split) if isinstance(item, Label) else item.reason for item in found]


NO_CLASS = "no class: neither in a class folder nor named like cat.0.jpg"
OUTSIDE = "outside the train, validation and test folders"
CAT, DOG = ("cat", None), ("dog", None)


def test_a_folder_per_class() -> None:
    assert labels("cat/1.jpg", "dog/1.jpg") == [CAT, DOG]
    assert labels("cat/2019/a/1.jpg", "cat/1.jpg", "dog/2020/1.jpg") == [CAT, CAT, DOG]


def test_flat_names() -> None:
    assert labels("cat.0.jpg", "dog.12.jpg") == [CAT, DOG]
    assert labels("golden.retriever.7.jpg", "a.1.b.2.jpg") == [("golden.retriever", None), ("a", None)]
    assert labels("cat.1", "dog.2") == [CAT, DOG]


@pytest.mark.parametrize("wrap", ["", "data/", "a/b/c/", "train/", "PetImages/", "test/"])
def test_folders_that_wrap_everything_do_not_matter(wrap: str) -> None:
    for paths in (["cat/1.jpg", "dog/1.jpg"], ["cat.0.jpg", "dog.1.jpg"], ["cat/x/1.jpg", "dog/1.jpg"]):
        assert labels(*(wrap + path for path in paths)) == [CAT, DOG]


@pytest.mark.parametrize("wrap", ["", "data/", "a/b/"])
@pytest.mark.parametrize("validation", ["validation", "val", "valid", "Validation"])
def test_splits(wrap: str, validation: str) -> None:
    expected = [(name, split) for split in ("train", "validation", "test") for name in ("cat", "dog")]
    for cat, dog in (("cat/1.jpg", "dog/1.jpg"), ("cat.0.jpg", "dog.1.jpg")):
        paths = [f"{wrap}{split}/{name}" for split in ("train", validation, "test") for name in (cat, dog)]
        assert labels(*paths) == expected


def test_a_source_may_lack_a_split() -> None:
    assert labels("train/cat/1.jpg", "test/cat/2.jpg") == [("cat", "train"), ("cat", "test")]
    assert labels("train/cat/1.jpg", "val/dog/2.jpg") == [("cat", "train"), ("dog", "validation")]


def test_without_training_images_it_is_refused() -> None:
    with pytest.raises(InputError, match="source: found test and val, but no train folder: add one"):
        label(["val/cat/1.jpg", "test/dog/1.jpg"], "source")


def test_kaggle_ships_unlabelled_test_images() -> None:
    assert labels("train/cat.0.jpg", "train/dog.0.jpg", "test1/1.jpg") == [CAT, DOG, OUTSIDE]
    assert labels("train/cat.0.jpg", "train/dog.0.jpg", "test/1.jpg") == [("cat", "train"), ("dog", "train"), NO_CLASS]


def test_a_class_may_be_called_train() -> None:
    assert labels("train/1.jpg", "bus/1.jpg", "tram/1.jpg") == [("train", None), ("bus", None), ("tram", None)]


def test_stray_images_have_no_class() -> None:
    assert labels("cat/1.jpg", "dog/1.jpg", "stray.jpg") == [CAT, DOG, NO_CLASS]
    assert labels("cat/1.jpg", "dog/1.jpg", "cat.0.jpg") == [CAT, DOG, NO_CLASS]
    assert labels("cat.1.jpg", "dog.1.jpg", "new/1.jpg") == [CAT, DOG, NO_CLASS]
    assert labels("stray.jpg") == [NO_CLASS]
    assert label([], "source") == []


def test_one_class_keeps_its_folder() -> None:
    assert labels("cat/1.jpg", "cat/2.jpg") == [CAT, CAT]
    assert labels("data/cat/1.jpg", "data/cat/2.jpg") == [CAT, CAT]


def test_capitals_tell_classes_apart_and_normal_forms_do_not() -> None:
    assert labels("Cat/1.jpg", "cat/1.jpg") == [("Cat", None), CAT]
    assert labels("caf\u00e9/1.jpg", "cafe\u0301/1.jpg", "dog/1.jpg")[:2] == [("caf\u00e9", None)] * 2


@pytest.mark.parametrize("name", ["nan", "1e3", "=cmd()", "a,b", "a\nb", "-rf", " ", "C:", "a\\b", "x" * 255])
def test_class_names_come_as_they_are(name: str) -> None:
    assert labels(f"{name}/1.jpg", "dog/1.jpg") == [(name, None), DOG]


@given(st.lists(st.lists(st.text("abctrainvlest.0123", min_size=1, max_size=8), min_size=1, max_size=4), max_size=12))
def test_any_paths_have_labels_or_reasons(parts: list[list[str]]) -> None:
    paths = ["/".join(path) for path in parts]
    try:
        found = label(paths, "source")
    except InputError:
        return
    assert len(found) == len(paths)
    assert all(isinstance(item, Label | Unlabelled) for item in found)
    assert {item.split for item in found if isinstance(item, Label)} <= {None, "train", "validation", "test"}


def test_litter() -> None:
    assert all(
        map(is_litter, [".DS_Store", "._cat.jpg", "Thumbs.db", "thumbs.DB", "__MACOSX", "desktop.ini", "@eaDir"])
    )
    assert not any(map(is_litter, ["cat", "thumbs", "_", "0"]))
