"""Labels are read off paths, in every layout the project knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.sources.layout import Label, Unlabelled, find, is_litter, label


def labels(*paths: str) -> list[tuple[str, str | None] | str]:
    """(class, split) of each path, or the reason why it has none."""
    found = label(paths, "source")
    return [(item.class_name, item.split) if isinstance(item, Label) else item.reason for item in found]


NO_CLASS = "no class: neither in a class folder nor named like cat.0.jpg"
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
    in_train = [("cat", "train"), ("dog", "train"), NO_CLASS]
    assert labels("train/cat.0.jpg", "train/dog.0.jpg", "test1/1.jpg") == in_train
    outside = "outside the train folder: in 'pred'"
    assert labels("train/cat.0.jpg", "train/dog.0.jpg", "pred/1.jpg") == [CAT, DOG, outside]
    assert labels("train/cat.0.jpg", "train/dog.0.jpg", "test/1.jpg") == [("cat", "train"), ("dog", "train"), NO_CLASS]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("seg_train", "seg_test"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("training_set", "test_set"),
        ("training_set/training_set", "test_set/test_set"),
        ("Train_Data", "Test-Images"),
        ("trainImages", "testImages"),
        ("train2017", "test2017"),
        ("TRAINSET", "TESTSET"),
        ("intel_train", "intel_test"),
        ("training", "evaluation"),
        ("train/images", "test/images"),
    ],
)
def test_splits_are_known_by_their_names_with_what_is_around_them(train: str, test: str) -> None:
    for pictures in (("cat/1.jpg", "dog/1.jpg"), ("cat.0.jpg", "dog.1.jpg"), ("cat/a/1.jpg", "dog/b/c/1.jpg")):
        paths = [f"{split}/{picture}" for split in (train, test) for picture in pictures]
        expected = [(name, split) for split in ("train", "test") for name in ("cat", "dog")]
        assert labels(*paths) == expected


def test_a_folder_beside_the_splits_that_is_none_is_named() -> None:
    found = labels("seg_train/a/1.jpg", "seg_train/b/1.jpg", "seg_test/a/1.jpg", "seg_pred/1.jpg")
    outside = "outside the seg_test and seg_train folders: in 'seg_pred'"
    assert found == [("a", "train"), ("b", "train"), ("a", "test"), outside]


def test_words_for_splits_in_names_of_classes_make_no_splits() -> None:
    assert labels("train_station/1.jpg", "airport/1.jpg") == [("train_station", None), ("airport", None)]
    assert labels("positive_test/1.jpg", "negative_test/1.jpg") == [("positive_test", None), ("negative_test", None)]


def test_splits_may_be_inside_the_classes() -> None:
    paths = [f"{name}/{split}/1.jpg" for name in ("cat", "dog") for split in ("train", "val", "test")]
    splits = ("train", "validation", "test")
    assert labels(*paths) == [(name, split) for name in ("cat", "dog") for split in splits]


def test_words_before_numbers_in_a_flat_folder_are_classes_and_that_is_told() -> None:
    paths = [f"images/{name}_{number}.jpg" for name in ("Abyssinian", "Egyptian_Mau") for number in (1, 2)]
    found = find(paths, "source")
    assert [item.class_name for item in found.labels if isinstance(item, Label)] == [
        "Abyssinian",
        "Abyssinian",
        "Egyptian_Mau",
        "Egyptian_Mau",
    ]
    assert found.notes == [
        "classes are the words before the numbers in the files' names, as 'Abyssinian' in 'Abyssinian_1.jpg': set "
        "prepare.pattern if that is wrong"
    ]
    assert labels("train/rose (1).jpg", "train/rose (2).jpg", "train/lily 1.jpg", "train/lily 2.jpg")[3] == (
        "lily",
        None,
    )


@pytest.mark.parametrize(
    "paths",
    [
        ["IMG_1.jpg", "IMG_2.jpg", "DSC_1.jpg", "DSC_2.jpg"],  # cameras
        ["cat_1.jpg", "cat_2.jpg", "dog_1.jpg"],  # too few to be sure
        ["cat_1.jpg", "cat_2.jpg", "dog_1.jpg", "dog_2.jpg", "other.jpg"],
        ["p1_a_1.jpg", "p1_a_2.jpg", "p2_a_1.jpg", "p2_a_2.jpg"],
        ["train_1.jpg", "train_2.jpg", "test_1.jpg", "test_2.jpg"],
    ],
)
def test_words_that_may_be_no_classes_are_none(paths: list[str]) -> None:
    assert labels(*paths) == [NO_CLASS] * len(paths)


def test_which_class_a_folder_is_of() -> None:
    found = find(["data/train/cat/1.jpg", "data/train/dog/1.jpg", "data/val/cat/2.jpg"], "source")
    folders = ["data/train/emu", "data/train/emu/2019", "data/val/fox", "data/train", "data", "data/pred/emu", "docs"]
    assert [found.class_of_folder(folder) for folder in folders] == ["emu", "emu", "fox", None, None, None, None]
    flat = find(["cat.0.jpg", "dog.0.jpg"], "source")
    assert flat.class_of_folder("emu") is None


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
