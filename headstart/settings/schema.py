"""The schema of params.yaml: every parameter's meaning, type, unit and range."""

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, field_validator

from headstart.base import bases
from headstart.base.precision import Setting
from headstart.foundation.encodings import is_text_encoding
from headstart.foundation.expression import compiled
from headstart.foundation.framing import FULL, Fit
from headstart.foundation.records import Record


class Section(Record):
    """A section of params.yaml."""


def _count(value: Any) -> int | float:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if whole or (isinstance(value, float) and 0 < value <= 1):
        return value  # type: ignore[no-any-return]
    raise ValueError("a whole number of images per class, 1 or more, or a fraction above 0.0 and up to 1.0")


Count = Annotated[int | float, PlainValidator(_count, json_schema_input_type=int | float)]


def _unfreeze(value: Any) -> int | str:
    if (isinstance(value, int) and not isinstance(value, bool) and value >= 0) or (isinstance(value, str) and value):
        return value
    raise ValueError("a whole number of layers, 0 or more, `last_block`, or the name of a layer")


Unfreeze = Annotated[int | str, PlainValidator(_unfreeze, json_schema_input_type=int | str)]
Order = Literal["number", "random"]


def _layers(value: Any) -> str | list[str]:
    if value == "auto" or (isinstance(value, list) and value and all(isinstance(name, str) for name in value)):
        return value  # type: ignore[no-any-return]
    raise ValueError("auto or a list of layer names, such as [block1_conv1, block5_conv1]")


LayerNames = Annotated[str | list[str], PlainValidator(_layers, json_schema_input_type=str | list[str])]


def _encoding(value: str) -> str:
    if value == "auto" or is_text_encoding(value):
        return value
    raise ValueError("auto or a code page such as cp866, gbk or utf-8")


def _pattern(value: str) -> str:
    if value != "none":
        compiled(value)
    return value


class Prepare(Section):
    """The subset split of the source."""

    source: str = Field(
        min_length=1,
        description="A folder, an archive (zip, tar), or an entry of data/catalog/. Relative to the project, "
        "or absolute.",
    )
    order: Order = Field(
        description="`number`: by the number in the file name, as the chapter does. `random`: shuffled by `seed`."
    )
    train: Count = Field(
        description="Training images per class, or the fraction of each class.",
        json_schema_extra={"unit": "images per class"},
    )
    validation: Count = Field(
        description="Validation images per class, or the fraction of each class.",
        json_schema_extra={"unit": "images per class"},
    )
    test: Count = Field(
        description="Test images per class, or the fraction of each class. Where the source is already split, all of "
        "each of its splits is used unless a number asks for less.",
        json_schema_extra={"unit": "images per class"},
    )
    white_level: int = Field(
        ge=1,
        le=FULL,
        description="The value that is white in images of 16 bits a channel, the same for every image: 4095 where an "
        "instrument of 12 bits wrote them. `prepare` says so when they use only a part of the range.",
        json_schema_extra={"unit": "levels"},
    )
    labels: str = Field(
        min_length=1,
        description="The table of labels, a CSV file inside the source, with the columns `image`, `label` and, if need "
        "be, `split` and `group`. `auto`: looked for. `none`: not read.",
    )
    pattern: Annotated[str, AfterValidator(_pattern)] = Field(
        description="Regular expression for the images' paths below the source, with the named groups `class`, `group` "
        "or both, and perhaps `split`, such as `(?P<class>[^/]+)_[0-9]+[.]jpg`. `none`: there isn't one."
    )
    group: Literal["given", "folder", "none"] = Field(
        description="What belongs together and is never divided between splits: `given`, what the pattern or the "
        "table say; `folder`, the folders below each class; `none`."
    )
    resplit: bool = Field(description="Whether splits that the source comes with are forgotten and drawn anew.")
    empty_classes: Literal["refuse", "leave_out"] = Field(
        description="What happens to a class without a single usable image: the run stops, or goes on without it."
    )
    name_encoding: Annotated[str, AfterValidator(_encoding)] = Field(
        description="Code page of the names in a zip archive that doesn't say it, such as `cp866` or `gbk`. `auto`: "
        "guessed, and printed."
    )


class Backbone(Section):
    """Which base, with which weights."""

    name: Annotated[str, AfterValidator(bases.known)] = Field(
        description="The base: `vgg16`, `resnet50`, `efficientnet_v2_b0` or another image classifier of Keras's; "
        "[bases.md](bases.md) lists them."
    )
    weights: str = Field(
        min_length=1,
        description="`imagenet`: fetched and verified. `random`: untrained. Otherwise a file that holds the base's "
        "ImageNet weights.",
    )


class ExtractFeatures(Section):
    """One pass of the frozen base over every image."""

    image_size: int = Field(
        ge=32,
        le=1024,
        description="Side of the square each image is resized to, pixels. Some bases take no less than 71 or 75.",
        json_schema_extra={"unit": "pixels"},
    )
    fit: Fit = Field(
        description="How a picture that is not square becomes one, for the strategies without a base as well: "
        "`stretch` scales both sides separately, as the chapter does; `crop` cuts out the largest square in the "
        "middle; `pad` adds grey beside it."
    )
    batch_size: int = Field(
        ge=1, le=1024, description="Images the base takes at once.", json_schema_extra={"unit": "images"}
    )
    views: int = Field(
        ge=0,
        le=1000,
        description="Augmented views of each training image, computed once and kept. 0 augments anew in every "
        "epoch, which runs the base every time.",
        json_schema_extra={"unit": "views"},
    )
    trunk: str = Field(
        min_length=1,
        description="Layer of the base whose output is kept for `finetune`, so that it need not run the layers "
        "up to there again. `auto`: the one that the base's last block starts from, `block4_pool` of VGG16. `none` "
        "keeps nothing.",
    )


class Augmentation(Section):
    """Random changes of training images; validation and test images never change."""

    flip: Literal["none", "horizontal", "vertical", "both"] = Field(
        description="Mirror at random: left to right, top to bottom, or either."
    )
    rotation: float = Field(
        ge=0,
        le=0.5,
        description="Largest rotation either way, as a fraction of a full turn.",
        json_schema_extra={"unit": "full turns"},
    )
    zoom: float = Field(
        ge=0,
        le=0.9,
        description="Largest zoom in or out, as a fraction of the image's side.",
        json_schema_extra={"unit": "image sides"},
    )
    shift_horizontal: float = Field(
        ge=0, le=0.5, description="Largest shift to the left or right.", json_schema_extra={"unit": "image widths"}
    )
    shift_vertical: float = Field(
        ge=0, le=0.5, description="Largest shift up or down.", json_schema_extra={"unit": "image heights"}
    )
    shear: float = Field(
        ge=0,
        le=1,
        description="Largest shear along either axis, as the tangent of its angle: 0.1 moves a row of pixels aside by "
        "a tenth of its distance from the middle.",
        json_schema_extra={"unit": "tangent"},
    )
    brightness: float = Field(
        ge=0,
        le=1,
        description="Most that is added to or taken from every value, as a fraction of the whole range.",
        json_schema_extra={"unit": "of 0 to 255"},
    )
    contrast: float = Field(
        ge=0,
        le=1,
        description="Largest change of the contrast, a factor on the distance from each channel's mean: 0.2 draws it "
        "between 0.8 and 1.2.",
        json_schema_extra={"unit": "of the distance"},
    )
    fill: Literal["reflect", "nearest", "constant", "wrap"] = Field(
        description="What stands outside the image: its mirror image, its border's pixels, black, or the image again."
    )
    randaugment: int = Field(
        ge=0,
        le=10,
        description="Operations that RandAugment draws for each view, out of fourteen changes of colour and geometry, "
        "beside all of the above; 0 for none.",
        json_schema_extra={"unit": "operations"},
    )
    randaugment_magnitude: int = Field(
        ge=0,
        le=10,
        description="How strong these operations are: 10 is the end of the paper's ranges, such as 30 degrees of "
        "rotation, 45 % of the side for a shift.",
        json_schema_extra={"unit": "tenths"},
    )


class Recipe(Section):
    """Switches of today's recipes, each off unless it is set."""

    schedule: Literal["constant", "cosine", "one_cycle"] = Field(
        description="How the rate goes on, step by step. `constant`: stays. `cosine`: falls to 0 along half a cosine. "
        "`one_cycle`: rises from a tenth of the rate and falls back to it, in straight lines, over nine tenths of the "
        "steps, and then to a thousandth."
    )
    warmup: float = Field(
        ge=0,
        description="Epochs, or a part of one, over which the rate first rises from 0 in a straight line. 0.0 for "
        "`one_cycle`, which rises by itself.",
        json_schema_extra={"unit": "epochs"},
    )
    weight_decay: float = Field(
        ge=0,
        le=1,
        description="Part of each weight, times the rate, that each step takes away: decoupled weight decay, the same "
        "for every optimizer. Biases don't decay. 0.0 is off.",
        json_schema_extra={"unit": "of the weights"},
    )
    label_smoothing: float = Field(
        ge=0,
        lt=1,
        description="Part of each training label spread over all classes alike. The validation loss takes labels as "
        "they are. 0.0 is off.",
        json_schema_extra={"unit": "of the labels"},
    )
    average: float = Field(
        ge=0,
        lt=1,
        description="Validate and keep an exponential moving average of the weights: the part of it that stays in "
        "each step. It starts lower, so that it forgets where training began. 0.0 is off.",
        json_schema_extra={"unit": "of the average"},
    )

    @field_validator("warmup")
    @classmethod
    def _fits_the_schedule(cls, warmup: float, entry: ValidationInfo) -> float:
        if warmup and entry.data.get("schedule") == "one_cycle":
            raise ValueError("0.0 with the schedule one_cycle, which rises by itself")
        return warmup


class MixingRecipe(Recipe):
    """The same where training is on augmented images, which can be mixed."""

    mixup: float = Field(
        ge=0,
        le=100,
        description="Mix each image of a batch with another, and their labels alike; the share is drawn for each batch "
        "from the distribution Beta(α, α), and this is α. Mixed is what training starts from: on a base feature maps "
        "(manifold mixup), not pixels. 0.0 is off.",
        json_schema_extra={"unit": "α"},
    )
    cutmix: float = Field(
        ge=0,
        le=100,
        description="Likewise, but replace a rectangle, at the same place throughout a batch, by that of the other "
        "image; the share is that of the area. Where `mixup` is on too, each batch takes one of the two at random. "
        "0.0 is off.",
        json_schema_extra={"unit": "α"},
    )


class Optimization(Section):
    """How something is trained."""

    optimizer: Literal["adam", "rmsprop", "sgd"] = Field(
        description="Keras's optimizer of that name. AdamW is `adam` with a `weight_decay`."
    )
    learning_rate: float = Field(gt=0, le=10, description="Step size of the optimizer, at the top of its `schedule`.")
    batch_size: int = Field(ge=1, le=4096, description="Images in one step.", json_schema_extra={"unit": "images"})
    epochs: int = Field(
        ge=1,
        le=10000,
        description="Passes over the training images, at the most. A `schedule` is laid out over them.",
        json_schema_extra={"unit": "epochs"},
    )
    patience: int = Field(
        ge=0,
        description="Stop after this many epochs without a lower validation loss; 0 runs every epoch. The best "
        "epoch is what is kept either way.",
        json_schema_extra={"unit": "epochs"},
    )

    recipe: Recipe = Field(description="What recipes since the chapter's add to the training.")

    @field_validator("recipe")
    @classmethod
    def _warms_up_in_time(cls, recipe: Recipe, entry: ValidationInfo) -> Recipe:
        if recipe.warmup >= entry.data.get("epochs", math.inf):
            raise ValueError(f"a warmup of less than epochs, {entry.data['epochs']}")
        return recipe


class Architecture(Section):
    """The layers of a network without a pretrained base."""

    architecture: Literal["convnet", "convnet_small", "convnet_no_pooling", "vgg_small", "resnet34"] = Field(
        description="`convnet`: five convolutions with pooling between them, the chapter's for photographs. "
        "`convnet_small`: three of them, for images of some 28 pixels. `convnet_no_pooling`: the same without "
        "pooling, a counter-example. `vgg_small`: two blocks of two convolutions, two hidden layers. `resnet34`: "
        "residual units, 34 layers deep."
    )
    image_size: int = Field(
        ge=4,
        le=1024,
        description="Side of the square each image is resized to; each architecture has a least one.",
        json_schema_extra={"unit": "pixels"},
    )
    dropout: float = Field(
        ge=0,
        lt=1,
        description="Fraction of the values dropped in each training step: of those that enter the classifier, in "
        "`vgg_small` of each block's and each hidden layer's.",
        json_schema_extra={"unit": "of the values"},
    )


class Scratch(Optimization, Architecture):
    """A network without a pretrained base, and its training."""


class AugmentedScratch(Scratch):
    """The same on augmented images."""

    recipe: MixingRecipe = Field(description="What recipes since the chapter's add to the training.")


class Layers(Section):
    """The layers of a classifier on the features of the base."""

    pooling: Literal["flatten", "average"] = Field(
        description="How a feature map becomes a vector: every value, or each channel's mean."
    )
    scaling: Literal["none", "linear", "log"] = Field(
        description="How features are brought to a size that suits training. `linear`: divided by the training "
        "features' root mean square. `log`: sign(x) log(1 + |x|) of that, which tames the few very large ones. "
        "`none`: as the base gives them, up to several hundreds."
    )
    units: int = Field(
        ge=0, le=8192, description="Units of the hidden layer; 0 for none.", json_schema_extra={"unit": "units"}
    )
    activation: Literal["linear", "relu", "gelu", "elu", "tanh"] = Field(description="Activation of the hidden layer.")
    dropout: float = Field(
        ge=0,
        lt=1,
        description="Fraction of the hidden values dropped in each training step.",
        json_schema_extra={"unit": "of the values"},
    )


class Classifier(Optimization, Layers):
    """A classifier on the features of the base, and its training."""


class AugmentedClassifier(Classifier):
    """The same on augmented views of the training images."""

    recipe: MixingRecipe = Field(description="What recipes since the chapter's add to the training.")


class Finetune(Optimization):
    """Training the last layers of the base together with the classifier."""

    recipe: MixingRecipe = Field(description="What recipes since the chapter's add to the training.")

    unfreeze: Unfreeze = Field(
        description="How many of the base's last layers train, those without weights counted as well; or the name of "
        "the first that trains; or `last_block`, of VGG16 the last 4. 0 trains the classifier alone.",
        json_schema_extra={"unit": "layers"},
    )
    rate_decay: float = Field(
        gt=0,
        le=1,
        description="Factor by which the rate falls from each unfrozen layer with weights to the one below. The "
        "classifier and the highest of them have the full rate. 1.0 is off.",
        json_schema_extra={"unit": "of the rate"},
    )
    gradual: int = Field(
        ge=0,
        description="Gradual unfreezing: epochs from one layer with weights joining the training to the one below "
        "joining it. The classifier and the highest train from the start. 0 unfreezes all at once.",
        json_schema_extra={"unit": "epochs"},
    )


class Evaluate(Section):
    """The comparison on the test split."""

    gallery: int = Field(
        ge=1,
        le=100,
        description="Wrongly classified test images shown in the picture of mistakes.",
        json_schema_extra={"unit": "images"},
    )
    suspects: int = Field(
        ge=1, le=100, description="Images shown on each sheet of suspects.", json_schema_extra={"unit": "images"}
    )
    learning_curve: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        description="Fractions of the training images that the learning curve is drawn at; none draws none.",
        json_schema_extra={"unit": "of the images"},
    )
    curve_repeats: int = Field(
        ge=1,
        le=100,
        description="Draws of each fraction; the curve's band holds the spread between them.",
        json_schema_extra={"unit": "draws"},
    )


class Explain(Section):
    """Pictures of what the networks look at and respond to."""

    image: str = Field(
        min_length=1,
        description="Image whose activations are shown: a path of data/prepared/manifest.csv. `auto`: the test image "
        "that the best strategy places right most surely.",
    )
    channels: int = Field(
        ge=1,
        le=1024,
        description="Channels shown of each layer's activations, evenly spaced over all it has.",
        json_schema_extra={"unit": "channels"},
    )
    layers: LayerNames = Field(
        description="Convolutions whose filters are shown. `auto`: the first one at each resolution, in VGG16 the "
        "first of each block."
    )
    filters: int = Field(
        ge=1,
        le=256,
        description="Filters shown of each of these, evenly spaced over all it has.",
        json_schema_extra={"unit": "filters"},
    )
    steps: int = Field(
        ge=1,
        le=10000,
        description="Steps of the ascent from noise to the pattern of a filter.",
        json_schema_extra={"unit": "steps"},
    )
    rate: float = Field(
        gt=0,
        le=255,
        description="Change of the image in each step, root mean square.",
        json_schema_extra={"unit": "grey levels"},
    )
    answers: int = Field(
        ge=1,
        le=100,
        description="Right answers, and as many wrong ones, whose heat maps are shown for each strategy: of each class "
        "the surest, then the next of each.",
        json_schema_extra={"unit": "answers"},
    )


class Params(Section):
    """All of params.yaml."""

    seed: int = Field(
        ge=0, le=2**31 - 1, description="Start of every random choice: split, augmentation, weights, dropout."
    )
    precision: Setting = Field(
        description="Arithmetic of the base, of fine-tuning and of training from scratch. `auto` takes bfloat16 where "
        "the processor or GPU computes it in hardware, float32 elsewhere."
    )
    test_time_flip: bool = Field(
        description="Whether a strategy's probabilities are the mean over an image and its mirror image, left to "
        "right. Costs a second run of the base over validation and test images. Not for classes that mirroring "
        "confuses, such as letters or left and right hands."
    )
    repeats: int = Field(
        ge=1,
        le=100,
        description="How often each strategy is trained, with different seeds, to show how much of a difference is "
        "chance. The model with the lowest validation loss is kept.",
        json_schema_extra={"unit": "trainings"},
    )
    prepare: Prepare
    backbone: Backbone
    extract_features: ExtractFeatures
    augmentation: Augmentation
    train_scratch: Scratch
    train_scratch_augmented: AugmentedScratch
    train_head: Classifier
    train_augmented: AugmentedClassifier
    finetune: Finetune
    evaluate: Evaluate
    explain: Explain
