"""The chapter's protocol as notebooks write it: plain Keras in float32, the base run in every epoch.

Each part reads params.yaml and data/prepared in the current folder and leaves its models in obvious/.
All settings are Headstart's: the same images, layers, optimizers and numbers of epochs.

Source: F. Chollet, Deep Learning with Python, 2nd edition (2021), section 8.3.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from stages.core import base, manifest, params, paths, weights
from stages.core.errors import InputError
from stages.core.progress import bar
from stages.core.schema import Params

_FOLDER = Path("obvious")


def start(seed: int) -> None:
    """Import TensorFlow as a notebook does: without determinism, which would switch off XLA."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(seed)
    _FOLDER.mkdir(exist_ok=True)


def extraction() -> None:
    """Run the base once over every image and keep the features."""
    import keras

    settings = params.load()
    model = _base(settings)
    for split in manifest.SPLITS:
        images = _images(split, settings)
        pixels = images.map(lambda values, labels: keras.applications.vgg16.preprocess_input(values))
        count = len(images.file_paths)
        features = model.predict(pixels, verbose=0, callbacks=[_by_batch("predict", count, settings)])
        np.save(_FOLDER / f"{split}.npy", features)
        np.save(_FOLDER / f"{split}-labels.npy", np.concatenate([labels for _, labels in images.as_numpy_iterator()]))


def head() -> None:
    """Train a classifier on the features."""
    import keras

    settings = params.load()
    train, validation = _features("train"), _features("validation")
    inputs = keras.Input(train[0].shape[1:])
    model = keras.Model(inputs, _classifier(inputs, settings))
    _fit(model, "head", train, validation, settings)


def augmented() -> None:
    """Train a classifier, the frozen base and the augmentation end to end."""
    import keras

    settings = params.load()
    change, size = settings.augmentation, settings.extract_features.image_size
    augmentation = keras.Sequential(
        [
            *([] if change.flip == "none" else [keras.layers.RandomFlip(change.flip)]),
            keras.layers.RandomRotation(change.rotation),
            keras.layers.RandomZoom(change.zoom),
        ],
        name="augmentation",
    )
    inputs = keras.Input((size, size, 3))
    pixels = keras.applications.vgg16.preprocess_input(augmentation(inputs))
    model = keras.Model(inputs, _classifier(_base(settings)(pixels), settings))
    _fit(model, "augmented", _images("train", settings), _images("validation", settings), settings)


def finetune() -> None:
    """Go on with the augmented model, the last layers of the base unfrozen."""
    import keras

    settings = params.load()
    model = keras.models.load_model(_FOLDER / "augmented.keras")
    last = settings.finetune.unfreeze
    whole = model.get_layer("vgg16")
    whole.trainable = True
    for layer in whole.layers[: len(whole.layers) - last]:
        layer.trainable = False
    _fit(model, "finetune", _images("train", settings), _images("validation", settings), settings)


def evaluation() -> None:
    """Score the three models on the test images."""
    import keras

    settings = params.load()
    features, labels = _features("test")
    count = len(labels)
    keras.models.load_model(_FOLDER / "head.keras").evaluate(features, labels, verbose=0)
    for name in ("augmented", "finetune"):
        model = keras.models.load_model(_FOLDER / f"{name}.keras")
        model.evaluate(_images("test", settings), verbose=0, callbacks=[_by_batch(f"test {name}", count, settings)])


PARTS = {
    "extraction": extraction,
    "head": head,
    "augmented": augmented,
    "finetune": finetune,
    "evaluation": evaluation,
}


def _base(settings: Params) -> Any:
    return base.build(weights.load(paths.WEIGHTS), settings.extract_features.image_size)


def _images(split: str, settings: Params) -> Any:
    """Return a split as batches of float32 images (n, size, size, 3) and labels (n,); training is shuffled.

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
        shuffle=split == "train",
        verbose=False,
    )
    found, expected = len(images.file_paths), sum(path.is_file() for path in folder.rglob("*"))
    if found != expected:
        raise InputError(
            f"{folder}: Keras takes {found:,} of {expected:,} images, expected all of them to compare with: "
            "choose images in JPEG, PNG, GIF or BMP"
        )
    return images


def _features(split: str) -> tuple[Any, Any]:
    return np.load(_FOLDER / f"{split}.npy"), np.load(_FOLDER / f"{split}-labels.npy")


def _classifier(features: Any, settings: Params) -> Any:
    """Put the chapter's classifier on feature maps; return probabilities."""
    import keras

    classes = sum(path.is_dir() for path in (paths.PREPARED / "train").iterdir())
    layers = settings.train_augmented
    values = keras.layers.Flatten()(features)
    values = keras.layers.Dense(layers.units, layers.activation)(values)
    values = keras.layers.Dropout(layers.dropout)(values)
    if classes == 2:
        return keras.layers.Dense(1, "sigmoid")(values)
    return keras.layers.Dense(classes, "softmax")(values)


def _fit(model: Any, name: str, train: Any, validation: Any, settings: Params) -> None:
    """Compile and fit, keeping the best epoch in ``obvious/<name>.keras``.

    ``train`` and ``validation`` are batches, or pairs of an array of features and an array of labels.
    """
    import keras

    how = getattr(settings, "finetune" if name == "finetune" else f"train_{name}")
    binary = model.output_shape[-1] == 1
    model.compile(
        loss="binary_crossentropy" if binary else "sparse_categorical_crossentropy",
        optimizer=keras.optimizers.get({"class_name": how.optimizer, "config": {"learning_rate": how.learning_rate}}),
        metrics=["accuracy"],
    )
    best = keras.callbacks.ModelCheckpoint(_FOLDER / f"{name}.keras", monitor="val_loss", save_best_only=True)
    examples = (
        {"x": train[0], "y": train[1], "batch_size": how.batch_size} if isinstance(train, tuple) else {"x": train}
    )
    with bar(f"fit {name}", how.epochs, " epochs") as progress:
        ended = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: progress.update(1))
        model.fit(**examples, validation_data=validation, epochs=how.epochs, callbacks=[best, ended], verbose=0)


def _by_batch(title: str, count: int, settings: Params) -> Any:
    """A callback that counts the images of ``predict`` or ``evaluate``."""
    import keras

    size = settings.extract_features.batch_size
    progress = bar(title, count, " images")

    def ended(batch: int, logs: Any) -> None:
        progress.update(min(size, count - batch * size))

    def finished(logs: Any) -> None:
        progress.close()

    return keras.callbacks.LambdaCallback(
        on_predict_batch_end=ended, on_predict_end=finished, on_test_batch_end=ended, on_test_end=finished
    )
