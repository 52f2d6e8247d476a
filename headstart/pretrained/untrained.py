"""Random weights of a base, the same every time.

They do not follow the run's seed, because the stage that writes the weights would then run, and fetch the ImageNet
weights anew, whenever the seed changes.
"""

import math

import numpy as np

from headstart.base import network
from headstart.base.bases import KINDS
from headstart.base.lazy import keras
from headstart.base.weights import Tensors
from headstart.pretrained.imagenet import CANONICAL
from headstart.pretrained.shapes import Shapes

# What a normalisation starts with, and a bias.
_CONSTANT = {"bias": 0.0, "beta": 0.0, "gamma": 1.0, "moving_mean": 0.0, "moving_variance": 1.0}


def weights(name: str) -> Tensors:
    """Return random weights of the base ``name``: drawn as Keras draws them, but for depthwise convolutions.

    Kernels of these get the variance of He, Zhang, Ren & Sun (2015), 2 in the number of values that an output sums up.
    Keras counts those of all channels where an output sums up one; through the many such layers of a MobileNet
    everything would vanish.

    TensorFlow must have been started if the base is none of :data:`imagenet.CANONICAL`.
    """
    return draw(CANONICAL[name].shapes) if name in CANONICAL else _drawn_by_keras(name)


def draw(shapes: Shapes) -> Tensors:
    """Draw convolutions and normalisations without Keras: Glorot & Bengio's (2010) uniform kernels, no bias."""
    random = np.random.default_rng(seed=0)
    tensors: Tensors = {}
    for name, shape in shapes.items():
        variable = name.rpartition("/")[2]
        if variable in _CONSTANT:
            tensors[name] = np.full(shape, _CONSTANT[variable], np.float32)
            continue
        *window, channels_in, channels_out = shape
        if channels_out == 1:  # for each of the channels: they are taken separately
            bound = _depthwise_bound(shape)
        else:
            bound = math.sqrt(6 / (math.prod(window) * (channels_in + channels_out)))
        tensors[name] = random.uniform(-bound, bound, shape).astype(np.float32)
    return tensors


def _drawn_by_keras(name: str) -> Tensors:
    keras.utils.set_random_seed(0)
    model = network.construct(name, KINDS[name].least_size)
    generator = np.random.default_rng(seed=0)
    tensors: Tensors = {}
    for key, variable in network.variables(model).items():
        values = variable.value.numpy().astype(np.float32)
        layer, _, kind = key.partition("/")
        depthwise = kind == "kernel" and isinstance(model.get_layer(layer), keras.layers.DepthwiseConv2D)
        if depthwise or kind == "depthwise_kernel":
            bound = _depthwise_bound(values.shape)
            values = generator.uniform(-bound, bound, values.shape).astype(np.float32)
        tensors[key] = values
    return tensors


def _depthwise_bound(shape: tuple[int, ...]) -> float:
    return math.sqrt(6 / math.prod(shape[:2]))
