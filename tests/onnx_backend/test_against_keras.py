"""Every case of every layer, through Keras and through ONNX Runtime: the same numbers at every position, masked ones too."""

from __future__ import annotations

import pytest

from nnspec.onnx_backend.emit import OPSETS, to_onnx
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.session import runner
from nnspec.testing.case import Case
from nnspec.testing.proof import check_onnx

from ..layers.cases import CASES, SIZES


@pytest.mark.parametrize("case", CASES, ids=str)
def test_onnx_runtime_answers_as_keras_does(case: Case) -> None:
    check_onnx(case, zip((1, 5), SIZES, strict=True))


@pytest.mark.parametrize("opset", [OPSETS[0], 19, OPSETS[-1]])
def test_every_layer_answers_the_same_in_every_operator_set(opset: int) -> None:
    for case in CASES:
        graph = case.graph()
        weights, data = case.weights(graph), case.data(3, SIZES[0])
        usual, other = (runner(serialized(to_onnx(graph, weights, opset=number))) for number in (23, opset))
        parity = measure(usual, other, [data])
        assert parity.agrees, (str(case), parity.text())
