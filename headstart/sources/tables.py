"""Reads a table of labels: a CSV file with a row per image, in any form that spreadsheets and tools write."""

import codecs
import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from headstart.foundation.encodings import ANSI, CJK, guess
from headstart.foundation.errors import InputError
from headstart.sources.layout import Label, Unlabelled, normal, split_named
from headstart.sources.reading import AUTO

# What the columns are called, the likelier name first: where two of a kind are there, that one counts.
_COLUMNS = {
    "image": "image filename file filepath imagepath path imagename imagefile imageid img photo picture name id",
    "class": "label class classname category target labels species breed diagnosis dx type",
    "split": "split set subset partition fold usage",
    "group": "group groupid patient patientid subject subjectid individual case caseid person personid",
}
_SEPARATORS = ",;\t|"
_SHOWN = 5

# What ``add`` writes beside the images it packs, if folders alone can't say everything.
PACKED = "headstart-labels.csv"
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Row:
    """One line of a table: the image as it is written there, its class ("" if it has none), split and group."""

    image: str
    class_name: str
    split: str
    group: str


@dataclass(frozen=True)
class Table:
    """A table of labels."""

    name: str  # the file's path inside the source
    rows: list[Row]  # in the file's order
    has_splits: bool  # whether it has a column of splits
    notes: list[str]  # lines for a person


class NotATable(Exception):  # noqa: N818 - it says what a file is, which is no error of the program
    """A file that is not a table of labels; the text says why."""


def read(data: bytes, name: str, encoding: str = AUTO) -> Table:
    """Read a table.

    The separator is the one of ``,``, ``;``, tab and ``|`` that gives the header an image and a class column.

    If the bytes don't declare an encoding, it is ``encoding``; "auto": UTF-8, or else guessed and noted.

    Raises:
        NotATable: there is no such header, or the file isn't text.
    """
    if len(data) > _MOST_BYTES:
        raise NotATable(f"over {_MOST_BYTES >> 20} MB")
    text, notes = _text(data, name, encoding)
    # Excel understands, and some tools write, a first line that names the separator.
    declared = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    if declared:
        text = text[declared.end() :]
    for separator in declared[1] if declared else _SEPARATORS:
        try:
            lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        except csv.Error:
            continue
        if lines and (columns := _columns(lines[0])):
            rows = [_row(line, columns, name == PACKED) for line in lines[1:] if any(cell.strip() for cell in line)]
            return Table(name, rows, "split" in columns, notes)
    first = text.partition("\n")[0].strip()[:100]
    raise NotATable(f"its first line is {first!r}, expected columns such as image,label and perhaps split,group")


def _text(data: bytes, name: str, encoding: str) -> tuple[str, list[str]]:
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    said = next((codec for mark, codec in marks if data.startswith(mark)), None)
    try:
        if said or encoding != AUTO:
            return data.decode(said or encoding), []
        if b"\0" in data[:1000]:
            return data.decode("utf-16-be" if data[0] == 0 else "utf-16-le"), []
        try:
            return data.decode("utf-8"), []
        except UnicodeDecodeError:
            words = dict.fromkeys(word for word in re.split(rb"[\s,;|\"/]+", data) if not word.isascii())
            found = guess([*words][:1000], (*ANSI, *CJK))
            return data.decode(found), [
                f"{name}: its code page is unknown, read as {found}: {next(iter(words)).decode(found)!r}; if that is "
                "wrong, set it, as in prepare.name_encoding=cp1251, or save the table as UTF-8"
            ]
    except UnicodeError:
        raise NotATable(f"not text in {said or encoding}") from None


def _columns(header: Sequence[str]) -> dict[str, int] | None:
    """The place of each column that is known; None unless there are image and class."""
    cells = [re.sub(r"[\W_]+", "", cell).lower() for cell in header]
    found: dict[str, int] = {}
    for kind, synonyms in _COLUMNS.items():
        for synonym in synonyms.split():
            if synonym in cells and cells.index(synonym) not in found.values():
                found[kind] = cells.index(synonym)
                break
    return found if {"image", "class"} <= set(found) else None


def _row(line: Sequence[str], columns: dict[str, int], as_it_is: bool) -> Row:
    cells = {kind: line[place] if place < len(line) else "" for kind, place in columns.items()}
    if not as_it_is:
        cells = {kind: cell.strip() for kind, cell in cells.items()}
    return Row(cells["image"], normal(cells["class"]), cells.get("split", ""), cells.get("group", ""))


def match(table: Table, paths: Sequence[str], splits: Sequence[str | None], source: str) -> list[Label | Unlabelled]:
    """Give each image the label in its row.

    An image may be written with or without folders, extension and capitals; more folders decide where several
    images fit. Folders without any image in the table don't belong to the labelled set: their images are dropped.

    ``splits`` are those of the images' folders, for a table without a column of splits. Messages call the source
    ``source``.

    Raises:
        InputError: with all that doesn't fit together: rows without image, images without row, two labels for one.
    """
    by_name: dict[str, list[int]] = defaultdict(list)
    for place, path in enumerate(paths):
        file = _key(path).rpartition("/")[2]
        for key in {file, _stem(file)}:
            by_name[key].append(place)
    exactly = {path: place for place, path in enumerate(paths)}
    labels: dict[int, Label] = {}
    unlabelled: set[int] = set()
    mismatches: dict[str, list[str]] = defaultdict(list)
    for row in table.rows:
        exact = exactly.get(row.image)
        fitting = _fitting(_key(row.image), by_name, paths) if exact is None else [exact]
        split = split_named(row.split) if table.has_splits else None
        if not fitting:
            mismatches["labels without an image"].append(row.image)
        elif len(fitting) > 1:
            mismatches["labels that fit several images"].append(row.image)
        elif not row.class_name:
            unlabelled.add(fitting[0])
        elif table.has_splits and split is None:
            mismatches["splits other than train, validation and test"].append(row.split)
        else:
            found = Label(row.class_name, split if table.has_splits else splits[fitting[0]], row.group)
            if labels.setdefault(fitting[0], found) != found:
                mismatches["images with two different labels"].append(row.image)
    touched = {paths[place].rpartition("/")[0] for place in (*labels, *unlabelled)}
    for place, path in enumerate(paths):
        if place not in labels and place not in unlabelled and path.rpartition("/")[0] in touched:
            mismatches["images without a label"].append(path)
    if mismatches:
        listed = "; ".join(
            f"{len(names):,} {what}: {', '.join(map(repr, names[:_SHOWN]))}{', …' if len(names) > _SHOWN else ''}"
            for what, names in mismatches.items()
        )
        raise InputError(
            f"{source}: {table.name} doesn't fit the images: {listed}; correct the table (a row with an empty label "
            "leaves its image out), or don't read it with prepare.labels=none"
        )
    return [labels.get(place) or Unlabelled(f"no label: none in {table.name}") for place in range(len(paths))]


def _key(image: str) -> str:
    return unicodedata.normalize("NFC", image.strip().replace("\\", "/").removeprefix("./")).lower()


def _stem(file: str) -> str:
    return PurePosixPath(file).stem


def _fitting(key: str, by_name: dict[str, list[int]], paths: Sequence[str]) -> list[int]:
    """The images that a row may mean: those of its file name, and of them those with most of its folders."""
    *folders, file = key.split("/")
    places = by_name.get(file, [])
    if len(places) < 2:
        return places
    exact = [place for place in places if _key(paths[place]).rpartition("/")[2] == file] or places
    shared = {place: _shared(folders, _key(paths[place]).split("/")[:-1]) for place in exact}
    most = max(shared.values())
    return [place for place in exact if shared[place] == most]


def _shared(folders: Sequence[str], others: Sequence[str]) -> int:
    """How many folders two paths share, counted from the file upwards."""
    count = 0
    for one, other in zip(reversed(folders), reversed(others), strict=False):
        if one != other:
            break
        count += 1
    return count
