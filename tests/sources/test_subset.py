"""The subset holds the right images, each once, as they are; what is missing from it is accounted for."""

import hashlib
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.settings.params import load
from headstart.sources import split
from headstart.sources.reading import Reading
from headstart.sources.source import Source, SourceImage
from headstart.sources.sources import open_source
from headstart.sources.subset import Subset, draw
from tests.pictures import encode, fill, jpeg, pixels, two_classes

ROOT = Path(__file__).parents[2]
Draw = Callable[..., Subset]


@pytest.fixture
def drawn(tmp_path: Path) -> Draw:
    """Draws from files, or from the source at a path, to ``tmp_path/prepared``."""

    def draw_from(
        files: dict[str, bytes] | Path, *counts: int | float, order: split.Order = "number", seed: int = 1
    ) -> Subset:
        path = files if isinstance(files, Path) else fill(tmp_path / "source", files)
        target = tmp_path / "prepared"
        target.mkdir()
        with open_source(path, tmp_path) as source:
            return draw(source, target, dict(zip(("train", "validation", "test"), counts, strict=True)), order, seed)

    return draw_from


def paths(subset: Subset) -> list[str]:
    """The paths of the manifest."""
    return subset.frame["path"].tolist()


def test_the_chapters_split_is_by_number(drawn: Draw, tmp_path: Path) -> None:
    files = {
        f"train/{name}.{number}.jpg": jpeg(number + 99 * (name == "dog"))
        for name in ("cat", "dog")
        for number in range(12)
    }
    subset = drawn(files, 2, 1, 8)
    expected = {"train": range(2), "validation": range(2, 3), "test": range(3, 11)}
    assert paths(subset) == [
        f"{split}/{name}/{name}.{number}.jpg"
        for split, numbers in expected.items()
        for name in ("cat", "dog")
        for number in numbers
    ]
    for row in subset.frame.itertuples():
        data = (tmp_path / "prepared" / str(row.path)).read_bytes()
        assert data == files[f"train/{Path(str(row.path)).name}"]
        assert row.sha256 == hashlib.sha256(data).hexdigest()
        assert (row.width, row.height) == (32, 24)
    assert sorted(path.name for path in (tmp_path / "prepared").iterdir()) == ["test", "train", "validation"]
    assert subset.dropped == []


def test_a_random_split_is_stratified_and_repeats(drawn: Draw, tmp_path: Path) -> None:
    subset = drawn(two_classes(30), 10, 5, 10, order="random")
    counts = subset.frame.groupby(["split", "class"]).size().to_dict()
    assert counts == {(s, c): n for s, n in (("train", 10), ("validation", 5), ("test", 10)) for c in ("cat", "dog")}
    assert subset.frame["sha256"].is_unique
    (tmp_path / "prepared").rename(tmp_path / "first")
    again = drawn(tmp_path / "source", 10, 5, 10, order="random")
    assert again.frame.equals(subset.frame)
    (tmp_path / "prepared").rename(tmp_path / "second")
    assert not drawn(tmp_path / "source", 10, 5, 10, order="random", seed=2).frame.equals(subset.frame)


def test_fractions_are_of_the_usable_images(drawn: Draw) -> None:
    files = {**two_classes(10), "cat/broken.jpg": jpeg(1)[:100], "cat/copy.jpg": jpeg(0)}
    subset = drawn(files, 0.6, 0.2, 0.2)
    assert subset.frame.groupby(["split", "class"]).size().unstack().to_dict() == {
        "cat": {"train": 6, "validation": 2, "test": 2},
        "dog": {"train": 6, "validation": 2, "test": 2},
    }


def test_each_split_is_drawn_from_its_own_folder(drawn: Draw) -> None:
    files = {
        f"{folder}/{name}/{number}.jpg": jpeg(number + 100 * place)
        for place, (folder, name) in enumerate(
            (folder, name) for folder in ("train", "val", "test") for name in ("cat", "dog")
        )
        for number in range(4)
    }
    subset = drawn(files, 0.6, 2, 0.2)
    assert paths(subset) == [
        *(f"train/{name}/{number}.jpg" for name in ("cat", "dog") for number in range(4)),
        *(f"validation/{name}/{number}.jpg" for name in ("cat", "dog") for number in range(2)),
        *(f"test/{name}/{number}.jpg" for name in ("cat", "dog") for number in range(4)),
    ]
    assert subset.unused == {"cat": 2, "dog": 2}


def test_fractions_divide_the_whole_of_a_part_that_splits_share(drawn: Draw) -> None:
    files = {f"train/{name}": data for name, data in two_classes(8).items()}
    files |= {f"test/{name}/{n}.jpg": jpeg(500 + 10 * p + n) for p, name in enumerate(("cat", "dog")) for n in range(3)}
    subset = drawn(files, 0.6, 0.2, 0.2)
    counts = subset.frame.groupby(["split", "class"]).size().to_dict()
    assert counts == {(s, c): n for s, n in (("train", 6), ("validation", 2), ("test", 3)) for c in ("cat", "dog")}
    assert subset.unused == {"cat": 0, "dog": 0}


def test_what_is_left_over_is_counted(drawn: Draw) -> None:
    files = {**two_classes(10), "cat/broken.jpg": jpeg(1)[:100], "cat/copy.jpg": jpeg(0), "emu/1.jpg": jpeg(70)}
    files |= {f"emu/{number}.jpg": jpeg(70 + number) for number in range(2, 10)}
    assert drawn(files, 0.5, 0.2, 0.1).unused == {"cat": 2, "dog": 2, "emu": 2}


KINDS = {f"{name}/{kind} {n}.jpg": jpeg(20 * place + n) for place, (name, kind) in enumerate(
    [("cat", "balinese"), ("cat", "siamese"), ("dog", "beagle"), ("dog", "pug")]) for n in range(1, 21)
}  # fmt: skip


def test_kinds_that_the_order_of_names_puts_into_one_split_are_told(drawn: Draw, tmp_path: Path) -> None:
    subset = drawn(KINDS, 20, 10, 10)
    assert subset.notes == [
        "prepare.order=number follows the names, so that all images 'balinese…' of class 'cat' are in one split, "
        "or in none, and 1 more such kind: prepare.order=random mixes them"
    ]
    (tmp_path / "prepared").rename(tmp_path / "first")
    mixed = drawn(tmp_path / "source", 20, 10, 10, order="random")
    assert mixed.notes == []
    kinds = mixed.frame["path"].str.extract("([a-z]+)[^/]*$")[0]
    assert mixed.frame.groupby("split")["path"].count().to_dict() == {"train": 40, "validation": 20, "test": 20}
    assert all(set(group) == set(kinds) for _, group in kinds.groupby(mixed.frame["split"]))


def test_a_kind_of_which_nothing_is_drawn_is_told_too(drawn: Draw) -> None:
    (note,) = drawn(KINDS, 10, 5, 5).notes
    assert "'siamese…' of class 'cat' are in one split, or in none, and 1 more such kind" in note


def test_names_that_only_number_images_are_no_kinds(drawn: Draw) -> None:
    assert drawn(two_classes(12), 4, 2, 2).notes == []


def test_a_class_of_which_nothing_decodes_is_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    files = {**two_classes(5), "fox/1.jpg": b""}
    files |= {f"emu/{number}.jpg": jpeg(70 + number)[:-number] for number in range(5, 10)}
    (tmp_path / "prepared").mkdir()
    with open_source(fill(tmp_path / "source", files), tmp_path, Reading(empty_classes="leave_out")) as source:
        subset = draw(source, tmp_path / "prepared", {"train": 3, "validation": 1, "test": 1}, "number", 1)
    assert set(subset.frame["class"]) == {"cat", "dog"}
    assert len(subset.frame) == 10


def test_a_missing_split_is_drawn_from_the_training_images(drawn: Draw) -> None:
    files = {f"train/{name}": data for name, data in two_classes(5).items()}
    files |= {f"test/{name}/0.jpg": jpeg(500 + place) for place, name in enumerate(("cat", "dog"))}
    assert paths(drawn(files, 3, 2, 1)) == [
        *(f"train/{name}/{number}.jpg" for name in ("cat", "dog") for number in range(3)),
        *(f"validation/{name}/{number}.jpg" for name in ("cat", "dog") for number in (3, 4)),
        *(f"test/{name}/0.jpg" for name in ("cat", "dog")),
    ]


def test_broken_images_make_room_for_the_next(drawn: Draw) -> None:
    files = two_classes(12)
    files["cat/0.jpg"] = b""
    files["cat/3.jpg"] = files["cat/3.jpg"][:300]
    files["dog/1.jpg"] = b"<html>404</html>"
    files["dog/2.jpg"] = files["dog/11.jpg"] = b"\xff\x0a....."
    subset = drawn(files, 4, 2, 2)
    assert paths(subset)[:4] == [f"train/cat/{number}.jpg" for number in (1, 2, 4, 5)]
    assert {(item.name, item.class_name, item.reason) for item in subset.unusable} == {
        ("cat/0.jpg", "cat", "empty file"),
        ("cat/3.jpg", "cat", "truncated JPEG"),
        ("dog/1.jpg", "dog", "a web page: not supported"),
        ("dog/2.jpg", "dog", "a JPEG XL image: not supported"),
    }
    assert [item.name for item in subset.duplicates] == ["dog/11.jpg"]


def test_no_more_images_are_decoded_than_are_needed(drawn: Draw) -> None:
    files = two_classes(50)
    files |= {f"cat/{number}.jpg": b"broken %d" % number for number in (1, *range(30, 50))}
    subset = drawn(files, 3, 1, 1)
    assert [item.name for item in subset.unusable] == ["cat/1.jpg"]


def test_a_class_of_mostly_broken_images_is_filled_in_a_few_rounds(tmp_path: Path) -> None:
    reads: list[int] = []

    def read(place: int) -> bytes:
        reads.append(place)
        return jpeg(place) if place >= 397 else b"broken %d" % place

    images = [
        SourceImage(f"{place % 400}.jpg", name, None, partial(read, place), likeness=place)
        for place, name in enumerate(["dog"] * 400 + ["cat"] * 400)
    ]
    (tmp_path / "prepared").mkdir()
    subset = draw(Source("s", images), tmp_path / "prepared", {"train": 1, "validation": 1, "test": 1}, "number", 1)
    assert len(subset.unusable) == 397
    # Each round reads in the source's order, so wherever that goes back a round begins.
    assert sum(later < earlier for earlier, later in pairwise(reads)) <= 10


def test_hostile_names_become_portable_paths_and_classes_stay(drawn: Draw, tmp_path: Path) -> None:
    classes = ["nan", "1e3", "=cmd()", "a,b", "a\nb", "\u732b", "Cat", "cat", "CON", "-rf"]
    files = {f"{name}/{n}.jpg": jpeg(10 * place + n) for place, name in enumerate(classes) for n in range(3)}
    subset = drawn(files, 1, 1, 1)
    assert set(subset.frame["class"]) == set(classes)
    assert (
        subset.frame["path"].str.fullmatch(r"(train|validation|test)/[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9._-]+").all()
    )
    assert subset.frame["path"].str.lower().is_unique
    for row in subset.frame.itertuples():
        assert (tmp_path / "prepared" / str(row.path)).read_bytes() in files.values()


def test_equal_file_names_of_one_class_are_told_apart(drawn: Draw) -> None:
    files = {
        f"{name}/{sub}/1.jpg": jpeg(10 * p + q) for p, name in enumerate(("cat", "dog")) for q, sub in enumerate("abc")
    }
    subset = drawn(files, 1, 1, 1)
    assert len(subset.frame) == 6


def test_conflicts_and_leaks_are_dropped(drawn: Draw) -> None:
    files = {f"train/{name}": data for name, data in two_classes(6).items()}
    files |= {f"test/{name}": jpeg(700 + place) for place, name in enumerate(two_classes(3))}
    files["test/cat/9.jpg"] = files["train/cat/0.jpg"]
    files["train/dog/0.jpg"] = files["train/cat/1.jpg"]
    subset = drawn(files, 2, 1, 3)
    assert [item.name for item in subset.leaks] == ["train/cat/0.jpg"]
    assert {item.name for item in subset.conflicts} == {"train/dog/0.jpg", "train/cat/1.jpg"}
    assert subset.frame["sha256"].is_unique
    assert paths(subset)[:2] == ["train/cat/2.jpg", "train/cat/3.jpg"]


ADVICE = "add images, or lower prepare.train, prepare.validation or prepare.test"


def test_too_few_images_are_told_with_numbers(drawn: Draw) -> None:
    files = {**two_classes(5), "cat/5.jpg": jpeg(5), "cat/6.jpg": jpeg(0), "cat/7.jpg": b""}
    message = (
        r"source: too few usable images \(2 dropped: 1 × duplicate; 1 × empty file\): "
        r"class 'dog' has 5, needed are 6 \(3 train \+ 1 validation \+ 2 test\); " + ADVICE
    )
    with pytest.raises(InputError, match=message):
        drawn(files, 3, 1, 2)


def test_too_few_after_decoding_are_told_too(drawn: Draw) -> None:
    files = {**two_classes(5), "dog/4.jpg": b"text", "dog/3.jpg": b"txt"}
    with pytest.raises(InputError, match=r"\(2 dropped: 2 × text\): class 'dog' has 3, needed are 5 \(3 train"):
        drawn(files, 3, 1, 1)


def test_a_class_without_a_single_usable_image_is_told(drawn: Draw) -> None:
    files = {**two_classes(5), **{f"emu/{n}.jpg": jpeg(70 + n)[:-n] for n in (5, 6, 7)}}
    with pytest.raises(InputError, match=r"\(3 dropped: 3 × truncated JPEG\): class 'emu' has 0, needed are 3"):
        drawn(files, 1, 1, 1)


def test_too_few_in_a_split_of_the_source(drawn: Draw) -> None:
    files = {f"train/{name}": data for name, data in two_classes(5).items()}
    files |= {"test/cat/0.jpg": jpeg(900)}
    message = (
        r"class 'cat' \(test\) has 1, needed are 2 \(2 test\); class 'dog' \(test\) has 0, needed are 2 \(2 test\); add"
    )
    with pytest.raises(InputError, match=message):
        drawn(files, 1, 1, 2)


def test_too_few_for_a_fraction(drawn: Draw) -> None:
    message = "class 'cat' has 2, which 0.6 train + 0.2 validation + 0.2 test can't divide into one or more each; class"
    with pytest.raises(InputError, match=re.escape(message)):
        drawn(two_classes(2), 0.6, 0.2, 0.2)


def test_fractions_of_more_than_a_whole(drawn: Draw) -> None:
    message = "prepare.train=0.8 + prepare.validation=0.2 + prepare.test=0.2 add up to more than all images of a class"
    with pytest.raises(InputError, match=re.escape(message)):
        drawn(two_classes(5), 0.8, 0.2, 0.2)


def test_ten_thousand_classes_of_one_image_are_refused_at_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(10_000):
            archive.writestr(f"class {number}/0.jpg", b"%d" % number)
    (tmp_path / "prepared").mkdir()
    with open_source(tmp_path / "many.zip", tmp_path) as source, pytest.raises(InputError) as caught:
        draw(source, tmp_path / "prepared", {"train": 1, "validation": 1, "test": 1}, "number", 1)
    assert "class 'class 0' has 1, needed are 3 (1 train + 1 validation + 1 test); " in str(caught.value)
    assert "and 9,997 others; add images" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_every_format_is_copied_as_it_is(drawn: Draw, tmp_path: Path) -> None:
    kinds = ("PNG", "GIF", "WEBP", "BMP", "TIFF", "JPEG")
    files = {
        f"{name}/{n}.{kind}": encode(pixels(n + p), kind)
        for p, name in ((0, "cat"), (50, "dog"))
        for n, kind in enumerate(kinds)
    }
    subset = drawn(files, 4, 1, 1)
    copied = {(tmp_path / "prepared" / path).read_bytes() for path in paths(subset)}
    assert copied == set(files.values())


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_nothing_is_lost_and_nothing_is_twice(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever is in the folder: every image is drawn, dropped with a reason, or not needed."""
    contents = st.sampled_from([jpeg(1), jpeg(2), jpeg(3), jpeg(4), jpeg(5), jpeg(6), b"", b"text", jpeg(7)[:99]])
    names = st.sampled_from([f"{name}/{number}.jpg" for name in ("cat", "dog") for number in range(8)])
    files = data.draw(st.dictionaries(names, contents, max_size=16))
    counts = data.draw(st.sampled_from([(1, 1, 1), (2, 1, 1), (0.5, 0.25, 0.25), (1, 0.5, 1)]))
    folder = tmp_path_factory.mktemp("case")
    source_folder, target = fill(folder / "source", files), folder / "prepared"
    source_folder.mkdir(exist_ok=True)
    target.mkdir()
    try:
        with open_source(source_folder, folder) as source:
            subset = draw(source, target, dict(zip(("train", "validation", "test"), counts, strict=True)), "number", 1)
    except InputError:
        return
    dropped = {item.name for item in subset.dropped}
    assert len(dropped) == len(subset.dropped)
    assert all(item.reason for item in subset.dropped)
    kept = {
        f"{name}/{path.rpartition('/')[2]}" for name, path in zip(subset.frame["class"], paths(subset), strict=True)
    }
    assert len(kept) == len(subset.frame)
    assert subset.frame["sha256"].is_unique
    assert not kept & dropped
    assert kept | dropped <= set(files)
    written = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert written == set(paths(subset))


def grouped(sizes: dict[str, list[int]]) -> dict[str, bytes]:
    """Files of classes with groups of these sizes, each in a folder of its own."""
    numbers = iter(range(10_000))
    return {
        f"{name}/{name} {group}/{image}.jpg": jpeg(next(numbers))
        for name, groups in sizes.items()
        for group, size in enumerate(groups)
        for image in range(size)
    }


@pytest.mark.parametrize("counts", [(0.6, 0.2, 0.2), (0.5, 0.2, 0.1), (8, 4, 4)])
@pytest.mark.parametrize("order", ["number", "random"])
def test_groups_are_never_divided(tmp_path: Path, counts: tuple[int | float, ...], order: split.Order) -> None:
    files = grouped({"cat": [5, 3, 3, 4, 1, 2, 2, 6, 4], "dog": [7, 2, 2, 3, 3, 3, 5]})
    (tmp_path / "prepared").mkdir()
    with open_source(fill(tmp_path / "source", files), tmp_path, Reading(group="folder")) as source:
        asked = dict(zip(("train", "validation", "test"), counts, strict=True))
        subset = draw(source, tmp_path / "prepared", asked, order, 1)
    assert (subset.frame.groupby("group")["split"].nunique() == 1).all()
    assert set(subset.frame["group"]) <= {f"{name} {group}" for name in ("cat", "dog") for group in range(9)}
    found = Counter(zip(subset.frame["class"], subset.frame["split"], strict=True))
    for name, images in (("cat", 30), ("dog", 25)):
        for part, count in asked.items():
            wanted = count if isinstance(count, int) else round(count * images)
            assert found[name, part] > 0
            assert abs(found[name, part] - wanted) < 7
        assert sum(found[name, part] for part in asked) + subset.unused[name] == images
    if subset.notes:
        (note,) = subset.notes
        whole = (
            "groups stay whole, so [1-6] of the splits' classes differ from what was asked for, by up to [1-6] images"
        )
        assert re.fullmatch(whole, note)


def test_too_few_groups_are_told(tmp_path: Path) -> None:
    files = grouped({"cat": [5, 5], "dog": [3, 3, 3]})
    (tmp_path / "prepared").mkdir()
    message = "class 'cat' has 2 groups, too few to give one to each of train, validation, test: add groups, or set"
    with (
        open_source(fill(tmp_path / "source", files), tmp_path, Reading(group="folder")) as source,
        pytest.raises(InputError, match=re.escape(message)),
    ):
        draw(source, tmp_path / "prepared", {"train": 0.4, "validation": 0.3, "test": 0.3}, "random", 1)


def test_groups_that_the_owners_splits_divide_are_reported_and_splits_can_be_drawn_anew(tmp_path: Path) -> None:
    names = [f"{part}/{kind}/p{patient}_{part}.jpg" for part in ("train", "val", "test") for kind in ("a", "b")
             for patient in range(6 * (kind == "b"), 6 * (kind == "b") + 6)]  # fmt: skip
    folder = fill(tmp_path / "source", {name: jpeg(number) for number, name in enumerate(names)})
    asked = {"train": 1.0, "validation": 1.0, "test": 1.0}
    pattern = "(?P<group>p[0-9]+)_"
    (tmp_path / "one").mkdir()
    with open_source(folder, tmp_path, Reading(pattern=pattern)) as source:
        subset = draw(source, tmp_path / "one", asked, "random", 1)
    (note,) = subset.notes
    assert note.startswith(
        "12 groups such as 'p0' (36 images) are in more than one of the source's own splits, so the test "
        "results are too good: draw new ones with `dvc exp run -S prepare.resplit=true -S "
    )
    # Shares of the owner's own splits, which may be all of each, are none of the whole.
    given = {split: float(share) for split, share in re.findall(r"-S prepare\.(\w+)=([0-9.]+)", note)}
    assert given == {"train": 0.33, "validation": 0.33, "test": 0.33}
    (tmp_path / "two").mkdir()
    with open_source(folder, tmp_path, Reading(pattern=pattern, resplit=True)) as source:
        subset = draw(source, tmp_path / "two", given, "random", 1)
    assert (subset.frame.groupby("group")["split"].nunique() == 1).all()
    assert len(subset.frame) >= 30


def test_names_that_look_like_groups_are_told_with_the_command_that_keeps_them(tmp_path: Path) -> None:
    files = {f"{name}/person{p}_{n}.jpg": jpeg(30 * i + 3 * p + n) for i, name in enumerate(("cat", "dog"))
             for p in range(5) for n in range(3)}  # fmt: skip
    with open_source(fill(tmp_path / "source", files), tmp_path) as source:
        (note,) = source.notes
    assert note.startswith("names look like 5 groups such as person0: if their images belong together")
    match = re.search(r"`dvc exp run -S \"(.*)\"`$", note)
    assert match
    # As DVC itself reads it.
    shutil.copy(ROOT / "presets/quick.yaml", tmp_path / "params.yaml")
    apply_overrides(tmp_path / "params.yaml", [match[1]])
    pattern = load(tmp_path / "params.yaml").prepare.pattern
    with open_source(tmp_path / "source", tmp_path, Reading(pattern=pattern)) as source:
        assert {image.group for image in source.images} == {f"person{p}" for p in range(5)}
        assert source.notes == []
    with open_source(tmp_path / "source", tmp_path, Reading(group="none")) as source:
        assert source.notes == []


def test_a_path_with_brackets_and_spaces_reaches_the_parameters_in_quotes_of_its_own(tmp_path: Path) -> None:
    shutil.copy(ROOT / "presets/quick.yaml", tmp_path / "params.yaml")
    apply_overrides(tmp_path / "params.yaml", ["prepare.source='/my pets (2024)'"])
    assert load(tmp_path / "params.yaml").prepare.source == "/my pets (2024)"
