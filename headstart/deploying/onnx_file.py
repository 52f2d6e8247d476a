"""A Keras network as an ONNX model: the same network, the same bytes in every run."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base.lazy import keras, tf
from headstart.foundation.framing import Fit
from headstart.images.fitting import PAD

if TYPE_CHECKING:
    import onnx

# The first with an antialiased Resize.
_OPSET = 18
# What tf2onnx appends to names to make them unique: numbers that differ from run to run.
_NUMBERS = re.compile(r"__\d+")


def convert(square: "keras.Model", fit: Fit, metadata: Mapping[str, str]) -> "onnx.ModelProto":
    """Turn what :func:`network.square_to_probabilities` gave into an ONNX model, with the resizing before it.

    ONNX Runtime resizes whole numbers as Pillow does, rounding after the rows and after the columns, so uint8 is what
    the model takes. The metadata are kept in the file beside the network.

    Returns:
        From ``pixels``, uint8 (n, height, width, 3), to ``probabilities``, float32 (n, classes).
    """
    import onnx
    import tf2onnx
    from onnx import helper

    size = square.input_shape[1]
    converted, _ = tf2onnx.convert.from_function(
        tf.function(lambda square_images: square(square_images, training=False), autograph=False),
        [tf.TensorSpec((None, size, size, 3), tf.float32, name="square")],
        opset=_OPSET,
        custom_op_handlers={"Log1p": (_log1p, [])},
    )
    nodes, constants = _in_order(converted.graph)
    fitting, fitting_constants = _fitting(fit)
    resizing = [
        *fitting,
        helper.make_node("Shape", ["pixels"], ["n"], "count", start=0, end=1),
        helper.make_node("Concat", ["n", "side"], ["shape"], "shape", axis=0),
        helper.make_node(
            "Resize",
            ["pixels" if fit == "stretch" else "fitted", "", "", "shape"],
            ["resized"],
            "resizing",
            mode="linear",
            antialias=1,
            exclude_outside=1,  # at the border as Pillow
            coordinate_transformation_mode="half_pixel",
        ),
        helper.make_node("Cast", ["resized"], ["square"], "float", to=onnx.TensorProto.FLOAT),
    ]
    side = helper.make_tensor("side", onnx.TensorProto.INT64, [3], [size, size, 3])
    graph = helper.make_graph(
        [*resizing, *nodes],
        "headstart",
        [helper.make_tensor_value_info("pixels", onnx.TensorProto.UINT8, ["n", "height", "width", 3])],
        [helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, ["n", square.output_shape[1]])],
        [side, *fitting_constants, *constants],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=converted.ir_version,
        producer_name="headstart",
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model


def _fitting(fit: Fit) -> "tuple[list[onnx.NodeProto], list[onnx.TensorProto]]":
    """Return nodes from ``pixels`` to ``fitted``, a square cut out or padded at whole pixels, and their constants."""
    from onnx import TensorProto, helper

    if fit == "stretch":
        return [], []
    reduce = "ReduceMin" if fit == "crop" else "ReduceMax"
    less = ["sides", "square_side"] if fit == "crop" else ["square_side", "sides"]
    nodes = [
        helper.make_node("Shape", ["pixels"], ["sides"], "sides", start=1, end=3),
        helper.make_node(reduce, ["sides"], ["square_side"], "square", keepdims=1),
        helper.make_node("Sub", less, ["spare"], "spare"),
        helper.make_node("Div", ["spare", "two"], ["before"], "before"),
    ]
    constants = [
        helper.make_tensor("two", TensorProto.INT64, [1], [2]),
        helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
    ]
    if fit == "crop":
        nodes += [
            helper.make_node("Add", ["before", "square_side"], ["stop"], "stop"),
            helper.make_node("Slice", ["pixels", "before", "stop", "axes"], ["fitted"], "crop"),
        ]
        return nodes, constants
    nodes += [
        helper.make_node("Concat", ["before", "before"], ["margins"], "margins", axis=0),
        helper.make_node("Pad", ["pixels", "margins", "grey", "axes"], ["fitted"], "pad"),
    ]
    return nodes, [*constants, helper.make_tensor("grey", TensorProto.UINT8, [], [PAD])]


def _log1p(context: Any, node: Any, name: str, arguments: list[Any]) -> None:
    """Have tf2onnx, which does not know log(1 + x), write it as a sum and a logarithm."""
    one = context.make_const(f"{name}_one", np.float32(1))
    total = context.make_node("Add", [node.input[0], one.output[0]])
    node.type = "Log"
    context.replace_inputs(node, [total.output[0]])


def _in_order(graph: "onnx.GraphProto") -> "tuple[list[onnx.NodeProto], list[onnx.TensorProto]]":
    """Return nodes and constants in the order of a walk from the output, renamed by their places in it.

    tf2onnx's own order and names hang on Python's hashes of texts, which differ from process to process.
    """
    makers = {output: node for node in graph.node for output in node.output}
    constants = {constant.name: constant for constant in graph.initializer}
    walked: dict[str, str] = {graph.input[0].name: "square", "": ""}
    names: Counter[str] = Counter()
    nodes: list[tuple[str, onnx.NodeProto]] = []
    used: list[onnx.TensorProto] = []
    waiting = [graph.output[0].name]
    while waiting:
        value = waiting[-1]
        node = makers.get(value)
        missing = [name for name in node.input if name not in walked] if node else []
        if missing:
            waiting.append(missing[0])
            continue
        waiting.pop()
        if value in walked:
            continue
        if node:
            name = _distinct(_NUMBERS.sub("", node.name), names)
            walked |= {output: f"{name}:{place}" for place, output in enumerate(node.output)}
            nodes.append((name, node))
        else:
            walked[value] = f"constant_{len(used)}"
            used.append(constants[value])
    walked[graph.output[0].name] = "probabilities"
    for name, node in nodes:
        node.name = name
        node.input[:] = [walked[value] for value in node.input]
        node.output[:] = [walked[value] for value in node.output]
    for constant in used:
        constant.name = walked[constant.name]
    return [node for _, node in nodes], used


def _distinct(name: str, names: Counter[str]) -> str:
    names[name] += 1
    return name if names[name] == 1 else f"{name}__{names[name]}"
