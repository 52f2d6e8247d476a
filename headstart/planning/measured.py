"""What measuring a machine gives."""

from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Base:
    """The base of a run.

    Attributes:
        features: shape of its output for an image, (height, width, channels).
        trunk: of the output that is kept for fine-tuning; None where nothing is kept.
        weights: how many numbers it is.
        above_trunk: part of its multiplications that lies above the trunk; 1 without one.
        above_cut: part that fine-tuning trains.
        cut: shape that fine-tuning starts from.
        cut_is_kept: whether that is in a file of features or of the trunk already.
        cut_from_trunk: whether it can be computed from the trunk's file.
        patterns: how many layers there are whose filters' patterns are looked for.
        climbed: cost of a step of gradient ascent for one filter of each of these layers, in passes of the base.
    """

    features: Shape
    trunk: Shape | None
    weights: int
    above_trunk: float
    above_cut: float
    cut: Shape
    cut_is_kept: bool
    cut_from_trunk: bool
    patterns: int
    climbed: float


@dataclass(frozen=True)
class Training:
    """What training something takes.

    Attributes:
        begin: seconds until its first steps are done: building it, and compiling them.
        example: seconds an example.
        weights: how many numbers its model has.
        trained: how many of them train.
        memory: bytes of the process at its peak.
    """

    begin: float
    example: float
    weights: int
    trained: int
    memory: int


@dataclass(frozen=True)
class Measured:
    """What the parts of a run take on this machine. Times are seconds.

    Attributes:
        python: a stage's start without TensorFlow.
        tensorflow: TensorFlow's start.
        check: proving that an image decodes, on one core.
        decode: decoding an image at the base's size, on one core.
        build: building the base.
        compile: the base's first call, beyond what a call takes.
        image: running the base over an image.
        augment: augmenting an image at the base's size.
        scratch_augment: likewise, at the size of the network that trains on views.
        resampled: what an image and class costs in a resample of the test images.
        multiplications: of matrices, on one core, a second.
        base: what the base is.
        trainings: by stage.
        idle: bytes of a process that has started TensorFlow and no more.
        memory: bytes of the process at the peak of extraction.
    """

    python: float
    tensorflow: float
    check: float
    decode: float
    build: float
    compile: float
    image: float
    augment: float
    scratch_augment: float
    resampled: float
    multiplications: float
    base: Base
    trainings: dict[str, Training]
    idle: int
    memory: int
