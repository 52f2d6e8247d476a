"""`headstart export`."""

from pathlib import Path
from typing import Annotated

import typer

from headstart.commands.project import Place, run
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.models.strategies import Strategy

EXPORTED = paths.MODELS / "exported"

EXAMPLES = """\b
examples:
  headstart export
  headstart export --strategy head --output ~/birds
"""


def export(
    strategy: Annotated[Strategy | None, typer.Option(help="Export this strategy instead of the winner.")] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help=f"Where to; the project's {EXPORTED} if left out.")
    ] = None,
) -> None:
    r"""Write the winner of the comparison, or another strategy, as files that run without this project.

    model.keras takes RGB images of any size, (n, height, width, 3), 0 to 255, and gives calibrated probabilities,
    (n, classes); model.onnx takes the same as uint8. Resizing, preprocessing, base, classifier and calibration are
    inside, in float32. model.json names the classes in the order of the probabilities; the ONNX file holds that as
    metadata, too.

    \b
        classes = json.load(open("model.json"))["classes"]
        keras.saving.load_model("model.keras")(images)
        onnxruntime.InferenceSession("model.onnx").run(None, {"pixels": images})

    Turn photographs upright first, as their EXIF data says: PIL.ImageOps.exif_transpose(image).convert("RGB").
    """

    def work(place: Place) -> int:
        folder = EXPORTED if output is None else place.inside(output)
        if folder.exists() and not folder.is_dir():
            raise InputError(f"--output: {output}: a file, expected a folder: name another one")

        from headstart.base import runtime
        from headstart.deploying import exporting
        from headstart.scoring import winner

        trained = winner.find(strategy)
        runtime.start(seed=0)
        runtime.set_policy("float32")
        for path in exporting.export(trained, folder):
            print(place.shown(path))
        return 0

    run(work)
