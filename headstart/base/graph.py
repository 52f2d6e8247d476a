"""The graph of a network: the order of its operations, and the places where it can be cut in two.

Most operations are layers; sums and products that Keras's networks write as ``x + y`` are not, but are named like them.
"""

from headstart.base.lazy import keras


def places(model: "keras.Model") -> dict[str, int]:
    """Return the place of every operation by its name, from 0; each comes after those that feed it."""
    return {operation.name: place for place, operation in enumerate(model.operations)}


def outputs(model: "keras.Model") -> dict[str, "keras.KerasTensor"]:
    """Return the symbolic output of every operation by its name, in order."""
    return {operation.name: operation.output for operation in model.operations}


def cuts(model: "keras.Model") -> list[str]:
    """Return the operations, in order, through whose single output everything later must pass.

    These are the articulation points of the graph (Hopcroft & Tarjan, 1973). Where all paths lead from one input to
    one output, they are the places in a topological order over which no edge jumps. Only those are named that give
    feature maps (images, height, width, channels).
    """
    made: dict[int, int] = {}  # the place where a tensor is made
    reach: list[int] = []  # for every place, the last one that its output goes to
    for place, operation in enumerate(model.operations):
        reach.append(place)
        made[id(operation.output)] = place
        for tensor in keras.tree.flatten(operation.input) if place else ():
            reach[made[id(tensor)]] = place
    found = []
    furthest = 0
    for place, operation in enumerate(model.operations):
        if furthest <= place and len(operation.output.shape) == 4:
            found.append(operation.name)
        furthest = max(furthest, reach[place])
    return found


def part(model: "keras.Model", lower: str, upper: str) -> "keras.Model":
    """Return what lies after the operation ``lower`` up to ``upper`` as a network that shares the weights.

    ``lower`` is one of :func:`cuts`, or the input.
    """
    tensors = outputs(model)
    start, end = tensors[lower], tensors[upper]
    if lower == upper:  # Keras can't make a model of nothing but an inner tensor
        start = end = keras.Input(batch_shape=start.shape, dtype=start.dtype)
    found = keras.Model(start, end, name=f"{model.name}_{upper}")
    if found.operations[0] is not model.operations[0]:
        # Saved weights hold this name, and the one that Keras gives counts the tensors of the process.
        found.operations[0].name = "input_layer"
    return found
