"""Every fact of every layer, against Keras: shapes, element types, masks, weights."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.keras_backend import to_keras
from nnspec.layers import LAYERS
from nnspec.layers.base import LayerError
from nnspec.testing.case import Case
from nnspec.testing.claims import check_claims, check_eager, check_symbolic, check_weights

from .cases import CASES, SIZES
from .drawn import DRAWN, drawn

each_case = pytest.mark.parametrize("case", CASES, ids=str)


@each_case
def test_layer_agrees_with_keras_in_shapes_masks_and_weights(case: Case) -> None:
    check_claims(case, zip((1, 5), SIZES, strict=True))


@pytest.mark.parametrize("op", DRAWN)
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_drawn_layer_agrees_with_keras(op: str, data: st.DataObject) -> None:
    case = data.draw(drawn(op))
    try:
        graph = case.graph()
    except LayerError:
        if case.arguments.get("padding", "valid") in ("valid", "same", "causal"):  # Keras knows no other.
            with pytest.raises(ValueError):  # noqa: PT011  # Its words are its own.
                in_keras(case)
        return
    model = to_keras(graph, seed=1)
    check_symbolic(graph, model)
    check_weights(graph, model)
    # No window is larger than these, and Reshape can divide them by all it may.
    check_eager(case, graph, model, 2, {"H": 72, "W": 36})


def in_keras(case: Case) -> Any:
    """The case in Keras alone."""
    tensors = [keras.Input([size if isinstance(size, int) else None for size in x.shape]) for x in case.inputs.values()]
    return getattr(keras.layers, case.op)(**case.arguments)(tensors if "1" in case.inputs else tensors[0])


@pytest.mark.parametrize("op", LAYERS.names())
def test_every_argument_of_a_layer_is_set_in_a_case(op: str) -> None:
    arguments = set(LAYERS.get(op).model_fields)
    assert arguments == {name for case in CASES if case.op == op for name in case.arguments}
