"""Every fact of every layer, against Keras: shapes, element types, masks, weights."""

from __future__ import annotations

from random import Random
from typing import Any

import keras
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer, LayerError
from nnspec.testing.case import Case
from nnspec.testing.claims import check_claims

from .cases import CASES, SIZES
from .drawn import draw_case

each_case = pytest.mark.parametrize("case", CASES, ids=str)


@each_case
def test_layer_agrees_with_keras_in_shapes_masks_and_weights(case: Case) -> None:
    check_claims(case, zip((1, 5), SIZES, strict=True))


# Keras builds these and fails when they run: strides that differ, and positions between free sizes. The third is ours alone.
LATER = ("DepthwiseConv1D", "DepthwiseConv2D", "UpSampling2D", "MaxUnpooling2D")
SLIDING = [op for op in LAYERS.names() if op[-2:] in ("1D", "2D", "3D") and op not in LATER]


@pytest.mark.parametrize("op", ["Concatenate", "Reshape", *SLIDING])
@settings(max_examples=10, derandomize=True, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False))
def test_what_a_layer_refuses_keras_refuses_too(op: str, random: Random) -> None:
    case = draw_case(random, op, fitting=False)
    assume(all("float" in x.dtype for x in case.inputs.values()))
    assume(case.arguments.get("padding", "valid") in ("valid", "same", "causal"))  # Keras knows no other.
    try:
        case.graph()
    except LayerError:
        with pytest.raises(ValueError):  # noqa: PT011  # Its words are its own.
            in_keras(case)


def in_keras(case: Case) -> Any:
    """The case in Keras alone."""
    tensors = [keras.Input([size if isinstance(size, int) else None for size in x.shape]) for x in case.inputs.values()]
    return getattr(keras.layers, case.op)(**case.arguments)(tensors if "1" in case.inputs else tensors[0])


@pytest.mark.parametrize("op", LAYERS.names())
def test_every_argument_of_a_layer_is_set_in_a_case(op: str) -> None:
    layer = LAYERS.get(op)
    assert issubclass(layer, Layer)
    arguments = set(layer.arguments())
    assert arguments == {name for case in CASES if case.op == op for name in case.arguments}
