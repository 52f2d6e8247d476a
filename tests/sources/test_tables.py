"""Labels in a table: whatever a spreadsheet writes is read, and all that doesn't fit is told at once."""

import csv
import io
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.images.names import file_name
from headstart.sources import tables
from headstart.sources.layout import Label, Unlabelled
from headstart.sources.reading import Reading
from headstart.sources.source import Source
from headstart.sources.sources import open_files
from headstart.sources.tables import NotATable, Row, match, read
from tests.pictures import fill, jpeg, two_classes

ROWS = [("0.jpg", "Käse", "a"), ("1.jpg", "Grün", "a"), ("2.jpg", "Käse", "b"), ("3.jpg", "Grün", "")]


def written(header: list[str], separator: str = ",", line_end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end)
    writer.writerows([header, *(row[: len(header)] for row in ROWS)])
    return text.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_what_spreadsheets_write_is_read(separator: str, encoding: str, line_end: str) -> None:
    data = written(["image", "label", "group"], separator, line_end).encode(encoding)
    table = read(data, "labels.csv")
    assert table.rows == [Row(image, name, "", group) for image, name, group in ROWS]
    assert (len(table.notes) == 1) == (encoding == "cp1252")
    declared = f"sep={separator}{line_end}" + written(["image", "label", "group"], separator, line_end)
    assert read(declared.encode(encoding), "labels.csv").rows == table.rows


@pytest.mark.parametrize(
    "header",
    [
        ["filename", "class", "patient_id"],
        ["File Name", "Category", "Group"],
        ["path", "target", "subject"],
        ["id", "breed", "group"],
        ["IMAGE-ID", "Class Name", "patientId"],
    ],
)
def test_columns_go_by_many_names(header: list[str]) -> None:
    assert read(written(header).encode(), "x").rows == [Row(image, name, "", group) for image, name, group in ROWS]


def test_a_guessed_code_page_is_told_and_a_named_one_is_taken() -> None:
    data = "image,label\n0.jpg,кошка\n1.jpg,собака\n".encode("cp1251")
    table = read(data, "labels.csv")
    assert [row.class_name for row in table.rows] == ["кошка", "собака"]
    assert "labels.csv: its code page is unknown, read as cp1251: 'кошка'" in table.notes[0]
    assert read(data, "x", "cp1251").notes == []
    with pytest.raises(NotATable, match="not text in utf-8"):
        read(data, "x", "utf-8")


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"image\n1.jpg\n", b"\0\1\2", b"label,class\n"])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(NotATable, match=r"^(its first line is .*, expected columns such as|not text in)[^\n]*$"):
        read(data, "x")


@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_none(data: bytes) -> None:
    for prefix in (b"", b"image,label\n", b"image;label\r\n", "image,label\n".encode("utf-16")):
        with suppress(NotATable):
            assert all(isinstance(row, Row) for row in read(prefix + data, "x").rows)


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and text.isascii()
)


@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-16"]),
)
def test_what_is_written_is_read_again(rows: list[tuple[str, str]], separator: str, encoding: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([("image", "label"), *rows])
    found = read(text.getvalue().encode(encoding), "x").rows
    assert [(row.image, row.class_name) for row in found] == rows


def table(*rows: tuple[str, str], splits: tuple[str, ...] = ()) -> tables.Table:
    made = [Row(image, name, split, "") for (image, name), split in zip(rows, splits or [""] * len(rows), strict=True)]
    return tables.Table("labels.csv", made, bool(splits), [])


def fitted(given_table: tables.Table, *paths: str) -> list[Label | Unlabelled]:
    return match(given_table, paths, [None] * len(paths), "source")


@pytest.mark.parametrize(
    "image", ["a.1.jpg", "images/a.1.jpg", "a.1", "A.1.JPG", "./a.1.jpg", "C:\\data\\images\\a.1.jpg", "/x/images/a.1"]
)
def test_an_image_may_be_written_in_many_ways(image: str) -> None:
    assert fitted(table((image, "cat")), "images/a.1.jpg") == [Label("cat", None)]


def test_folders_decide_where_several_images_fit() -> None:
    paths = ["x/a/1.jpg", "x/b/1.jpg", "x/b/2.jpg"]
    assert fitted(table(("a/1", "cat"), ("b/1.jpg", "dog"), ("2", "dog")), *paths) == [
        Label("cat", None),
        Label("dog", None),
        Label("dog", None),
    ]
    assert fitted(table(("Cat/1.jpg", "a"), ("cat/1.jpg", "b")), "Cat/1.jpg", "cat/1.jpg") == [
        Label("a", None),
        Label("b", None),
    ]


def test_all_that_does_not_fit_is_told_at_once_five_of_each() -> None:
    paths = ["1.jpg", "2.jpg", *(f"left{number}.jpg" for number in range(6)), "a/3.jpg", "b/3.jpg"]
    rows = table(("1.jpg", "cat"), ("1.jpg", "dog"), ("2.jpg", "cat"), ("3", "cat"), ("lost.jpg", "dog"))
    with pytest.raises(InputError) as caught:
        fitted(rows, *paths)
    message = str(caught.value)
    assert message.startswith("source: labels.csv doesn't fit the images: ")
    for part in (
        "1 images with two different labels: '1.jpg'",
        "1 labels that fit several images: '3'",
        "1 labels without an image: 'lost.jpg'",
        "6 images without a label: 'left0.jpg', 'left1.jpg', 'left2.jpg', 'left3.jpg', 'left4.jpg', …",
        "don't read it with prepare.labels=none",
    ):
        assert part in message
    assert "\n" not in message


def test_images_left_out_and_folders_beside_the_labelled_ones_are_dropped() -> None:
    paths = ["train/1.jpg", "train/2.jpg", "test/3.jpg"]
    assert fitted(table(("1.jpg", "cat"), ("2.jpg", "")), *paths) == [
        Label("cat", None),
        Unlabelled("no label: none in labels.csv"),
        Unlabelled("no label: none in labels.csv"),
    ]


def test_splits_are_those_of_the_column_or_else_of_the_folders() -> None:
    rows = (("1", "cat"), ("2", "dog"))
    assert fitted(table(*rows, splits=("Training", "val")), "1.jpg", "2.jpg") == [
        Label("cat", "train"),
        Label("dog", "validation"),
    ]
    assert match(table(*rows), ["1.jpg", "2.jpg"], ["train", "test"], "source") == [
        Label("cat", "train"),
        Label("dog", "test"),
    ]
    with pytest.raises(InputError, match="1 splits other than train, validation and test: 'fold 1'"):
        fitted(table(*rows, splits=("train", "fold 1")), "1.jpg", "2.jpg")


# A folder's table.

PICTURES = {f"images/{number}.jpg": jpeg(number) for number in range(4)}
TABLE = b"image,label,group\n0,cat,p\n1,dog,p\n2,cat,q\n3,dog,q\n"
LABELLED = {"0.jpg": ("cat", "p"), "1.jpg": ("dog", "p"), "2.jpg": ("cat", "q"), "3.jpg": ("dog", "q")}


def labels(source: Source) -> dict[str, tuple[str, str]]:
    return {file_name(image.name): (image.class_name, image.group) for image in source.images}


@pytest.mark.parametrize("place", ["labels.csv", "images/train.csv", "metadata.tsv"])
def test_a_table_in_the_folder_is_found(tmp_path: Path, place: str) -> None:
    content = TABLE.replace(b",", b"\t") if place.endswith("tsv") else TABLE
    with open_files(fill(tmp_path, {**PICTURES, place: content, "readme.txt": b"text"})) as source:
        assert labels(source) == LABELLED
        assert source.notes == [f"labels come from {place}"]
        assert [item.name for item in source.dropped] == ["readme.txt"]


def test_a_table_may_be_named_or_not_read(tmp_path: Path) -> None:
    fill(tmp_path, {**PICTURES, "labels.txt": TABLE})
    with open_files(tmp_path, Reading(labels="labels.txt")) as source:
        assert labels(source) == LABELLED
    for reading in (Reading(), Reading(labels="none")):
        with pytest.raises(InputError, match="one class only, 'images'"):
            open_files(tmp_path, reading)
    message = (
        "prepare.labels=x.csv: no such table inside it; expected auto, none or one of the .csv, .tsv and .txt files"
    )
    with pytest.raises(InputError, match=f"{re.escape(message)} there: 'labels.txt'"):
        open_files(tmp_path, Reading(labels="x.csv"))


def test_groups_of_a_table_may_be_left_alone(tmp_path: Path) -> None:
    with open_files(fill(tmp_path, {**PICTURES, "labels.csv": TABLE}), Reading(group="none")) as source:
        assert {image.group for image in source.images} == {""}


def test_a_table_that_cannot_be_read_is_named_where_there_are_no_classes(tmp_path: Path) -> None:
    fill(tmp_path, {**PICTURES, "labels.csv": b"Dateiname,Klasse\n0.jpg,Katze\n"})
    with pytest.raises(InputError, match=r"labels.csv isn't read as one: its first line is 'Dateiname,Klasse'"):
        open_files(tmp_path)
    with pytest.raises(InputError, match=r"labels.csv is not a table of labels: its first line is 'Dateiname,Klasse'"):
        open_files(tmp_path, Reading(labels="labels.csv"))


def test_a_sample_of_a_submission_is_no_table_of_labels(tmp_path: Path) -> None:
    files = {f"train/{name}.{n}.jpg": jpeg(n + 9 * p) for p, name in enumerate(("cat", "dog")) for n in range(2)}
    files |= {"test1/1.jpg": jpeg(50), "test1/2.jpg": jpeg(51), "sampleSubmission.csv": b"id,label\n1,0\n2,0\n"}
    with open_files(fill(tmp_path, files)) as source:
        assert {image.class_name for image in source.images} == {"cat", "dog"}


def test_a_table_and_folders_that_differ_are_told(tmp_path: Path) -> None:
    rows = b"image,label\ncat/0.jpg,cat\ncat/1.jpg,dog\ndog/0.jpg,dog\ndog/1.jpg,dog\n"
    fill(tmp_path, {**two_classes(2), "labels.csv": rows})
    message = "labels.csv and the files' folders or names disagree about 1 images: 'cat/1.jpg' is 'dog'"
    with pytest.raises(InputError, match=re.escape(message)):
        open_files(tmp_path)
    with open_files(tmp_path, Reading(labels="labels.csv")) as source:
        assert [image.class_name for image in source.images] == ["cat", "dog", "dog", "dog"]
    with open_files(tmp_path, Reading(labels="none")) as source:
        assert [image.class_name for image in source.images] == ["cat", "cat", "dog", "dog"]


def test_two_tables_are_told(tmp_path: Path) -> None:
    fill(tmp_path, {**PICTURES, "a.csv": TABLE, "b.csv": TABLE})
    with pytest.raises(InputError, match=r"labels are in a.csv and b.csv: name one with prepare.labels"):
        open_files(tmp_path)
