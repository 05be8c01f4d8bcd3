"""Weights by the spec's names: what does not fit is reported by name, and nothing is set."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from tests.layers.cases import Case, Input

CASE = Case("Dense", {"units": 3}, {"x": Input((4,))})


def test_what_is_missing_unknown_or_of_another_shape_is_named() -> None:
    net = CASE.graph()
    arrays = {"layer/kernl": np.zeros((4, 3)), "layer/bias": np.zeros((4,))}
    with pytest.raises(NnspecError) as caught:
        set_weight_arrays(to_keras(net), net, arrays)
    assert str(caught.value).splitlines()[1:] == [
        "  `layer/kernel` is missing",
        "  `layer/kernl` is not a weight of the model; did you mean `layer/kernel`?",
        "  `layer/bias` has the shape 4, expected 3",
    ]


def test_nothing_is_set_where_something_does_not_fit() -> None:
    net = CASE.graph()
    model = to_keras(net)
    before = weight_arrays(model, net)
    with pytest.raises(NnspecError):
        set_weight_arrays(model, net, {"layer/kernel": np.ones((4, 3)), "layer/bias": np.ones((4,))})
    assert np.array_equal(before["layer/kernel"], weight_arrays(model, net)["layer/kernel"])


def test_a_model_of_another_spec_is_refused() -> None:
    other = Case("Dense", {"units": 5}, {"x": Input((4,))}).graph()
    with pytest.raises(NnspecError, match="built from another spec: `layer` has"):
        weight_arrays(to_keras(CASE.graph()), other)
