"""The bases that can be chosen: the image classifiers of Keras and some more, without their classifying layers.

This has only the facts that are needed before Keras is imported. Everything else about a base of Keras, its
preprocessing, the address and the digest of its weights, is asked of the installed Keras.
"""

import difflib
from dataclasses import dataclass

from headstart.foundation.errors import InputError


@dataclass(frozen=True)
class Kind:
    """A kind of base."""

    name: str  # what ``backbone.name`` calls it
    module: str  # of ``keras.applications``; its ``preprocess_input`` goes with the base
    constructor: str | None  # of ``keras.applications``; None where the module is one of this folder and builds it
    least_size: int = 32  # smallest side of the images that it takes, pixels
    usual_size: int = 224  # side of the images that its ImageNet weights are meant for, pixels

    @property
    def licence(self) -> str:
        """The licence of its ImageNet weights, as their publisher states it."""
        return _LICENCES.get(self.module, "Apache 2.0")


# Of ImageNet weights that are not Google's, by module.
_LICENCES = {
    "vgg16": "CC BY 4.0",
    "vgg19": "CC BY 4.0",
    "resnet": "MIT",
    "resnet_v2": "BSD",
    "xception": "MIT",
    "densenet": "BSD, 3 clauses",
    "convnext": "MIT",
}

KINDS = {
    kind.name: kind
    for kind in (
        Kind("vgg16", "vgg16", "VGG16"),
        Kind("vgg19", "vgg19", "VGG19"),
        Kind("resnet50", "resnet", "ResNet50"),
        Kind("resnet101", "resnet", "ResNet101"),
        Kind("resnet152", "resnet", "ResNet152"),
        Kind("resnet50_v2", "resnet_v2", "ResNet50V2"),
        Kind("resnet101_v2", "resnet_v2", "ResNet101V2"),
        Kind("resnet152_v2", "resnet_v2", "ResNet152V2"),
        Kind("xception", "xception", "Xception", least_size=71, usual_size=299),
        Kind("inception_v3", "inception_v3", "InceptionV3", least_size=75, usual_size=299),
        Kind("inception_resnet_v2", "inception_resnet_v2", "InceptionResNetV2", least_size=75, usual_size=299),
        Kind("mobilenet", "mobilenet", "MobileNet"),
        Kind("mobilenet_v2", "mobilenet_v2", "MobileNetV2"),
        Kind("mobilenet_v3_small", "mobilenet_v3", "MobileNetV3Small"),
        Kind("mobilenet_v3_large", "mobilenet_v3", "MobileNetV3Large"),
        Kind("densenet121", "densenet", "DenseNet121"),
        Kind("densenet169", "densenet", "DenseNet169"),
        Kind("densenet201", "densenet", "DenseNet201"),
        Kind("nasnet_mobile", "nasnet", "NASNetMobile"),
        Kind("nasnet_large", "nasnet", "NASNetLarge", usual_size=331),
        Kind("efficientnet_b0", "efficientnet", "EfficientNetB0"),
        Kind("efficientnet_b1", "efficientnet", "EfficientNetB1", usual_size=240),
        Kind("efficientnet_b2", "efficientnet", "EfficientNetB2", usual_size=260),
        Kind("efficientnet_b3", "efficientnet", "EfficientNetB3", usual_size=300),
        Kind("efficientnet_b4", "efficientnet", "EfficientNetB4", usual_size=380),
        Kind("efficientnet_b5", "efficientnet", "EfficientNetB5", usual_size=456),
        Kind("efficientnet_b6", "efficientnet", "EfficientNetB6", usual_size=528),
        Kind("efficientnet_b7", "efficientnet", "EfficientNetB7", usual_size=600),
        Kind("efficientnet_v2_b0", "efficientnet_v2", "EfficientNetV2B0"),
        Kind("efficientnet_v2_b1", "efficientnet_v2", "EfficientNetV2B1", usual_size=240),
        Kind("efficientnet_v2_b2", "efficientnet_v2", "EfficientNetV2B2", usual_size=260),
        Kind("efficientnet_v2_b3", "efficientnet_v2", "EfficientNetV2B3", usual_size=300),
        Kind("efficientnet_v2_s", "efficientnet_v2", "EfficientNetV2S", usual_size=384),
        Kind("efficientnet_v2_m", "efficientnet_v2", "EfficientNetV2M", usual_size=480),
        Kind("efficientnet_v2_l", "efficientnet_v2", "EfficientNetV2L", usual_size=480),
        Kind("efficientnet_lite0", "efficientnet_lite", None),
        Kind("efficientnet_lite1", "efficientnet_lite", None, usual_size=240),
        Kind("efficientnet_lite2", "efficientnet_lite", None, usual_size=260),
        Kind("convnext_tiny", "convnext", "ConvNeXtTiny"),
        Kind("convnext_small", "convnext", "ConvNeXtSmall"),
        Kind("convnext_base", "convnext", "ConvNeXtBase"),
        Kind("convnext_large", "convnext", "ConvNeXtLarge"),
        Kind("convnext_xlarge", "convnext", "ConvNeXtXLarge"),
    )
}


def known(name: str) -> str:
    """Return the name of a base as it is.

    Raises:
        ValueError: there is no such base; it names the nearest.
    """
    if name not in KINDS:
        raise ValueError(f"a base of docs/bases.md; nearest: {', '.join(nearest(name.lower(), list(KINDS)))}")
    return name


def check_size(name: str, image_size: int, parameter: str) -> None:
    """Check that the base ``name`` takes images of this side, pixels.

    Raises:
        InputError: they are too small; ``parameter`` is named as the culprit.
    """
    least = KINDS[name].least_size
    if image_size < least:
        raise InputError(
            f"{parameter}: found {image_size}, but {name} takes images of {least} pixels or more: "
            f"choose {least} to 1024"
        )


def nearest(name: str, names: list[str]) -> list[str]:
    """Return up to three of ``names`` that look like ``name``, the most similar first; at least one."""
    return difflib.get_close_matches(name, names, cutoff=0.5) or difflib.get_close_matches(name, names, 1, cutoff=0.0)
