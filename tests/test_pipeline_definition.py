"""dvc.yaml says what the stages do: every file that they run or read, every parameter, every result."""

import ast
import re
from typing import Any

import pytest
import yaml

from headstart.foundation import paths
from headstart.models.strategies import STRATEGIES
from headstart.settings import params
from headstart.settings.schema import Params, Section
from tests.imports import rooms
from tests.pipeline import DEFINED, ROOT, TRAINING, Finished

pytest_plugins = ["tests.pipeline_fixtures"]

PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))


def deps(stage: str) -> list[str]:
    return list(DEFINED[stage]["deps"])


def names(entries: list[Any]) -> list[str]:
    """Paths of outs, metrics or plots, whether they stand there with options or without."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def results(stage: str) -> list[str]:
    return [name for kind in ("outs", "metrics", "plots") for name in names(DEFINED[stage].get(kind, []))]


def section_type(name: str) -> type[Section] | None:
    annotation = Params.model_fields[name].annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


@pytest.fixture(scope="module", autouse=True)
def _root() -> Any:
    """The project's folder as the current one: module files are named relative to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


@pytest.mark.parametrize("stage", DEFINED)
def test_every_stage_says_what_it_does(stage: str) -> None:
    described = DEFINED[stage]["desc"]
    assert len(described) > 20
    assert not described.endswith(".")
    assert DEFINED[stage]["cmd"] == f"python -m stages.{stage}"
    module = ast.parse((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(module), "what --help prints"
    assert ast.unparse(module.body[-1]) == "if __name__ == '__main__':\n    run_stage(main, __doc__)"


@pytest.mark.parametrize("stage", DEFINED)
def test_a_stage_depends_on_its_module_and_on_the_rooms_that_it_runs(stage: str) -> None:
    code = [path for path in deps(stage) if path.startswith(("headstart", "stages"))]
    assert code == [*rooms(f"stages.{stage}"), f"stages/{stage}.py"]
    assert len(set(deps(stage))) == len(deps(stage))


@pytest.mark.parametrize("stage", DEFINED)
def test_a_dependency_is_a_file_of_the_project_or_a_result_of_an_earlier_stage(stage: str) -> None:
    earlier = [result for other in list(DEFINED)[: list(DEFINED).index(stage)] for result in results(other)]
    for path in deps(stage):
        if path == "${prepare.source}":
            continue
        made = any(path == result or path.startswith(f"{result}/") for result in earlier)
        assert made or (ROOT / path).exists(), path


@pytest.mark.parametrize("stage", DEFINED)
def test_the_parameters_declared_are_those_that_are_read(stage: str, finished: Finished) -> None:
    """What DVC doesn't know of changes without a run; what nothing reads makes runs for nothing."""
    read = {name for section, name in finished.reads[stage] if section == "Params"}
    if stage == "report":  # shows them all, as they are written
        assert set(DEFINED[stage]["params"]) == set(Params.model_fields)
    else:
        assert {name.partition(".")[0] for name in DEFINED[stage]["params"]} == read


@pytest.mark.parametrize("name", Params.model_fields)
def test_every_parameter_is_read_by_a_stage_that_declares_it(name: str, finished: Finished) -> None:
    stages = [stage for stage in DEFINED if name in DEFINED[stage]["params"] and stage != "report"]
    assert stages
    section = section_type(name)
    if section is None:
        return
    read = {field for stage in stages for kind, field in finished.reads[stage] if kind == section.__name__}
    assert set(section.model_fields) == read


@pytest.mark.parametrize("stage", DEFINED)
def test_sections_are_named_in_the_code_that_reads_them(stage: str) -> None:
    """Statically too, since a run takes but one of several branches. What trains has it from its context."""
    if stage in TRAINING:
        return
    tree = ast.parse((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8"))
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and (ast.unparse(node.value) in ("params", "load()"))
        and node.attr in Params.model_fields
    }
    declared = {name.partition(".")[0] for name in DEFINED[stage]["params"]}
    assert read == (set() if stage == "report" else declared)


def test_training_reads_labels_by_rows_alone() -> None:
    """Nothing that trains reads the column itself: whoever asks for labels says which images they are of."""
    files = [ROOT / "stages" / f"{stage}.py" for stage in TRAINING]
    files += [file for room in ("models", "training") for file in (ROOT / "headstart" / room).glob("*.py")]
    assert not [file for file in files if re.search(r"""["']class["']|manifest\.labels\(""", file.read_text("utf-8"))]


def test_results_belong_to_one_stage_and_do_not_overlap() -> None:
    made = [result for stage in DEFINED for result in results(stage)]
    assert len(set(made)) == len(made)
    for one in made:
        assert not [other for other in made if other.startswith(f"{one}/")], one


@pytest.mark.parametrize("stage", DEFINED)
def test_every_result_is_written(stage: str, finished: Finished) -> None:
    for result in results(stage):
        assert (finished.folder / result).exists(), result


def test_nothing_is_written_that_dvc_does_not_know(finished: Finished) -> None:
    """Times and what goes on after an interruption are kept out of dvc.lock on purpose; nothing else is."""
    made = [result for stage in DEFINED for result in results(stage)]
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8")
    for path in sorted(finished.folder.rglob("*")):
        name = str(path.relative_to(finished.folder))
        if path.is_dir() or name.startswith("source/") or name == "params.yaml":
            continue
        known = any(name == result or name.startswith(f"{result}/") for result in made)
        untracked = name == "metrics/timings.json" or f"/{name}\n" in ignored
        assert known or untracked, name


def test_the_winner_is_an_artifact_of_the_model_registry() -> None:
    ((name, artifact),) = PIPELINE["artifacts"].items()
    assert (name, artifact["path"], artifact["type"]) == ("winner", str(paths.WINNER), "model")
    assert artifact["path"] in results("evaluate")
    assert "the lowest log loss on validation images" in artifact["desc"], "what results.winner goes by"
    assert artifact["labels"]


def plots() -> list[tuple[str, dict[str, Any]]]:
    entries = [{entry: None} if isinstance(entry, str) else entry for entry in PIPELINE["plots"]]
    for entry in entries:
        assert len(entry) == 1, "DVC drops a second plot of one item in silence"
    return [(name, options or {}) for entry in entries for name, options in entry.items()]


@pytest.mark.parametrize(("name", "options"), plots(), ids=[name for name, _ in plots()])
def test_every_plot_has_its_files_and_columns(name: str, options: dict[str, Any], finished: Finished) -> None:
    import pandas as pd

    assert set(options) <= {"x", "y", "x_label", "y_label", "title", "template"}
    if not options:
        assert (finished.folder / name).exists()
        return
    assert options["title"]
    for file, columns in options["y"].items():
        table = pd.read_csv(finished.folder / file)
        assert len(table), file
        assert {options["x"], *([columns] if isinstance(columns, str) else columns)} <= set(table.columns)
    template = options["template"]
    own = ROOT / ".dvc" / "plots" / f"{template}.json"
    assert own.exists() or template in {"linear", "confusion", "bar_horizontal", "scatter", "simple", "smooth"}


def test_all_strategies_stand_in_the_plots_of_training() -> None:
    curves = {name: options for name, options in plots() if re.search(r"(training|validation) ", name)}
    assert len(curves) == 4
    for options in curves.values():
        assert list(options["y"]) == [f"metrics/{strategy}/history.csv" for strategy in STRATEGIES]


def test_templates_take_values_from_params() -> None:
    """A templated dependency needs the parameter that it names."""
    used = set(re.findall(r"\$\{([a-z_.]+)\}", (ROOT / "dvc.yaml").read_text(encoding="utf-8")))
    values = params.read(ROOT / "params.yaml")
    for name in used:
        section, parameter = name.split(".")
        assert parameter in values[section]
