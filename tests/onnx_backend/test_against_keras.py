"""Every case of every layer, through Keras and through ONNX Runtime: the same numbers at every position, masked ones too."""

from __future__ import annotations

import onnx
import pytest

from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.session import runner
from nnspec.types import substitute

from ..layers.cases import CASES, Case
from .nets import in_keras

SIZES = ({"T": 7, "S": 2, "H": 9, "W": 8, "C": 3}, {"T": 4, "S": 5, "H": 6, "W": 11, "C": 1})


def prove(case: Case, graph: Graph, batches: list[tuple[int, dict[str, int]]], opset: int = 23) -> onnx.ModelProto:
    weights = case.weights(graph)
    model = to_onnx(graph, weights, opset=opset, masks=True)
    onnx.checker.check_model(model, full_check=True)
    run = runner(serialized(model))
    cases = [case.data(batch, sizes) for batch, sizes in batches]
    parity = measure(in_keras(graph, weights, masks=True), run, cases)
    assert parity.agrees, parity.differing
    for data, (batch, sizes) in zip(cases, batches, strict=True):
        for name, array in run(data).items():
            if not name.endswith("_mask"):
                type_ = graph.output_types[name]
                assert array.shape == (batch, *(substitute(size, sizes) for size in type_.shape))
                assert array.dtype.name == type_.dtype
    return model


@pytest.mark.parametrize("case", CASES, ids=str)
def test_onnx_runtime_answers_as_keras_does(case: Case) -> None:
    prove(case, case.graph(), list(zip((1, 5), SIZES, strict=True)))
