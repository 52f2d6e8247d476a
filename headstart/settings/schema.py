"""The schema of params.yaml: every parameter's meaning, type, unit and range."""

import math
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, field_validator

from headstart.base import bases
from headstart.base.precision import Setting
from headstart.foundation.encodings import is_text_encoding
from headstart.foundation.expression import compiled
from headstart.foundation.framing import FULL, Fit
from headstart.foundation.records import Record


class Section(Record):
    """A section of params.yaml. The text below each parameter, and its unit, are what docs/parameters.md shows."""


Kind = TypeVar("Kind", bound=Section)


def quantity(unit: str, **limits: Any) -> Any:
    """Declare a number: what it counts or is a part of, and pydantic's limits, such as ``ge`` and ``lt``."""
    return Field(json_schema_extra={"unit": unit}, **limits)


def _count(value: Any) -> int | float | str:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if whole or (isinstance(value, float) and 0 < value <= 1) or value == AUTO:
        return value  # type: ignore[no-any-return]
    raise ValueError(_COUNTS)


AUTO = "auto"
_COUNTS = "a whole number of images per class, 1 or more, or a fraction above 0.0 and up to 1.0"
Count = Annotated[int | float | str, PlainValidator(_count, json_schema_input_type=int | float | str)]


def _folds(value: int) -> int:
    if value == 1:
        raise ValueError("0 for none, or 2 or more")
    return value


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
    """The images that are used, and how they are divided."""

    source: str = Field(min_length=1)
    """A folder, an archive (zip, tar), or an entry of data/catalog/. Relative to the project, or absolute."""
    order: Order
    """Which images of a class are taken first. `number`: by the number in the file name, as the chapter does. `random`:
    shuffled by `seed`."""
    folds: Annotated[int, AfterValidator(_folds)] = quantity("folds", ge=0, le=100)
    """Cross-validation: every image is tested once, by a training that never saw it, in so many parts that are
    stratified by class; the splits that the source comes with are not used. Each strategy is trained once per
    fold, and once more on everything for the model that is kept. 0: one training on the splits below."""
    train: Count = quantity("images per class")
    """Training images per class, or a fraction of each class. `auto` with `folds`: all that are neither tested nor
    validated on."""
    validation: Count = quantity("images per class")
    """Validation images per class, or a fraction of each class. With `folds` a fraction of the images that a training
    isn't tested on."""
    test: Count = quantity("images per class")
    """Test images per class, or a fraction of each class. If the source is already split, all of each of its splits is
    used unless a number asks for less. `auto` with `folds`: every image in turn."""
    white_level: int = quantity("levels", ge=1, le=FULL)
    """The value that is white in images of 16 bits per channel, the same for every image: 4095 if a 12-bit instrument
    wrote them. `prepare` suggests a value if they use only part of the range."""
    labels: str = Field(min_length=1)
    """The table of labels, a CSV file inside the source, with the columns `image`, `label` and, optionally, `split` and
    `group`. `auto`: the one that is found. `none`: not read."""
    pattern: Annotated[str, AfterValidator(_pattern)]
    """Regular expression for the images' paths below the source, with the named groups `class`, `group` or both, and
    optionally `split`, such as `(?P<class>[^/]+)_[0-9]+[.]jpg`. `none`: not used."""
    group: Literal["given", "folder", "auto", "none"]
    """Which images belong together and are never divided between splits or folds. `given`: those that the pattern or
    the table groups. `folder`: those in the same folder below their class. `auto`: as `given`, and where an image has
    none, photographs that one camera took within seconds of each other, by their EXIF, and nearly identical pictures.
    `none`: no groups."""
    resplit: bool
    """Whether to ignore the splits that the source comes with and draw new ones."""
    empty_classes: Literal["refuse", "leave_out"]
    """What happens to a class without a usable image. `refuse`: the run stops. `leave_out`: it continues without that
    class."""
    name_encoding: Annotated[str, AfterValidator(_encoding)]
    """Code page of the names in a zip archive that doesn't declare one, such as `cp866` or `gbk`. `auto`: guessed, and
    printed."""

    @field_validator("train", "validation", "test")
    @classmethod
    def _fits_the_folds(cls, count: int | float | str, entry: ValidationInfo) -> int | float | str:
        folds = entry.data.get("folds", 0)
        if not folds and count == AUTO:
            raise ValueError(f"{_COUNTS}; auto is for prepare.folds")
        if folds and entry.field_name != "validation" and count != AUTO:
            raise ValueError(f"auto with prepare.folds={folds}, by which every image trains and is tested")
        if folds and entry.field_name == "validation" and not (isinstance(count, float) and count < 1):
            raise ValueError(f"a fraction below 1.0 with prepare.folds={folds}: of the images that aren't tested")
        return count

    @property
    def counts(self) -> dict[str, int | float]:
        """Images per class, or fractions, by split, where there are no folds."""
        counts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {split: count for split, count in counts.items() if not isinstance(count, str)}


class Backbone(Section):
    """Which base, with which weights."""

    name: Annotated[str, AfterValidator(bases.known)]
    """The base: `vgg16`, `xception`, `efficientnet_lite0` or another image classifier without its classifying layers;
    [bases.md](bases.md) lists them."""
    weights: str = Field(min_length=1)
    """`imagenet`: downloaded and verified. `random`: untrained. Otherwise a file with weights of this
    base, such as ones of your own: `.weights.h5`, `.h5`, `.keras` or `.npz`."""


class ExtractFeatures(Section):
    """One pass of the frozen base over every image."""

    image_size: int = quantity("pixels", ge=32, le=1024)
    """Side of the square that each image is resized to. Some bases need at least 71 or 75."""
    fit: Fit
    """How a picture that is not square becomes one, for the strategies without a base as well: `stretch` scales both
    sides separately, as the chapter does; `crop` cuts out the largest square in the middle; `pad` adds grey beside
    it."""
    batch_size: int = quantity("images", ge=1, le=1024)
    """Images that the base processes at once."""
    views: int = quantity("views", ge=0, le=1000)
    """Augmented views of each training image, computed once and kept. With 0, every epoch makes new views and runs the
    base on them."""
    trunk: str = Field(min_length=1)
    """Layer of the base whose output is kept for `finetune`, which then never runs the layers up to it. `auto`: the
    last one before the base's last block, `block4_pool` for VGG16. `none`: nothing is kept."""


class Augmentation(Section):
    """Random changes of training images; validation and test images never change."""

    flip: Literal["none", "horizontal", "vertical", "both"]
    """Mirror at random: left to right, top to bottom, or either."""
    rotation: float = quantity("full turns", ge=0, le=0.5)
    """Largest rotation either way, as a fraction of a full turn."""
    zoom: float = quantity("image sides", ge=0, le=0.9)
    """Largest zoom in or out, as a fraction of the image's side."""
    shift_horizontal: float = quantity("image widths", ge=0, le=0.5)
    """Largest shift to the left or right."""
    shift_vertical: float = quantity("image heights", ge=0, le=0.5)
    """Largest shift up or down."""
    shear: float = quantity("tangent", ge=0, le=1)
    """Largest shear along either axis, as the tangent of its angle: 0.1 moves a row of pixels aside by a tenth of its
    distance from the middle."""
    brightness: float = quantity("of 0 to 255", ge=0, le=1)
    """Largest amount added to or subtracted from every value, as a fraction of the whole range."""
    contrast: float = quantity("of the distance", ge=0, le=1)
    """Largest change of the contrast, a factor on the distance from each channel's mean: 0.2 draws it between 0.8 and
    1.2."""
    fill: Literal["reflect", "nearest", "constant", "wrap"]
    """What fills the area outside the image: its mirror image, its border pixels, black, or the image repeated."""
    randaugment: int = quantity("operations", ge=0, le=10)
    """Operations that RandAugment draws for each view, out of fourteen changes of colour and geometry, in addition to
    all of the above; 0 for none."""
    randaugment_magnitude: int = quantity("tenths", ge=0, le=10)
    """How strong these operations are: 10 is the end of the paper's ranges, for example 30 degrees of rotation, or a
    shift by 45 % of the side."""


class Recipe(Section):
    """Techniques newer than the chapter, each off unless it is set."""

    schedule: Literal["constant", "cosine", "one_cycle"]
    """How the learning rate changes, step by step. `constant`: not at all. `cosine`: falls to 0 along half a cosine.
    `one_cycle`: rises linearly from a tenth of the rate and falls back to it over nine tenths of the steps, then falls
    to a thousandth."""
    warmup: float = quantity("epochs", ge=0)
    """Epochs, whole or not, over which the rate first rises linearly from 0. Must be 0.0 for `one_cycle`, which has a
    rise of its own."""
    weight_decay: float = quantity("of the weights", ge=0, le=1)
    """Decoupled weight decay, the same for every optimizer: each step subtracts this fraction of each weight, times the
    rate. Biases don't decay. 0.0 is off."""
    label_smoothing: float = quantity("of the labels", ge=0, lt=1)
    """Fraction of each training label that is spread evenly over all classes. The validation loss uses the labels as
    they are. 0.0 is off."""
    average: float = quantity("of the average", ge=0, lt=1)
    """Decay of an exponential moving average of the weights, which is then validated and kept in place of the weights:
    the fraction of the average that stays in each step. It starts lower, so that the average forgets the initial
    weights. 0.0 is off."""

    @field_validator("warmup")
    @classmethod
    def _fits_the_schedule(cls, warmup: float, entry: ValidationInfo) -> float:
        if warmup and entry.data.get("schedule") == "one_cycle":
            raise ValueError("0.0 with the schedule one_cycle, which has a rise of its own")
        return warmup


class MixingRecipe(Recipe):
    """The same for training on augmented images, which can be mixed."""

    mixup: float = quantity("α", ge=0, le=100)
    """Mix each image of a batch with another, and their labels in the same proportion, which is drawn for each batch
    from the distribution Beta(α, α); this is α. With a base, the feature maps that training starts from are mixed
    (manifold mixup), not pixels. 0.0 is off."""
    cutmix: float = quantity("α", ge=0, le=100)
    """The same, but a rectangle, in the same place throughout a batch, is replaced by that of the other image; the
    proportion is that of the areas. If `mixup` is on as well, each batch uses one of the two at random. 0.0 is off."""


class Loss(Section):
    """What training lowers, and what validation images are judged by."""

    class_weight: Literal["none", "balanced"]
    """How much images count in the training and validation loss. `none`: all the same. `balanced`: in inverse
    proportion to the number of training images of their class, so that small classes count as much as large ones.
    Probabilities then fit a world in which all classes are equally frequent."""


class Optimization(Loss):
    """How something is trained."""

    optimizer: Literal["adam", "rmsprop", "sgd"]
    """The Keras optimizer of that name. AdamW is `adam` with a `weight_decay`."""
    learning_rate: float = Field(gt=0, le=10)
    """Step size of the optimizer, at the peak of its `schedule`."""
    batch_size: int = quantity("images", ge=1, le=4096)
    """Images in one step."""
    epochs: int = quantity("epochs", ge=1, le=10000)
    """Maximum number of passes over the training images. A `schedule` covers all of them."""
    patience: int = quantity("epochs", ge=0)
    """Stop after this many epochs without a lower validation loss; 0 runs every epoch. The best epoch is kept either
    way."""

    recipe: Recipe
    """Techniques newer than the chapter."""

    @field_validator("recipe")
    @classmethod
    def _warms_up_in_time(cls, recipe: Recipe, entry: ValidationInfo) -> Recipe:
        if recipe.warmup >= entry.data.get("epochs", math.inf):
            raise ValueError(f"a warmup of less than epochs, {entry.data['epochs']}")
        return recipe


class Architecture(Section):
    """The layers of a network without a pretrained base."""

    architecture: Literal["convnet", "convnet_small", "convnet_no_pooling", "vgg_small", "resnet34"]
    """`convnet`: five convolutions with pooling between them, the chapter's for photographs. `convnet_small`: three of
    them, for images of about 28 pixels. `convnet_no_pooling`: the same without pooling, a counter-example. `vgg_small`:
    two blocks of two convolutions, two hidden layers. `resnet34`: residual units, 34 layers deep."""
    image_size: int = quantity("pixels", ge=4, le=1024)
    """Side of the square that each image is resized to; each architecture has a minimum."""
    dropout: float = quantity("of the values", ge=0, lt=1)
    """Fraction of values dropped in each training step: of the classifier's inputs, and in `vgg_small` of each block's
    and each hidden layer's outputs."""


class Scratch(Optimization, Architecture):
    """A network without a pretrained base, and its training."""


class AugmentedScratch(Scratch):
    """The same on augmented images."""

    recipe: MixingRecipe
    """Techniques newer than the chapter."""


class Probe(Loss):
    """A linear probe: logistic regression on each channel's mean, standardised."""

    strengths: list[Annotated[float, Field(gt=0, le=1000000)]] = quantity("1 / C", min_length=1)
    """Strengths of the L2 penalty that are tried; the one with the lowest validation loss is kept. The penalty is half
    the strength times the sum of the squared weights, beside the sum of the images' losses: scikit-learn's C is 1 over
    it. If the strongest or the weakest is the best, the stage says so: extend the list."""


class Layers(Section):
    """The layers of a classifier on the features of the base."""

    pooling: Literal["flatten", "average"]
    """How a feature map becomes a vector: every value, or each channel's mean."""
    scaling: Literal["none", "linear", "log"]
    """How features are scaled for training. `linear`: divided by the training features' root mean square. `log`:
    sign(x) log(1 + |x|) of that, which tames the few very large ones. `none`: as the base gives them, up to several
    hundred."""
    units: int = quantity("units", ge=0, le=8192)
    """Units of the hidden layer; 0 for none."""
    activation: Literal["linear", "relu", "gelu", "elu", "tanh"]
    """Activation of the hidden layer."""
    dropout: float = quantity("of the values", ge=0, lt=1)
    """Fraction of the hidden values dropped in each training step."""


class Classifier(Optimization, Layers):
    """A classifier on the features of the base, and its training."""


class AugmentedClassifier(Classifier):
    """The same on augmented views of the training images."""

    recipe: MixingRecipe
    """Techniques newer than the chapter."""


class Finetune(Optimization):
    """Training the last layers of the base together with the classifier."""

    recipe: MixingRecipe
    """Techniques newer than the chapter."""

    unfreeze: Unfreeze = quantity("layers")
    """How many of the base's last layers train, counting those without weights; or the name of the first that trains;
    or `last_block`, which is the last 4 of VGG16. 0 trains the classifier alone."""
    rate_decay: float = quantity("of the rate", gt=0, le=1)
    """Factor by which the rate falls from each unfrozen layer with weights to the one below. The classifier and the
    highest of these layers have the full rate. 1.0 is off."""
    gradual: int = quantity("epochs", ge=0)
    """Gradual unfreezing: epochs between one layer with weights joining the training and the one below joining it. The
    classifier and the highest layer train from the start. 0 unfreezes all at once."""


class Evaluate(Section):
    """The comparison of strategies on images that they never saw."""

    gallery: int = quantity("images", ge=1, le=100)
    """Misclassified test images shown in the picture of mistakes."""
    suspects: int = quantity("images", ge=1, le=100)
    """Images shown on each sheet of suspects."""
    learning_curve: list[Annotated[float, Field(gt=0, le=1)]] = quantity("of the images")
    """Fractions of the training images at which the learning curve is drawn; an empty list draws none."""
    curve_repeats: int = quantity("draws", ge=1, le=100)
    """Draws of each fraction; the curve's band includes the spread between them. What twice the images would gain needs
    2 or more."""
    margin: float = quantity("of the images", gt=0, le=0.5)
    """Difference in accuracy that doesn't matter to you: a cheaper strategy will do where it can't be worse by more
    and more training images are not worth it where they can't gain more."""
    choose_by: Literal["log_loss", "balanced_log_loss"]
    """What decides on validation images which strategy wins. `log_loss`: the mean over images. `balanced_log_loss`: the
    mean over classes, so that a rare class counts as much as a common one."""
    target_accuracy: float = quantity("of the images", gt=0, le=1)
    """Accuracy wanted of predictions that nobody checks; the page says for how many images the models are sure enough
    for it."""
    positive_class: str = Field(min_length=1)
    """Of two classes the one that must not be missed, such as `defect`: validation images set from which probability on
    an image counts as one, in `headstart predict` too. `none`: the more probable class."""
    positive_recall: float = quantity("of the images", ge=0, le=1)
    """Share of the positive class's validation images to find; that sets the threshold. 0.0: `miss_cost` sets it."""
    miss_cost: float = quantity("false alarms", gt=0, le=1000000)
    """How many false alarms a missed image of the positive class costs."""


class Explain(Section):
    """Pictures of what the networks look at and respond to."""

    image: str = Field(min_length=1)
    """Image whose activations are shown: a path of data/prepared/manifest.csv. `auto`: the test image that the best
    strategy classifies correctly with the most confidence."""
    channels: int = quantity("channels", ge=1, le=1024)
    """Channels shown of each layer's activations, evenly spaced over all of them."""
    layers: LayerNames
    """Convolutions whose filters are shown. `auto`: the first one at each resolution, which in VGG16 is the first of
    each block."""
    filters: int = quantity("filters", ge=1, le=256)
    """Filters shown of each of these layers, evenly spaced over all of them."""
    steps: int = quantity("steps", ge=1, le=10000)
    """Steps of the ascent from noise to the pattern of a filter."""
    rate: float = quantity("grey levels", gt=0, le=255)
    """Change of the image in each step, root mean square."""
    answers: int = quantity("answers", ge=1, le=100)
    """Correct predictions, and as many wrong ones, whose heat maps are shown for each strategy: the most confident of
    each class, then the next of each."""


class Params(Section):
    """All of params.yaml."""

    seed: int = Field(ge=0, le=2**31 - 1)
    """Start of every random choice: split, augmentation, weights, dropout."""
    precision: Setting
    """Arithmetic of the base, of fine-tuning and of training from scratch. `auto` takes bfloat16 where the processor or
    GPU computes it in hardware, float32 elsewhere."""
    test_time_flip: bool
    """Whether a strategy's probabilities are the mean over an image and its mirror image, left to right. Costs a second
    run of the base over validation and test images. Not for classes that mirroring confuses, such as letters or left
    and right hands."""
    repeats: int = quantity("trainings, or rounds of folds", ge=1, le=100)
    """How often `train_probe`, `train_head` and `train_augmented` train, with different seeds, to show how much of a
    difference is chance. With `prepare.folds` each repeat draws the folds anew, so that the luck of which images train
    is in it as well; without, all repeats train on the same images, where the probe comes out the same each time, and
    the model with the lowest validation loss is kept."""
    repeats_of_networks: int = quantity("trainings, or rounds of folds", ge=1, le=100)
    """The same for `train_scratch`, `train_scratch_augmented` and `finetune`, which take minutes rather than seconds.
    At most `repeats`, since fine-tuning starts from the classifiers of `train_augmented`."""
    prepare: Prepare
    backbone: Backbone
    extract_features: ExtractFeatures
    augmentation: Augmentation
    train_scratch: Scratch
    train_scratch_augmented: AugmentedScratch
    train_probe: Probe
    train_head: Classifier
    train_augmented: AugmentedClassifier
    finetune: Finetune
    evaluate: Evaluate
    explain: Explain

    @field_validator("repeats_of_networks")
    @classmethod
    def _starts_from_a_classifier(cls, repeats: int, entry: ValidationInfo) -> int:
        if repeats > entry.data.get("repeats", repeats):
            raise ValueError(f"repeats, {entry.data['repeats']}, at the most")
        return repeats

    def sections(self, kind: type[Kind]) -> dict[str, Kind]:
        """Return the sections of a kind, such as those of every :class:`Classifier`, by name."""
        return {name: section for name, section in self if isinstance(section, kind)}
