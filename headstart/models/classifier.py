"""The classifier on the base's feature maps."""

from headstart.base.lazy import keras, tf
from headstart.settings.schema import Layers

# What Keras calls the classifier, alone and as part of a larger model.
NAME = "classifier"


def build(
    settings: Layers, feature_shape: tuple[int, ...], feature_rms: float, classes: int, seed: int
) -> "keras.Model":
    """Build a classifier, in float32 throughout: it is small, and its output must be exact.

    ``feature_shape`` is (height, width, channels); ``feature_rms`` is the root mean square of the training images'
    features. Random weights and dropout follow ``seed``.

    Returns:
        A model from feature maps (images, height, width, channels) to logits, float32 (images, units),
        units being 1 for two classes. :func:`probabilities` turns them into probabilities.
    """
    pooling = {"flatten": keras.layers.Flatten, "average": keras.layers.GlobalAveragePooling2D}
    features = keras.Input(feature_shape, dtype="float32", name="features")
    values = features
    if settings.scaling != "none":
        values = keras.layers.Rescaling(1 / feature_rms, dtype="float32", name="scaling")(values)
    if settings.scaling == "log":
        values = keras.ops.sign(values) * keras.ops.log1p(keras.ops.absolute(values))
    values = pooling[settings.pooling](dtype="float32", name="pooling")(values)
    if settings.units:
        initializer = keras.initializers.GlorotUniform(seed=seed)
        values = keras.layers.Dense(
            settings.units, settings.activation, kernel_initializer=initializer, dtype="float32", name="hidden"
        )(values)
    if settings.dropout:
        values = keras.layers.Dropout(settings.dropout, seed=seed, dtype="float32", name="dropout")(values)
    logits = keras.layers.Dense(
        output_units(classes),
        kernel_initializer=keras.initializers.GlorotUniform(seed=seed + 1),
        dtype="float32",
        name="logits",
    )(values)
    return keras.Model(features, logits, name=NAME)


def output_units(classes: int) -> int:
    """One unit (sigmoid) for two classes, one a class (softmax) for more."""
    return 1 if classes == 2 else classes


def probabilities(logits: "tf.Tensor") -> "tf.Tensor":
    """Turn logits (images, units) into probabilities (images, classes), rows summing to 1."""
    if logits.shape[1] == 1:
        return tf.concat([tf.sigmoid(-logits), tf.sigmoid(logits)], axis=1)
    return tf.nn.softmax(logits)


def loss(labels: "tf.Tensor", logits: "tf.Tensor", smoothing: float = 0.0) -> "tf.Tensor":
    """Cross-entropy of each image, float32 (images,), from its label, int (images,), and logits (images, units).

    ``smoothing`` is the part of the label spread evenly over all classes (Szegedy et al. 2016).
    """
    if logits.shape[1] == 1:
        targets = tf.cast(labels, tf.float32)
        if smoothing:
            targets = targets * (1 - smoothing) + smoothing / 2
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits[:, 0])
    if smoothing:
        even = smoothing / logits.shape[1]
        targets = tf.one_hot(labels, logits.shape[1], on_value=1 - smoothing + even, off_value=even)
        return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def correct(labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
    """Whether each image's likeliest class is its label, float32 (images,)."""
    likeliest = tf.cast(logits[:, 0] > 0, tf.int64) if logits.shape[1] == 1 else tf.argmax(logits, axis=1)
    return tf.cast(likeliest == tf.cast(labels, tf.int64), tf.float32)
