"""Checks of a layer's declarations (shapes, element types, masks, weights) against its Keras layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from nnspec.graph.model import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.call import mask_of
from nnspec.keras_backend.weights import variables
from nnspec.testing.case import Case
from nnspec.types import Dim, TensorType, substitute

Batch = tuple[int, Mapping[str, int]]
"""A batch size, and the values of symbols."""


class ProofError(AssertionError):
    """A layer's declaration differs from its Keras layer."""


def check_claims(case: Case, batches: Iterable[Batch]) -> None:
    """Check all declarations of a layer against its Keras layer, symbolically and on batches.

    Raises:
        ProofError: If one differs.
    """
    graph = case.graph()
    model = to_keras(graph, seed=1)
    check_symbolic(graph, model)
    check_weights(graph, model)
    set_weight_arrays(model, graph, case.weights(graph))
    for batch, sizes in batches:
        check_eager(case, graph, model, batch, sizes)


def check_symbolic(graph: Graph, model: keras.Model) -> None:
    """Check inferred shapes and masks against Keras's symbolic tensors."""
    for name, inferred in graph.output_types.items():
        tensor = model.output[name]
        _check(f"the shape of `{name}`", _open(inferred.shape), tuple(tensor.shape), "`infer`", "Keras's symbolic tensor")
        mask = mask_of(tensor)
        _check(f"whether `{name}` has a mask", inferred.mask is not None, mask is not None, "`mask`", "Keras's symbolic tensor")
        if mask is not None and inferred.mask is not None:
            _check(f"the mask of `{name}`", _open(inferred.mask), tuple(mask.shape), "`mask`", "Keras's symbolic tensor")


def check_weights(graph: Graph, model: keras.Model) -> None:
    """Check the weights against Keras's variables."""
    ours = {name: (weight.shape, weight.trainable) for name, weight, _ in graph.weights()}
    theirs = {name: (tuple(v.shape), v.trainable) for name, v in variables(model, graph).items()}
    _check("the weights", ours, theirs, "`weights`", "Keras")
    trained = sum(int(np.prod(v.shape)) for v in model.trainable_weights)
    counts = (model.count_params(), trained)
    _check("the parameters", (graph.parameters, graph.trainable_parameters), counts, "`weights`", "Keras")


def check_eager(case: Case, graph: Graph, model: keras.Model, batch: int, sizes: Mapping[str, int]) -> None:
    """Check inferred types against tensors that Keras computes."""
    outputs = model(case.data(batch, sizes), training=False)
    _check("the outputs", list(graph.outputs), list(outputs), "`infer`", "Keras")
    for name, inferred in graph.output_types.items():
        _check_tensor(name, outputs[name], inferred, batch, sizes)


def _check_tensor(name: str, tensor: Any, inferred: TensorType, batch: int, sizes: Mapping[str, int]) -> None:
    where = f"at a batch of {batch} and {dict(sizes)}, Keras's tensor"
    _check(f"the shape of `{name}`", _closed(inferred.shape, batch, sizes), tuple(tensor.shape), "`infer`", where)
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    _check(f"the element type of `{name}`", inferred.dtype, dtype, "`infer`", where)
    mask = mask_of(tensor)
    _check(f"whether `{name}` has a mask", inferred.mask is not None, mask is not None, "`mask`", where)
    if mask is not None and inferred.mask is not None:
        _check(f"the mask of `{name}`", _closed(inferred.mask, batch, sizes), tuple(mask.shape), "`mask`", where)


def _check(what: str, declared: Any, found: Any, who: str, other: str) -> None:
    if declared != found:
        raise ProofError(f"{what}: {who} returns {declared}; {other}: {found}")


def _open(shape: tuple[int | Dim, ...]) -> tuple[int | None, ...]:
    return (None, *(size if isinstance(size, int) else None for size in shape))


def _closed(shape: tuple[int | Dim, ...], batch: int, sizes: Mapping[str, int]) -> tuple[Any, ...]:
    return (batch, *(substitute(size, dict(sizes)) for size in shape))
