"""The chapter's protocol as notebooks write it: plain Keras in float32, the base run in every epoch.

Each part reads params.yaml and data/prepared in the current folder and leaves its models in obvious/.
All settings are Headstart's: the same images, layers, optimizers and numbers of epochs. ``found`` gets
the loops over batches.

Source: F. Chollet, Deep Learning with Python, 2nd edition (2021), section 8.3.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loops import EPOCHS, TRAINING, VALIDATION, Count, Loop
from headstart.base import base, weights
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.foundation.progress import bar
from headstart.images import manifest
from headstart.models.strategies import stage_of
from headstart.settings import params
from headstart.settings.schema import Classifier, Params

_FOLDER = Path("obvious")


def start(seed: int) -> None:
    """Import TensorFlow as a notebook does: without determinism, which would switch off XLA."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(seed)
    _FOLDER.mkdir(exist_ok=True)


def extraction(found: list[Loop]) -> None:
    """Run the base once over every image and keep the features."""
    import keras

    settings = params.load()
    model = _base(settings)
    for split in manifest.SPLITS:
        images = _images(split, settings, shuffle=False)
        pixels = images.map(lambda values, labels: keras.applications.vgg16.preprocess_input(values))
        counting = _counting(found, "predict", "base", len(images.file_paths), settings.extract_features.batch_size)
        features = model.predict(pixels, verbose=0, callbacks=[counting])
        np.save(_FOLDER / f"{split}.npy", features)
        labels = [images.class_names.index(Path(file).parent.name) for file in images.file_paths]
        np.save(_FOLDER / f"{split}-labels.npy", np.array(labels))


def head(found: list[Loop]) -> None:
    """Train a classifier on the features."""
    import keras

    settings = params.load()
    train, validation = _features("train"), _features("validation")
    inputs = keras.Input(train[0].shape[1:])
    model = keras.Model(inputs, _classifier(inputs, settings.train_head))
    _fit(model, "head", train, validation, settings, found)


def augmented(found: list[Loop]) -> None:
    """Train a classifier, the frozen base and the augmentation end to end."""
    import keras

    settings = params.load()
    change, size = settings.augmentation, settings.extract_features.image_size
    augmentation = keras.Sequential(
        [
            keras.layers.RandomFlip(change.flip),
            keras.layers.RandomRotation(change.rotation),
            keras.layers.RandomZoom(change.zoom),
        ],
        name="augmentation",
    )
    inputs = keras.Input((size, size, 3))
    pixels = keras.applications.vgg16.preprocess_input(augmentation(inputs))
    model = keras.Model(inputs, _classifier(_base(settings)(pixels), settings.train_augmented))
    _fit(model, "augmented", *_training_images(settings), settings, found)


def finetune(found: list[Loop]) -> None:
    """Go on with the augmented model, the last layers of the base unfrozen."""
    import keras

    settings = params.load()
    model = keras.models.load_model(_FOLDER / "augmented.keras")
    whole = model.get_layer("vgg16")
    last = base.count_unfrozen(whole, settings.finetune.unfreeze)
    whole.trainable = True
    for layer in whole.layers[: len(whole.layers) - last]:
        layer.trainable = False
    _fit(model, "finetune", *_training_images(settings), settings, found)


def evaluation(found: list[Loop]) -> None:
    """Score the three models on the test images."""
    import keras

    settings = params.load()
    features, labels = _features("test")
    size = settings.extract_features.batch_size
    for name in ("head", "augmented", "finetune"):
        model = keras.models.load_model(_FOLDER / f"{name}.keras")
        examples = {"x": features, "y": labels} if name == "head" else {"x": _images("test", settings, shuffle=False)}
        model.evaluate(**examples, verbose=0, callbacks=[_counting(found, "test", name, len(labels), size)])


PARTS = {
    "extraction": extraction,
    "head": head,
    "augmented": augmented,
    "finetune": finetune,
    "evaluation": evaluation,
}


def _base(settings: Params) -> Any:
    return base.build(settings.backbone.name, weights.load(paths.WEIGHTS), settings.extract_features.image_size)


def _images(split: str, settings: Params, shuffle: bool) -> Any:
    """Return a split as batches of float32 images (n, size, size, 3) and labels (n,).

    Raises:
        InputError: Keras can't read some of the images.
    """
    import keras

    folder = paths.PREPARED / split
    size = settings.extract_features.image_size
    images = keras.utils.image_dataset_from_directory(
        folder,
        image_size=(size, size),
        batch_size=settings.extract_features.batch_size,
        shuffle=shuffle,
        verbose=False,
    )
    found, expected = len(images.file_paths), sum(path.is_file() for path in folder.rglob("*"))
    if found != expected:
        raise InputError(
            f"{folder}: Keras takes {found:,} of {expected:,} images, expected all of them to compare with: "
            "choose images in JPEG, PNG, GIF or BMP"
        )
    return images


def _training_images(settings: Params) -> tuple[Any, Any]:
    return _images("train", settings, shuffle=True), _images("validation", settings, shuffle=False)


def _features(split: str) -> tuple[Any, Any]:
    return np.load(_FOLDER / f"{split}.npy"), _labels(split)


def _labels(split: str) -> Any:
    return np.load(_FOLDER / f"{split}-labels.npy")


def _classifier(features: Any, settings: Classifier) -> Any:
    """Put the chapter's classifier on feature maps; return probabilities."""
    import keras

    classes = sum(path.is_dir() for path in (paths.PREPARED / "train").iterdir())
    values = keras.layers.Flatten()(features)
    values = keras.layers.Dense(settings.units, settings.activation)(values)
    values = keras.layers.Dropout(settings.dropout)(values)
    if classes == 2:
        return keras.layers.Dense(1, "sigmoid")(values)
    return keras.layers.Dense(classes, "softmax")(values)


def _fit(model: Any, name: str, train: Any, validation: Any, settings: Params, found: list[Loop]) -> None:
    """Compile and fit, keeping the best epoch in ``obvious/<name>.keras``.

    ``train`` and ``validation`` are batches, or pairs of an array of features and an array of labels.
    """
    import keras

    how = getattr(settings, stage_of(name))
    model.compile(
        loss="binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy",
        optimizer=keras.optimizers.RMSprop(how.learning_rate),
        metrics=["accuracy"],
    )
    in_memory = isinstance(train, tuple)
    counts = {split: len(_labels(split)) for split in ("train", "validation")}
    best = keras.callbacks.ModelCheckpoint(_FOLDER / f"{name}.keras", monitor="val_loss", save_best_only=True)
    with bar(f"fit {name}", how.epochs, f" {EPOCHS}") as progress:
        model.fit(
            x=train[0] if in_memory else train,
            y=train[1] if in_memory else None,
            batch_size=how.batch_size if in_memory else None,
            shuffle=in_memory,
            validation_data=validation,
            epochs=how.epochs,
            callbacks=[
                best,
                _counting(found, "train", TRAINING, counts["train"], how.batch_size),
                _counting(found, "test", VALIDATION, counts["validation"], how.batch_size),
                keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: progress.update(1)),
            ],
            verbose=0,
        )


def _counting(found: list[Loop], method: str, title: str, images: int, batch_size: int) -> Any:
    """A callback that notes the batches of ``train``, ``test`` or ``predict``, as Keras calls its loops."""
    import keras

    counts: list[Count] = []

    def begin(*details: Any) -> None:
        counts.append(Count(found, title, "images"))

    def batch_end(batch: int, logs: Any) -> None:
        counts[-1].update(min(batch_size, images - batch * batch_size))

    first = "on_epoch_begin" if method == "train" else f"on_{method}_begin"
    return keras.callbacks.LambdaCallback(**{first: begin, f"on_{method}_batch_end": batch_end})
