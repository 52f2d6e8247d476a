"""What measuring a machine gives."""

from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Base:
    """The base of a run."""

    features: Shape  # shape of its output for an image, (height, width, channels)
    trunk: Shape | None  # of the output that is kept for fine-tuning; None where nothing is kept
    weights: int  # how many numbers it is
    above_trunk: float  # part of its multiplications that lies above the trunk; 1 without one
    above_cut: float  # part that fine-tuning trains
    cut: Shape  # shape that fine-tuning starts from
    cut_is_kept: bool  # whether that is in a file of features or of the trunk already
    cut_from_trunk: bool  # whether it can be computed from the trunk's file
    patterns: int  # how many layers there are whose filters' patterns are looked for
    climbed: float  # cost of a step of gradient ascent for one filter of each of these layers, in passes of the base


@dataclass(frozen=True)
class Training:
    """What training something takes."""

    build: float  # seconds to build its model, as each training does
    compile: float  # seconds until the first step is done: they are compiled once for all trainings
    prepare: float  # seconds for each example, once for all trainings
    example: float  # seconds an example
    weights: int  # how many numbers its model has
    trained: int  # how many of them train
    memory: int  # bytes of the process at its peak


@dataclass(frozen=True)
class Measured:
    """What the parts of a run take on this machine. Times are seconds."""

    python: float  # a stage's start without TensorFlow
    tensorflow: float  # TensorFlow's start
    check: float  # proving that an image decodes, on one core
    decode: float  # decoding an image at the base's size, on one core
    build: float  # building the base
    compile: float  # the base's first call, beyond what a call takes
    image: float  # running the base over an image
    augment: float  # augmenting an image at the base's size
    scratch_augment: float  # likewise, at the size of the network that trains on views
    resampled: float  # what an image and class costs in a resample of the test images
    multiplications: float  # of matrices, on one core, a second
    base: Base  # what the base is
    trainings: dict[str, Training]  # by stage
    idle: int  # bytes of a process that has started TensorFlow and no more
    memory: int  # bytes of the process at the peak of extraction
