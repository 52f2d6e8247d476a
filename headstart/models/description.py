"""What is written of a trained model, beside its weights: ``model.json``."""

from pathlib import Path

from headstart.base import batches
from headstart.base.extraction import Extraction
from headstart.foundation import sha256
from headstart.foundation.framing import Framing
from headstart.foundation.records import Record
from headstart.models.architectures import Network
from headstart.settings.schema import Layers


class Decision(Record):
    """Which of two classes an image is given where one of them must not be missed."""

    positive: str  # that class
    threshold: float  # from which probability on an image is given it


class Inference(Record):
    """How a model's logits become the probabilities, and the class, that it was evaluated with."""

    temperature: float  # what divides the logits, fitted on the validation split
    flip: bool  # whether probabilities are the mean over an image and its mirror image
    decision: Decision | None = None  # None: the most probable class


class Description(Record):
    """Everything needed to build a trained model again.

    It has either a base with a classifier on it, or a network of its own.
    """

    strategy: str  # one of STRATEGIES
    extraction: Extraction | None  # the base and the features the model takes; None without a base
    classifier: Layers | None  # the classifier's layers; None without a base
    network: Network | None  # what was trained from scratch; None with a base
    classes: list[str]  # names of the classes, in the order of the probabilities
    unfreeze: int  # how many of the base's last layers are part of the model, trained
    trained_parameters: int  # how many weights were trained
    epochs: int  # how many epochs were run
    best_epoch: int  # the one whose weights these are
    versions: dict[str, str]  # of the libraries that trained it, by name
    # How its logits become probabilities; None before ``evaluate`` has found that out.
    inference: Inference | None = None

    @property
    def image_size(self) -> int:
        """Side of the images that the model sees, pixels."""
        return self._made_of.image_size

    @property
    def batch_size(self) -> int:
        """Images that are computed at once."""
        return self.extraction.batch_size if self.extraction else batches.SIZE

    @property
    def framing(self) -> Framing:
        """How a picture becomes what the model sees."""
        return self._made_of.framing

    @property
    def policy(self) -> str:
        """Precision policy of the base, or of the network."""
        return self._made_of.policy

    @property
    def _made_of(self) -> Extraction | Network:
        made_of = self.extraction or self.network
        assert made_of, "a model has a base or a network of its own"
        return made_of


def describe(folder: Path) -> Description:
    """Read what :func:`save` wrote about a model."""
    return Description.model_validate_json((folder / "model.json").read_bytes())


def weights_digest(folder: Path) -> str:
    """Digest of a saved model: equal for equal models."""
    return sha256.of_file(folder / "model.weights.h5")
