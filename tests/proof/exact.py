"""A written model computed by ONNX's own reference, every float in double precision: what the file says, whoever runs it.

ONNX Runtime 1.31 computes the logistic function as a half and something: however small it is, its last bit is one of about 1.
Where all gates of an LSTM are nearly shut, that is more of its outputs than parity allows; Keras is nearer to the truth, and no
file would make ONNX Runtime so. That is told from a mistake by what the file comes to, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from nnspec.onnx_backend.parity import measure
from nnspec.runtime.session import Arrays, Run

__all__ = ["exactly", "has_gates", "only_coarse"]

_GATES = {"GRU", "LSTM", "Sigmoid"}
_LAST_BIT = float(np.finfo("float32").eps)
"""Of a number of about 1."""

_FLOAT, _DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def has_gates(model: onnx.ModelProto) -> bool:
    """Whether ONNX Runtime computes logistic functions for it."""
    return any(node.op_type in _GATES for node in model.graph.node)


def only_coarse(reference: Run, found: Run, exact: Run, cases: Iterable[Arrays]) -> bool:
    """Whether all that is wrong is the last bit of gates: the reference is in parity with the exact model, and no number of
    ONNX Runtime's is further from it than that bit.

    Args:
        reference: Keras.
        found: ONNX Runtime.
        exact: The same file, exactly.
        cases: Batches of inputs.
    """
    cases = list(cases)
    if not measure(exact, reference, cases).agrees:
        return False
    for inputs in cases:
        given, wanted = found(inputs), exact(inputs)
        if not all(np.abs(given[name] - right.astype("float64")).max(initial=0) <= _LAST_BIT for name, right in wanted.items()):
            return False
    return True


def exactly(model: onnx.ModelProto) -> Run:
    """The model's answers, by its own names, as float64.

    Raises:
        Exception: Whatever the reference raises where it has not all that the model needs; also as it runs.
    """
    double = onnx.ModelProto()
    double.CopyFrom(model)
    _widen(double.graph)
    evaluator = ReferenceEvaluator(double)

    def run(inputs: Any) -> dict[str, Any]:
        arrays = {name: np.asarray(array) for name, array in inputs.items() if name in evaluator.input_names}
        wide = {name: array.astype("float64") if array.dtype == "float32" else array for name, array in arrays.items()}
        return dict(zip(evaluator.output_names, evaluator.run(None, wide), strict=True))

    return run


def _widen(graph: onnx.GraphProto) -> None:
    for tensor in graph.initializer:
        _widen_tensor(tensor)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == _FLOAT:
            value.type.tensor_type.elem_type = _DOUBLE
    for node in graph.node:
        _widen_attributes(node.op_type, node.attribute)


def _widen_attributes(operator: str, attributes: Iterable[AttributeProto]) -> None:
    for attribute in attributes:
        if attribute.type == AttributeProto.GRAPH:
            _widen(attribute.g)
        elif attribute.type == AttributeProto.TENSOR:
            _widen_tensor(attribute.t)
        elif operator == "Cast" and attribute.name == "to" and attribute.i == _FLOAT:
            attribute.i = _DOUBLE


def _widen_tensor(tensor: TensorProto) -> None:
    if tensor.data_type == _FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float64"), tensor.name))
