"""The precision and library versions that models were made with, and whether compared models agree in them."""

from collections.abc import Iterable, Mapping
from typing import Any

from headstart.foundation import paths, versions
from headstart.models.description import describe

_PRECISION = "precision"


def of(description: Mapping[str, Any]) -> dict[str, str]:
    """Return what the model was made with, by name: the precision, and each library's version.

    Args:
        description: models/<strategy>/model.json. One of an earlier revision may lack some of it.
    """
    made_of = description.get("extraction") or description.get("network") or {}
    features, training = made_of.get("versions", {}), description.get("versions", {})
    found = {_PRECISION: made_of["policy"]} if "policy" in made_of else {}
    for name in training:
        alike = features.get(name, training[name]) == training[name]
        found[name] = training[name] if alike else f"{features[name]} for features and {training[name]} for training"
    return found


def of_run(strategies: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what the models of the strategies were made with, and the library versions of now as ``evaluate``."""
    made = {name: of(describe(paths.MODELS / name).model_dump()) for name in strategies}
    return {**made, "evaluate": versions.installed()}


def show(made: Mapping[str, Mapping[str, str]]) -> None:
    """Print :func:`note` if there is something to say."""
    if text := note(made):
        print(text)


def note(made: Mapping[str, Mapping[str, str]]) -> str | None:
    """Say in one sentence where they differ; None if they agree, or if nothing is known.

    Args:
        made: what each model was made with, by what it is to be called.
    """
    differences = []
    for what in dict.fromkeys(what for with_what in made.values() for what in with_what):
        users: dict[str, list[str]] = {}
        for name, with_what in made.items():
            if what in with_what:
                users.setdefault(with_what[what], []).append(name)
        if len(users) > 1:
            by_value = [f"{value} ({', '.join(names)})" for value, names in users.items()]
            differences.append(f"{what} {', '.join(by_value)}")
    if not differences:
        return None
    return (
        f"The models were made under different conditions, which may affect the comparison: {'; '.join(differences)}."
    )
