"""Write the winner of the comparison, or another strategy, as files that run without this project.

model.keras takes RGB images of any size, (n, height, width, 3), 0 to 255, and gives calibrated probabilities,
(n, classes); model.onnx takes the same as uint8. Resizing, preprocessing, base, classifier and calibration are inside,
in float32. model.json names the classes in the order of the probabilities; the ONNX file holds that as metadata, too.

    classes = json.load(open("model.json"))["classes"]
    keras.saving.load_model("model.keras")(images)
    onnxruntime.InferenceSession("model.onnx").run(None, {"pixels": images})

Turn photographs upright first, as their EXIF data says: PIL.ImageOps.exif_transpose(image).convert("RGB").
"""

import argparse
import json
from contextlib import ExitStack
from pathlib import Path

from headstart.base import runtime
from headstart.deploying import network, onnx_file
from headstart.foundation import paths
from headstart.foundation.atomic import replacing, write_json
from headstart.foundation.entry import run
from headstart.foundation.errors import InputError
from headstart.models import predictor
from headstart.models.strategies import STRATEGIES
from headstart.scoring import winner
from headstart.scoring.winner import Trained

EXPORTED = paths.MODELS / "exported"


def main() -> int:
    """Read the command line, export, say what was written."""
    arguments = _parser().parse_args()
    if arguments.output.exists() and not arguments.output.is_dir():
        raise InputError(f"--output: {arguments.output}: a file, expected a folder: name another one")
    trained = winner.find(arguments.strategy)
    runtime.start(seed=0)
    runtime.set_policy("float32")
    for path in export(trained, arguments.output):
        print(path)
    return 0


def export(trained: Trained, folder: Path) -> list[Path]:
    """Write model.keras, model.onnx and model.json to ``folder``, once all three are finished.

    Equal models give equal files, but for the date that Keras puts into its own.

    Raises:
        InputError: a file of the model is missing or broken.
    """
    import onnx

    assembled = predictor.assemble(trained.folder, trained.base_weights)
    description = assembled.description
    square = network.square_to_probabilities(assembled, trained.inference)
    facts = {
        "classes": description.classes,
        "strategy": description.strategy,
        "base": description.extraction.base if description.extraction else None,
        "image_size": description.image_size,
        "fit": description.framing.fit,
        **trained.inference.model_dump(),
    }
    targets = [folder / name for name in ("model.keras", "model.onnx", "model.json")]
    with ExitStack() as stack:
        keras_file, onnx_target, facts_file = [stack.enter_context(replacing(path)) for path in targets]
        network.pixels_to_probabilities(square, description.framing.fit).save(keras_file)
        metadata = {name: json.dumps(value, ensure_ascii=False) for name, value in facts.items()}
        onnx.save(onnx_file.convert(square, description.framing.fit, metadata), onnx_target)
        write_json(facts_file, facts)
    return targets


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stages.export",
        description=__doc__,
        epilog="Example: python -m stages.export --strategy head --output ~/birds",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--strategy", choices=STRATEGIES, help="export this one, not the winner")
    parser.add_argument(
        "--output", metavar="FOLDER", type=Path, default=EXPORTED, help=f"where to; {EXPORTED} if left out"
    )
    return parser


if __name__ == "__main__":
    run(main)
