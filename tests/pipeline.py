"""A whole pipeline in small: generated pictures, VGG16 with random weights, every stage in this process."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from headstart.base import runtime
from headstart.settings import params
from headstart.settings.schema import MixingRecipe, Section
from tests.pictures import encode

ROOT = Path(__file__).parents[1]
DEFINED: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
STAGES = tuple(DEFINED)
TRAINING = tuple(name for name, stage in DEFINED.items() if any("history.csv" in str(out) for out in stage["outs"]))
CLASSES = ("cat", "dog", "emu")
# Images of each class in each split.
TRAIN, VALIDATION, TEST = 6, 4, 4
IMAGE_SIZE = 48
SCRATCH_SIZE = 20

# What makes the quick preset a matter of seconds. Batches are smaller than a split and don't divide it.
SMALL: Mapping[str, Any] = {
    "precision": "float32",
    "test_time_flip": True,
    "prepare.source": "source",
    "prepare.train": TRAIN,
    "prepare.validation": VALIDATION,
    "prepare.test": TEST,
    "backbone.weights": "random",
    "extract_features.image_size": IMAGE_SIZE,
    "extract_features.batch_size": 5,
    "extract_features.views": 2,
    "augmentation.rotation": 0.1,
    "augmentation.zoom": 0.2,
    **{f"{stage}.batch_size": 4 for stage in TRAINING if stage != "train_probe"},
    **{f"{stage}.epochs": 4 for stage in TRAINING if stage != "train_probe"},
    "train_scratch.image_size": SCRATCH_SIZE,
    "train_scratch.epochs": 3,
    "train_scratch_augmented.image_size": SCRATCH_SIZE,
    "train_scratch_augmented.epochs": 3,
    "train_probe.strengths": [100.0, 10.0, 1.0],
    "train_head.units": 8,
    "train_augmented.units": 8,
    "finetune.epochs": 2,
    "evaluate.learning_curve": [0.5, 1.0],
    "evaluate.curve_repeats": 2,
    "evaluate.gallery": 4,
    "evaluate.suspects": 4,
    "explain.channels": 3,
    "explain.layers": ["block1_conv2", "block3_conv1"],
    "explain.filters": 2,
    "explain.steps": 4,
    "explain.answers": 2,
}

# What makes of it two folds in two repeats, a few epochs each.
IN_FOLDS: Mapping[str, Any] = {
    "test_time_flip": False,
    "repeats": 2,
    "prepare__folds": 2,
    "prepare__train": "auto",
    "prepare__validation": 0.3,
    "prepare__test": "auto",
    "train_scratch__epochs": 1,
    "train_scratch_augmented__epochs": 1,
    "train_head__epochs": 2,
    "train_augmented__epochs": 2,
    "finetune__epochs": 1,
    "finetune__unfreeze": 2,
}


@dataclass
class Finished:
    """A project folder in which every stage has run.

    Attributes:
        folder: where it is.
        reads: the parameters that each stage read, as (name of the section's type, name).
    """

    folder: Path
    reads: dict[str, set[tuple[str, str]]] = field(default_factory=dict)


def write_source(folder: Path) -> None:
    """Fill a folder with pictures of three classes, alike within a class: each has a colour of its own."""
    random = np.random.default_rng(seed=0)
    for place, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for number in range(TRAIN + VALIDATION + TEST):
            picture = random.integers(0, 120, (40, 48, 3), np.uint8)
            picture[..., place] += 120
            (folder / name / f"{number}.png").write_bytes(encode(picture, "PNG"))


def write_params(**changes: Any) -> None:
    """Write params.yaml: the quick preset made small, with ``changes`` by dotted names, ``__`` for the dot."""
    values = params.read(ROOT / "presets" / "quick.yaml")
    put(values, {**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})
    Path("params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def put(values: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Set parameters by dotted names."""
    for name, value in changes.items():
        *sections, parameter = name.split(".")
        holder = values
        for section in sections:
            holder = holder[section]
        holder[parameter] = value


def trained_by(section: Section, **changes: Any) -> dict[str, Any]:
    """The values of a section that says how something is trained, changed; names of its recipe are put there."""
    values = section.model_dump()
    recipe = {name: changes.pop(name) for name in list(changes) if name in MixingRecipe.model_fields}
    return values | changes | {"recipe": values["recipe"] | recipe}


def run(*stages: str) -> None:
    """Run stages in this process, in the current folder."""
    runtime.start(seed=0)
    import keras

    for stage in stages:
        # As in a process of its own: Keras counts the layers it has named.
        keras.utils.clear_session(free_memory=False)
        keras.config.set_dtype_policy("float32")
        importlib.import_module(f"stages.{stage}").main()


def outputs(*folders: str) -> dict[str, bytes]:
    """Every file below the folders with its content, without the times, which may differ."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and path.name != "timings.json"
    }


def small_base(size: int = 16, name: str = "small") -> Any:
    """A frozen base of five layers in one line, for what does not need VGG16: 3 weighted, 2 pooling.

    Its images are preprocessed as those of the base of its name.
    """
    import keras

    def convolution(name: str) -> Any:
        initializer = keras.initializers.HeUniform(seed=len(name) + ord(name[-1]))
        return keras.layers.Conv2D(4, 3, padding="same", activation="relu", kernel_initializer=initializer, name=name)

    image = values = keras.Input((size, size, 3))
    pools = [keras.layers.MaxPooling2D(name=name) for name in ("pool1", "pool2")]
    for layer in (convolution("conv1"), pools[0], convolution("conv2"), convolution("conv3"), pools[1]):
        values = layer(values)
    base = keras.Model(image, values, name=name)
    base.trainable = False
    return base
