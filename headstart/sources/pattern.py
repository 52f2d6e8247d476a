"""Reads labels off paths by the user's regular expression, with the named groups class, group and split."""

from collections.abc import Sequence

from headstart.foundation.errors import InputError
from headstart.foundation.expression import compiled
from headstart.sources.layout import Label, Unlabelled, normal, split_named

_SHOWN = 5


def read(
    text: str, paths: Sequence[str], labels: Sequence[Label | Unlabelled], splits: Sequence[str | None], source: str
) -> tuple[list[Label | Unlabelled], list[str]]:
    """Apply the expression ``text`` to each path below the source; it may match anywhere in it.

    ``labels`` and ``splits`` are what is known without it; their classes are kept if it has no group ``class``.

    Returns:
        A label for each path, and lines for a person.

    Raises:
        InputError: nothing matches, or what the group ``split`` matches is no split.
    """
    pattern = compiled(text)
    names_class = "class" in pattern.groupindex
    found: list[Label | Unlabelled] = []
    missed = []
    odd = []
    for path, known, split in zip(paths, labels, splits, strict=True):
        match = pattern.search(path)
        matched = {name: value for name, value in match.groupdict().items() if value} if match else {}
        if not matched.get("class" if names_class else "group"):
            missed.append(path)
            found.append(Unlabelled("no class: prepare.pattern doesn't match") if names_class else known)
            continue
        class_name = normal(matched["class"]) if names_class else known.class_name if isinstance(known, Label) else None
        named = split_named(matched["split"]) if "split" in matched else split
        if "split" in matched and named is None:
            odd.append(path)
        found.append(known if class_name is None else Label(class_name, named, matched.get("group", "")))
    shown = ", ".join(repr(path) for path in (odd or missed)[:_SHOWN])
    if odd:
        raise InputError(
            f"{source}: prepare.pattern finds a split other than train, validation and test in {len(odd):,} images, "
            f"such as {shown}"
        )
    if paths and len(missed) == len(paths):
        raise InputError(f"{source}: prepare.pattern={text} matches none of {len(paths):,} images, such as {shown}")
    if not missed:
        return found, []
    what = "matches" if names_class else "finds a group in"
    return found, [f"prepare.pattern {what} all but {len(missed):,} of {len(paths):,} images, such as {shown}"]
