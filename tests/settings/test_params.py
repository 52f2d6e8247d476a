"""params.yaml is read as it is meant, and every fault in it is told at once, in one line."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.settings import params
from headstart.settings.schema import Params
from tests.pipeline import ROOT, put

QUICK = ROOT / "presets" / "quick.yaml"
PRESETS = sorted((ROOT / "presets").glob("*.yaml"))
COUNT = "a whole number of images per class, 1 or more, or a fraction above 0.0 and up to 1.0"
LAYERS = "a whole number of layers, 0 or more, `last_block`, or the name of a layer"
VALUES = params.read(QUICK)
SECTIONS = ", ".join(sorted(VALUES))
CHANGES = ", ".join(sorted(VALUES["augmentation"]))
NO_SETTINGS = "found no settings, expected sections: copy presets/quick.yaml"


def with_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """The quick preset with other values, by dotted names."""
    values = copy.deepcopy(VALUES)
    put(values, changes)
    return values


def fault(values: Any) -> str:
    with pytest.raises(InputError) as caught:
        params.check(values, Params, Path("params.yaml"))
    return str(caught.value)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.name)
def test_every_preset_fits_the_schema(preset: Path) -> None:
    loaded = params.load(preset)
    assert loaded.model_dump() == params.read(preset)


def test_presets_are_there() -> None:
    assert {path.stem for path in PRESETS} >= {"quick", "chapter", "best", "xception"}


def test_the_project_starts_as_the_quick_preset() -> None:
    assert (ROOT / "params.yaml").read_bytes() == QUICK.read_bytes()


@pytest.mark.parametrize("preset", [*PRESETS, ROOT / "params.yaml"], ids=lambda path: path.name)
def test_dvc_reads_the_same_values(preset: Path) -> None:
    """DVC's YAML is another one (1.2) than PyYAML's (1.1): a value that they read differently would be two."""
    from dvc.utils.serialize import load_yaml

    assert params.read(preset) == load_yaml(str(preset))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "seed: found -1, expected greater than or equal to 0"),
        ({"seed": 2**31}, "seed: found 2147483648, expected less than or equal to 2147483647"),
        ({"seed": True}, "seed: found True, expected a valid integer"),
        ({"seed": "42"}, "seed: found '42', expected a valid integer"),
        ({"precision": "float16"}, "precision: found 'float16', expected 'auto', 'float32' or 'bfloat16'"),
        ({"prepare.source": ""}, "prepare.source: found '', expected at least 1 character"),
        ({"prepare.source": 3}, "prepare.source: found 3, expected a valid string"),
        ({"prepare.order": "name"}, "prepare.order: found 'name', expected 'number' or 'random'"),
        (
            {"prepare.folds": 5},
            "prepare.train: found 30, expected auto with prepare.folds=5, by which every image trains and is tested; "
            "prepare.validation: found 20, expected a fraction below 1.0 with prepare.folds=5: of the images that "
            "aren't tested; prepare.test: found 100, expected auto with prepare.folds=5, by which every image trains "
            "and is tested",
        ),
        ({"prepare.folds": 1}, "prepare.folds: found 1, expected 0 for none, or 2 or more"),
        ({"prepare.test": "auto"}, f"prepare.test: found 'auto', expected {COUNT}; auto is for prepare.folds"),
        ({"repeats_of_networks": 2}, "repeats_of_networks: found 2, expected repeats, 1, at the most"),
        ({"prepare.train": 0}, f"prepare.train: found 0, expected {COUNT}"),
        ({"prepare.train": -3}, f"prepare.train: found -3, expected {COUNT}"),
        ({"prepare.validation": 0.0}, f"prepare.validation: found 0.0, expected {COUNT}"),
        ({"prepare.validation": 1.5}, f"prepare.validation: found 1.5, expected {COUNT}"),
        ({"prepare.test": True}, f"prepare.test: found True, expected {COUNT}"),
        ({"prepare.test": "30"}, f"prepare.test: found '30', expected {COUNT}"),
        ({"prepare.test": float("nan")}, f"prepare.test: found nan, expected {COUNT}"),
        (
            {"backbone.name": "ResNet5"},
            "backbone.name: found 'ResNet5', expected a base of docs/bases.md; nearest: resnet50, resnet152, "
            "resnet50_v2",
        ),
        ({"backbone.name": 16}, "backbone.name: found 16, expected a valid string"),
        ({"backbone.weights": ""}, "backbone.weights: found '', expected at least 1 character"),
        (
            {"extract_features.image_size": 31},
            "extract_features.image_size: found 31, expected greater than or equal to 32",
        ),
        ({"extract_features.image_size": 64.0}, "extract_features.image_size: found 64.0, expected a valid integer"),
        ({"extract_features.views": 1001}, "extract_features.views: found 1001, expected less than or equal to 1000"),
        ({"extract_features.trunk": None}, "extract_features.trunk: found None, expected a valid string"),
        (
            {"augmentation.flip": "left"},
            "augmentation.flip: found 'left', expected 'none', 'horizontal', 'vertical' or 'both'",
        ),
        ({"augmentation.rotation": 0.7}, "augmentation.rotation: found 0.7, expected less than or equal to 0.5"),
        ({"augmentation.zoom": -0.1}, "augmentation.zoom: found -0.1, expected greater than or equal to 0"),
        (
            {"augmentation.fill": "mirror"},
            "augmentation.fill: found 'mirror', expected 'reflect', 'nearest', 'constant' or 'wrap'",
        ),
        ({"augmentation.randaugment": 1.5}, "augmentation.randaugment: found 1.5, expected a valid integer"),
        (
            {"augmentation.randaugment_magnitude": 11},
            "augmentation.randaugment_magnitude: found 11, expected less than or equal to 10",
        ),
        ({"train_head.dropout": 1.0}, "train_head.dropout: found 1.0, expected less than 1"),
        ({"train_head.units": -1}, "train_head.units: found -1, expected greater than or equal to 0"),
        ({"train_head.learning_rate": 0}, "train_head.learning_rate: found 0, expected greater than 0"),
        ({"train_head.learning_rate": float("nan")}, "train_head.learning_rate: found nan, expected a finite number"),
        ({"train_head.learning_rate": float("inf")}, "train_head.learning_rate: found inf, expected a finite number"),
        ({"train_head.learning_rate": "fast"}, "train_head.learning_rate: found 'fast', expected a valid number"),
        (
            {"train_augmented.optimizer": "lion"},
            "train_augmented.optimizer: found 'lion', expected 'adam', 'rmsprop' or 'sgd'",
        ),
        (
            {"train_head.recipe.schedule": "step"},
            "train_head.recipe.schedule: found 'step', expected 'constant', 'cosine' or 'one_cycle'",
        ),
        (
            {"train_head.recipe.warmup": -1.0},
            "train_head.recipe.warmup: found -1.0, expected greater than or equal to 0",
        ),
        ({"finetune.recipe.warmup": 10.0}, "finetune.recipe: expected a warmup of less than epochs, 10"),
        (
            {"finetune.recipe.schedule": "one_cycle", "finetune.recipe.warmup": 0.5},
            "finetune.recipe.warmup: found 0.5, expected 0.0 with the schedule one_cycle, which has a rise of its own",
        ),
        (
            {"train_head.recipe.weight_decay": 2.0},
            "train_head.recipe.weight_decay: found 2.0, expected less than or equal to 1",
        ),
        (
            {"train_head.recipe.label_smoothing": 1.0},
            "train_head.recipe.label_smoothing: found 1.0, expected less than 1",
        ),
        ({"train_head.recipe.average": 1.0}, "train_head.recipe.average: found 1.0, expected less than 1"),
        (
            {"train_augmented.recipe.mixup": -0.2},
            "train_augmented.recipe.mixup: found -0.2, expected greater than or equal to 0",
        ),
        ({"finetune.recipe.cutmix": 101}, "finetune.recipe.cutmix: found 101, expected less than or equal to 100"),
        ({"finetune.rate_decay": 0.0}, "finetune.rate_decay: found 0.0, expected greater than 0"),
        ({"finetune.rate_decay": 1.1}, "finetune.rate_decay: found 1.1, expected less than or equal to 1"),
        ({"finetune.gradual": 0.5}, "finetune.gradual: found 0.5, expected a valid integer"),
        ({"finetune.unfreeze": -1}, f"finetune.unfreeze: found -1, expected {LAYERS}"),
        ({"finetune.unfreeze": 1.5}, f"finetune.unfreeze: found 1.5, expected {LAYERS}"),
        ({"finetune.unfreeze": True}, f"finetune.unfreeze: found True, expected {LAYERS}"),
        ({"finetune.unfreeze": ""}, f"finetune.unfreeze: found '', expected {LAYERS}"),
        ({"finetune.patience": 1.5}, "finetune.patience: found 1.5, expected a valid integer"),
        ({"repeats": 0}, "repeats: found 0, expected greater than or equal to 1"),
        ({"evaluate.gallery": 101}, "evaluate.gallery: found 101, expected less than or equal to 100"),
        ({"evaluate.learning_curve": 0.5}, "evaluate.learning_curve: found 0.5, expected a valid list"),
        (
            {"evaluate.learning_curve": [0.5, 2]},
            "evaluate.learning_curve.1: found 2, expected less than or equal to 1",
        ),
        (
            {"train_head": None},
            "train_head: found None, expected a section of settings: copy it from presets/quick.yaml",
        ),
        ({"evaluate": []}, "evaluate: found [], expected a section of settings: copy it from presets/quick.yaml"),
        ({"finetune.unfrezee": 4}, "finetune.unfrezee: unknown parameter, did you mean `unfreeze`?"),
        ({"augmentatoin": {}}, "augmentatoin: unknown parameter, did you mean `augmentation`?"),
        (
            {"augmentation.blur": 0.1},
            f"augmentation.blur: unknown parameter, known here: {CHANGES}",
        ),
        ({"xyz": 1}, f"xyz: unknown parameter, known here: {SECTIONS}"),
        ({"augmentation.3": 1}, f"augmentation.3: unknown parameter, known here: {CHANGES}"),
    ],
)
def test_an_error_is_reported(changes: dict[str, Any], message: str) -> None:
    assert fault(with_changes(changes)) == f"params.yaml: {message}"


@pytest.mark.parametrize("unfreeze", [0, 4, 1000, "last_block", "block5_conv1"])
def test_what_trains_is_a_number_or_a_name(unfreeze: int | str) -> None:
    loaded = params.check(with_changes({"finetune.unfreeze": unfreeze}), Params, Path("params.yaml"))
    assert loaded.finetune.unfreeze == unfreeze
    assert type(loaded.finetune.unfreeze) is type(unfreeze)


def test_images_that_are_too_small_for_the_base_stop_every_stage(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    values = with_changes({"backbone.name": "xception", "extract_features.image_size": 70})
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"extract_features\.image_size: found 70, but xception takes images of 71 pix"
    ):
        params.load(file)


def test_a_number_for_a_name_is_told() -> None:
    values = with_changes({})
    values["finetune"][4] = 1
    assert fault(values) == (
        "params.yaml: finetune.4: unknown parameter, known here: batch_size, class_weight, epochs, gradual, "
        "learning_rate, optimizer, patience, rate_decay, recipe, unfreeze"
    )


def test_clean_images_are_not_mixed() -> None:
    message = fault(with_changes({"train_head.recipe.mixup": 0.2}))
    assert message.startswith("params.yaml: train_head.recipe.mixup: unknown parameter, known here: average, ")


def test_a_warmup_is_not_judged_by_faulty_epochs() -> None:
    message = "params.yaml: finetune.epochs: found 0, expected greater than or equal to 1"
    assert fault(with_changes({"finetune.epochs": 0, "finetune.recipe.warmup": 3.0})) == message


def test_missing_parameters_and_sections_are_named() -> None:
    values = with_changes({})
    del values["train_head"]["units"], values["finetune"], values["seed"]
    advice = "missing, copy it from presets/quick.yaml"
    assert fault(values) == f"params.yaml: seed: {advice}; train_head.units: {advice}; finetune: {advice}"


def test_all_errors_are_reported_together() -> None:
    changes = {"seed": -1, "augmentation.zoom": 2, "train_head.unit": 8, "finetune.epochs": 0, "evaluate": 3}
    assert fault(with_changes(changes)) == (
        "params.yaml: seed: found -1, expected greater than or equal to 0; "
        "augmentation.zoom: found 2, expected less than or equal to 0.9; "
        "train_head.unit: unknown parameter, did you mean `units`?; "
        "finetune.epochs: found 0, expected greater than or equal to 1; "
        "evaluate: found 3, expected a section of settings: copy it from presets/quick.yaml"
    )


LEAVES = [
    (section, name) for section, values in VALUES.items() for name in (values if isinstance(values, dict) else [None])
]


@given(st.sampled_from(LEAVES), st.none() | st.booleans() | st.lists(st.text()) | st.text().map("?{}".format))
def test_no_value_of_another_type_passes(place: tuple[str, str | None], value: Any) -> None:
    section, name = place
    where = f"{section}.{name}" if name else section
    assume(not (isinstance(value, str) and name in ("source", "name", "weights", "trunk", "unfreeze", "image")))
    assume(not (isinstance(value, str) and name in ("labels", "pattern", "name_encoding", "positive_class")))
    assume(not (isinstance(value, bool) and name == "resplit"))
    assume(not (isinstance(value, list) and name in ("learning_curve", "layers")))
    assume(not (isinstance(value, bool) and section == "test_time_flip"))
    message = fault(with_changes({where: value}))
    assert message.startswith(f"params.yaml: {where}: found ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E5", 1e5),
        ("1.e3", 1e3),
        (".5e-3", 5e-4),
        ("12e+03", 12e3),
        ("1.0e-5", 1e-5),
        ("-1e-5", -1e-5),
        ("0.5", 0.5),
        ("3", 3),
    ],
)
def test_numbers_may_be_written_as_people_write_them(tmp_path: Path, text: str, value: float) -> None:
    (tmp_path / "params.yaml").write_text(f"learning_rate: {text}\n", encoding="utf-8")
    found = params.read(tmp_path / "params.yaml")["learning_rate"]
    assert found == value
    assert type(found) is type(value)


def test_a_file_name_that_looks_like_a_number_can_be_quoted(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("a: '1e5'\nb: 1e\n", encoding="utf-8")
    assert params.read(tmp_path / "params.yaml") == {"a": "1e5", "b": "1e"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", NO_SETTINGS),
        (b"# nothing\n", NO_SETTINGS),
        (b"[1, 2]", NO_SETTINGS),
        (b"text", NO_SETTINGS),
        (b"a: [", "not readable as YAML: while parsing a flow node"),
        (b"a: 1\nb: 2\na: 3\n", "not readable as YAML: `a` appears twice"),
        (b"s:\n  a: 1\n  a: 1\n", "not readable as YAML: `a` appears twice"),
        (b"a:\n\tb: 1", "not readable as YAML: while scanning for the next token"),
        (b"\xff\xfe\x00", "not readable as YAML: 'utf-8' codec can't decode byte 0xff"),
        (b"!!python/object/apply:os.getcwd []", "not readable as YAML: could not determine a constructor"),
    ],
)
def test_what_is_no_params_file_is_reported(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        params.load(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_missing_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^params\.yaml: no such file: run this from the project's folder$"):
        params.load()


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=8), max_size=3))
def test_any_yaml_mapping_is_answered_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("params") / "params.yaml"
    path.write_text(yaml.safe_dump({**values, "zzz": 1}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        params.load(path)
    assert "zzz: unknown parameter" in str(caught.value)
    assert "\n" not in str(caught.value)
