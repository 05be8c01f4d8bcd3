"""Every fact of every layer, against Keras: shapes, element types, masks, weights."""

from __future__ import annotations

from random import Random
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from nnspec.graph.model import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.weights import variables
from nnspec.layers import LAYERS
from nnspec.layers.base import LayerError
from nnspec.types import Dim, TensorType, substitute

from .cases import CASES, Case
from .drawn import draw_case

SIZES = ({"T": 7, "S": 2, "H": 9, "W": 8, "C": 3}, {"T": 4, "S": 5, "H": 6, "W": 11, "C": 1})

each_case = pytest.mark.parametrize("case", CASES, ids=str)


def symbolic(shape: tuple[int | Dim, ...]) -> tuple[int | None, ...]:
    return (None, *(size if isinstance(size, int) else None for size in shape))


def concrete(shape: tuple[int | Dim, ...], batch: int, sizes: dict[str, int]) -> tuple[Any, ...]:
    return (batch, *(substitute(size, sizes) for size in shape))


def mask_of(tensor: Any) -> Any:
    return getattr(tensor, "_keras_mask", None)


def check_symbolic(graph: Graph, model: keras.Model) -> None:
    for name, inferred in graph.output_types.items():
        tensor = model.output[name]
        assert tuple(tensor.shape) == symbolic(inferred.shape), name
        mask = mask_of(tensor)
        assert (mask is None) == (inferred.mask is None), name
        if mask is not None and inferred.mask is not None:
            assert tuple(mask.shape) == symbolic(inferred.mask), name


def check_eager(case: Case, graph: Graph, model: keras.Model, batch: int, sizes: dict[str, int]) -> None:
    outputs = model(case.data(batch, sizes))
    assert list(outputs) == list(graph.outputs)
    for name, inferred in graph.output_types.items():
        check_tensor(outputs[name], inferred, batch, sizes)


def check_tensor(tensor: Any, inferred: TensorType, batch: int, sizes: dict[str, int]) -> None:
    assert tuple(tensor.shape) == concrete(inferred.shape, batch, sizes)
    assert keras.backend.standardize_dtype(tensor.dtype) == inferred.dtype
    mask = mask_of(tensor)
    assert (mask is None) == (inferred.mask is None)
    if mask is not None and inferred.mask is not None:
        assert tuple(mask.shape) == concrete(inferred.mask, batch, sizes)


def check_weights(graph: Graph, model: keras.Model) -> None:
    ours = {name: (weight.shape, weight.trainable) for name, weight, _ in graph.weights()}
    theirs = {name: (tuple(v.shape), v.trainable) for name, v in variables(model, graph).items()}
    assert theirs == ours
    assert model.count_params() == graph.parameters
    assert sum(int(np.prod(v.shape)) for v in model.trainable_weights) == graph.trainable_parameters


@each_case
def test_layer_agrees_with_keras_in_shapes_masks_and_weights(case: Case) -> None:
    graph = case.graph()
    model = to_keras(graph, seed=1)
    check_symbolic(graph, model)
    check_weights(graph, model)
    set_weight_arrays(model, graph, case.weights(graph))
    for batch, sizes in zip((1, 5), SIZES, strict=True):
        check_eager(case, graph, model, batch, sizes)


@pytest.mark.parametrize("op", ["Concatenate", "Reshape", *(op for op in LAYERS.names() if op[-2:] in ("1D", "2D", "3D"))])
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
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


def test_every_layer_has_a_case() -> None:
    assert set(LAYERS.names()) == {case.op for case in CASES}


@pytest.mark.parametrize("op", LAYERS.names())
def test_every_argument_of_a_layer_is_set_in_a_case(op: str) -> None:
    arguments = set(LAYERS.get(op).model_fields)
    assert arguments == {name for case in CASES if case.op == op for name in case.arguments}
