"""Finds every image's label: in a table, by a pattern, or in the arrangement of folders and names."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from headstart.foundation.errors import InputError
from headstart.foundation.expression import compiled
from headstart.images.images import UnreadableImage
from headstart.sources import grouping, pattern, tables
from headstart.sources.layout import Label, Layout, Unlabelled, find, folder_splits
from headstart.sources.listing import Entry, Listing
from headstart.sources.reading import AUTO, NONE, Reading

# A .txt file counts as a table only if it is named: some sets have one per image.
_LOOKED_AT = frozenset({".csv", ".tsv"})
_MOST_LOOKED_AT = 20


def labelled(listing: Listing, name: str, reading: Reading) -> Layout:
    """Label the entries of a listing, which messages call ``name``; a table that is read is taken off what is dropped.

    Raises:
        InputError: the settings don't fit the source, or the labels contradict each other.
    """
    paths = [entry.name for entry in listing.entries]
    layout = find(paths, name)
    table, hint = _table(listing, name, reading)
    layout = replace(layout, hint=hint)
    if table is not None:
        labels = tables.match(table, paths, folder_splits(paths), name)
        if reading.labels == AUTO and table.name != tables.PACKED:
            _check_agreement(layout, labels, paths, table.name, name)
        listing.dropped[:] = [item for item in listing.dropped if item.name != table.name]
        # No folder is missed: the table says what there is.
        said = [] if table.name == tables.PACKED else [f"labels come from {table.name}"]
        layout = Layout(labels, by_folder=False, notes=[*said, *table.notes])
    if reading.pattern != NONE:
        splits = [
            label.split if isinstance(label, Label) else by_folder
            for label, by_folder in zip(layout.labels, folder_splits(paths), strict=True)
        ]
        labels, notes = pattern.read(reading.pattern, paths, layout.labels, splits, name)
        names_class = "class" in compiled(reading.pattern).groupindex
        if names_class:
            layout = Layout(labels, by_folder=False, notes=notes)
        else:
            layout = replace(layout, labels=labels, notes=[*layout.notes, *notes])
    if reading.group == "folder":
        labels = [
            _in_group(label, layout.folder_below_class(path)) for label, path in zip(layout.labels, paths, strict=True)
        ]
        layout = replace(layout, labels=labels)
    elif reading.group == "none":
        layout = replace(layout, labels=[_in_group(label, "") for label in layout.labels])
    elif not any(isinstance(label, Label) and label.group for label in layout.labels):
        layout = replace(layout, notes=[*layout.notes, *_likely_groups(paths)])
    if reading.resplit:
        layout = replace(layout, labels=[_with_split(label, None) for label in layout.labels])
    return layout


def _likely_groups(paths: Sequence[str]) -> list[str]:
    """A line if names look like groups that are not declared."""
    found = grouping.likely(paths)
    if found is None:
        return []
    # The inner quotes are for DVC, which stumbles over brackets.
    setting = f"\"prepare.pattern='{found.pattern}'\""
    return [
        f"names look like {found.groups:,} groups such as {found.example}: if their images belong together (one "
        f"patient, one burst), keep each in one split with `dvc exp run -S {setting}`"
    ]


def _with_split(label: Label | Unlabelled, split: str | None) -> Label | Unlabelled:
    return replace(label, split=split) if isinstance(label, Label) else label


def _in_group(label: Label | Unlabelled, group: str) -> Label | Unlabelled:
    return replace(label, group=group) if isinstance(label, Label) else label


def _table(listing: Listing, name: str, reading: Reading) -> tuple[tables.Table | None, str]:
    """The table that is named or found; and why one that exists isn't read."""
    if reading.labels == NONE:
        return None, ""
    if reading.labels != AUTO:
        entry = next((entry for entry in listing.tables if entry.name == reading.labels), None)
        if entry is None:
            there = ", ".join(repr(entry.name) for entry in listing.tables[:5]) or "none"
            raise InputError(
                f"{name}: prepare.labels={reading.labels}: no such table inside it; expected auto, none or one of the "
                f".csv, .tsv and .txt files there: {there}"
            )
        try:
            return tables.read(entry.read(), entry.name, reading.name_encoding), ""
        except (tables.NotATable, UnreadableImage) as error:
            raise InputError(f"{name}: {entry.name} is not a table of labels: {error}") from None
    if reading.pattern != NONE and "class" in compiled(reading.pattern).groupindex:
        return None, ""
    packed = [entry for entry in listing.tables if entry.name == tables.PACKED]
    found = []
    hint = ""
    for entry in packed or _shallowest(listing.tables):
        try:
            table = tables.read(entry.read(), entry.name, reading.name_encoding)
        except (tables.NotATable, UnreadableImage) as error:
            hint = hint or f"; {entry.name} isn't read as one: {error}"
            continue
        if entry.name == tables.PACKED or _speaks_of(table, [entry.name for entry in listing.entries]):
            found.append(table)
        else:
            hint = (
                hint or f"; {entry.name} isn't read as one: few of its rows name an image, or all have the same label"
            )
    if len(found) > 1:
        several = " and ".join(table.name for table in found)
        raise InputError(f"{name}: labels are in {several}: name one with prepare.labels, or set it to none")
    return (found[0], "") if found else (None, hint)


def _shallowest(entries: list[Entry]) -> list[Entry]:
    looked_at = [entry for entry in entries if PurePosixPath(entry.name).suffix.lower() in _LOOKED_AT]
    depth = min((entry.name.count("/") for entry in looked_at), default=0)
    return [entry for entry in looked_at if entry.name.count("/") == depth][:_MOST_LOOKED_AT]


def _speaks_of(table: tables.Table, paths: list[str]) -> bool:
    """Whether a table is about these images: most of its rows name one, and they don't all have the same label.

    A sample of a submission, as competitions ship it, has images and one label for all.
    """
    names = {key for path in paths for key in (PurePosixPath(path).name.lower(), PurePosixPath(path).stem.lower())}
    hits = sum(row.image.replace("\\", "/").rpartition("/")[2].lower() in names for row in table.rows)
    return 2 * hits > len(table.rows) and len({row.class_name for row in table.rows}) > 1


def _check_agreement(
    layout: Layout, labels: list[Label | Unlabelled], paths: list[str], table: str, source: str
) -> None:
    """Check that a table found without being named agrees with folders and names."""
    classes = {label.class_name for label in layout.labels if isinstance(label, Label)}
    if len(classes) < 2:
        return
    differ = [
        (path, by_layout.class_name, by_table.class_name)
        for path, by_layout, by_table in zip(paths, layout.labels, labels, strict=True)
        if isinstance(by_layout, Label) and isinstance(by_table, Label) and by_layout.class_name != by_table.class_name
    ]
    if differ:
        path, by_layout, by_table = differ[0]
        raise InputError(
            f"{source}: {table} and the files' folders or names disagree about {len(differ):,} images: "
            f"{path!r} is {by_table!r} in the table, {by_layout!r} by its path; choose with prepare.labels={table} or "
            "prepare.labels=none"
        )
