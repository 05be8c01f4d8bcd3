"""Every layer can be computed in float64 in Keras: that decides where float32 leaves open whether two files agree."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from nnspec.exporting.keras_reference import keras_reference
from nnspec.layers import LAYERS
from nnspec.onnx_backend.float64 import distance
from nnspec.onnx_backend.samples import sizes
from nnspec.testing.case import Case

from .cases import CASES

BARE = {"Attention", "AdditiveAttention"}
"""Of these every case: what a row attends to that has no key left is decided by rounding in float32."""


def chosen() -> list[Case]:
    first = {case.op: case for case in reversed(CASES)}
    return [*first.values(), *(case for case in CASES if case.op in BARE and case is not first[case.op])]


@pytest.mark.parametrize("case", chosen(), ids=str)
def test_a_layer_computes_the_same_in_float64_but_for_rounding(case: Case) -> None:
    graph = case.graph()
    reference = keras_reference(graph, case.weights(graph))
    assert reference.exact is not None
    data = case.data(5, sizes(graph)[-1])
    found, exact = reference(data), reference.exact()(data)
    for name, array in exact.items():
        assert found[name].dtype != "float64"
        wide = array.astype(np.float64)
        assert distance(found[name].astype(np.float64), wide, wide) < 2e-6
    assert keras.config.floatx() == keras.config.dtype_policy().name == "float32"


def test_there_is_a_case_of_each_layer() -> None:
    assert {case.op for case in chosen()} == set(LAYERS.names())
