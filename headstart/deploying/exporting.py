"""Writes a trained strategy as files that run without this project."""

import json
from contextlib import ExitStack
from pathlib import Path

from headstart.deploying import network, onnx_file
from headstart.foundation.atomic import replacing, write_json
from headstart.models import predictor
from headstart.scoring.winner import Trained


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
        "base_weights": description.extraction.origin.in_words() if description.extraction else None,
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
