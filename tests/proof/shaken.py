"""A model every tensor of which is moved by about one unit in the last place: what rounding inside it can do.

Parity asks how much outputs change with the last bit of what goes in. A net may damp that and still magnify the rounding of its
own steps (``x − tanh(x)`` near 0, the normalization of values that are nearly equal): no two computations of it agree closer.
"""

from __future__ import annotations

import onnx
from onnx import helper

__all__ = ["shaken"]

_UNIT = 1.2e-7
_WILD = 12345.678
"""So many turns of a sine, that its values pass for random."""


def shaken(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, where each float that an operator gives is followed by ``x + x · unit · sin(wild · x)``."""
    moved = onnx.ModelProto()
    moved.CopyFrom(model)
    inferred = onnx.shape_inference.infer_shapes(model)
    values = [*inferred.graph.value_info, *inferred.graph.output]
    floats = {value.name for value in values if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
    del moved.graph.node[:]
    moved.graph.initializer.append(helper.make_tensor("unit", onnx.TensorProto.FLOAT, [], [_UNIT]))
    moved.graph.initializer.append(helper.make_tensor("wild", onnx.TensorProto.FLOAT, [], [_WILD]))
    for node in model.graph.node:
        own = moved.graph.node.add()
        own.CopyFrom(node)
        for place, name in enumerate(node.output):
            if name in floats:
                own.output[place] = f"{name}/still"
                moved.graph.node.extend(_shake(name))
    return moved


def _shake(name: str) -> list[onnx.NodeProto]:
    still, turn, sine, share, shift = (f"{name}/{part}" for part in ("still", "turn", "sine", "share", "shift"))
    return [
        helper.make_node("Mul", [still, "wild"], [turn]),
        helper.make_node("Sin", [turn], [sine]),
        helper.make_node("Mul", [still, "unit"], [share]),
        helper.make_node("Mul", [share, sine], [shift]),
        helper.make_node("Add", [still, shift], [name]),
    ]
