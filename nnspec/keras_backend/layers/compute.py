"""Tensor expressions as one Keras layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend.common.masking import get_keras_mask

from nnspec.expressions.sizes import read_size
from nnspec.functions.evaluation import NumpyRun, evaluate
from nnspec.functions.terms import BOOL, FLOAT, INT, Application, Term
from nnspec.keras_backend.layers.addition import add
from nnspec.layers.base import LayerError
from nnspec.layers.compute import Typed, frozen, typed
from nnspec.types import Dim, substitute, unknown

_PYTHON = (bool, int, float, np.number, np.bool_)


@keras.saving.register_keras_serializable("nnspec")
class Compute(keras.layers.Layer):  # type: ignore[misc]
    """Computes tensor expressions with ``keras.ops``.

    Its sizes are known inside ``call`` only, as ints or as tensors, which is why it is one layer and not a graph of operations.

    Args:
        results: The expression of each result.
        reads: The names of the inputs in the expressions, in the order of the layer's inputs.
        params: The values of the params in the expressions.
        seed: Seed of the random functions.
        sizes: The sizes of each input without the batch, as numbers and texts with symbols; equal symbols are equal sizes.
            None if no free size is related to another.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(
        self,
        results: Mapping[str, str],
        reads: list[str],
        params: Mapping[str, Any] | None = None,
        seed: int | None = None,
        sizes: list[list[int | str]] | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.results, self.reads, self.params, self.seed = dict(results), list(reads), dict(params or {}), seed
        self.sizes = None if sizes is None else [list(each) for each in sizes]
        self._related = None
        if self.sizes is not None:
            self._related = [tuple(size if isinstance(size, int) else read_size(size) for size in each) for each in self.sizes]
        self.generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        tensors = self._listed(inputs)
        masks = self._listed(mask) if mask is not None else [None] * len(tensors)
        found = self._typed(tensors, masks)
        run = KerasRun(self, dict(zip(self.reads, tensors, strict=True)), dict(zip(self.reads, masks, strict=True)), training)
        return self._given(run(*found.results.values()))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        tensors = self._listed(inputs)
        masks = self._listed(previous_mask) if previous_mask is not None else [None] * len(tensors)
        if all(mask is None for mask in masks):
            return None
        by_name = dict(zip(self.reads, masks, strict=True))
        return self._given(
            [joined_masks(by_name[name] for name in term.masks) for term in self._typed(tensors, masks).results.values()]
        )

    def compute_output_spec(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        tensors = self._listed(inputs)
        masks = [get_keras_mask(tensor) for tensor in tensors]
        dtypes = {FLOAT: self.compute_dtype, INT: "int32", BOOL: "bool"}
        batch, known = tensors[0].shape[0], self._known(tensors)
        found = []
        for term in self._typed(tensors, masks).results.values():
            sizes = [substitute(size, known) for size in term.shape[1:]]
            shape = (batch, *(size if isinstance(size, int) else None for size in sizes))
            found.append(keras.KerasTensor(shape, dtypes[term.dtype]))
        return self._given(found)

    def get_config(self) -> dict[str, Any]:
        own: dict[str, Any] = {"results": self.results, "reads": self.reads, "params": self.params, "seed": self.seed}
        if self.sizes is not None:
            own["sizes"] = self.sizes
        return {**super().get_config(), **own}

    def _listed(self, value: Any) -> list[Any]:
        return list(value) if isinstance(value, list | tuple) else [value]

    def _given(self, results: list[Any]) -> Any:
        return results if len(results) > 1 else results[0]

    def _typed(self, tensors: list[Any], masks: list[Any]) -> Typed:
        shown = tuple(
            (name, shape, keras.backend.standardize_dtype(tensor.dtype), None if mask is None else len(mask.shape) - 1)
            for name, shape, tensor, mask in zip(self.reads, self._shapes(tensors), tensors, masks, strict=True)
        )
        try:
            return typed(tuple(self.results.items()), frozen(self.params), shown)
        except LayerError as error:
            raise ValueError(error.message) from None

    def _shapes(self, tensors: list[Any]) -> list[tuple[int | Dim, ...]]:
        """The shapes of the inputs without the batch, with symbols for free sizes."""
        if self._related is not None:
            return self._related
        return [tuple(size if isinstance(size, int) else unknown() for size in tensor.shape[1:]) for tensor in tensors]

    def _known(self, tensors: list[Any]) -> dict[str, int]:
        """The symbols whose sizes Keras knows."""
        found = {}
        for shape, tensor in zip(self._related or (), tensors, strict=False):
            for size, given in zip(shape, tensor.shape[1:], strict=True):
                if isinstance(given, int) and str(size).isidentifier():
                    found[str(size)] = given
        return found


def joined_masks(masks: Iterable[Any], ops: Any = ops) -> Any:
    """The conjunction of masks with equal leading axes; None if there is none.

    Args:
        masks: The masks.
        ops: What computes it, as ``keras.ops`` does.
    """
    joined = None
    for mask in masks:
        if joined is None or mask is None:
            joined = mask if joined is None else joined
            continue
        shorter, longer = sorted((joined, mask), key=lambda each: len(each.shape))
        for _ in range(len(longer.shape) - len(shorter.shape)):
            shorter = ops.expand_dims(shorter, -1)
        joined = ops.logical_and(longer, shorter)
    return joined


class _Operations:
    """``keras.ops`` with an addition that broadcasts as NumPy's."""

    add = staticmethod(add)

    def __getattr__(self, name: str) -> Any:
        return getattr(ops, name)


class KerasRun:
    """Computes terms with ``keras.ops``.

    Numbers stay Python's as long as they can: on JAX sizes are ints, and must be when they give a shape.

    Args:
        layer: The layer that computes.
        inputs: The tensors by name.
        masks: The masks by name; None for a tensor without one.
        training: Whether it runs in training.
    """

    ops: Any = _Operations()
    random = keras.random

    def __init__(self, layer: Compute, inputs: Mapping[str, Any], masks: Mapping[str, Any], training: bool) -> None:
        self._layer, self._inputs, self._masks, self.training = layer, inputs, masks, training
        self._values: dict[int, Any] = {}
        self._python = NumpyRun({})

    def __call__(self, *results: Term) -> list[Any]:
        """The tensors of terms."""
        evaluate(
            results,
            read=lambda origin: self._read(self._inputs[origin.name]),
            literal=self._literal,
            apply=self._apply,
            keep=lambda term, value: self._values.__setitem__(id(term), value),
        )
        return [self._tensor(self._values[id(term)], term.dtype) for term in results]

    @property
    def batch(self) -> Any:
        """The number of examples."""
        return self.ops.shape(next(iter(self._inputs.values())))[0]

    @property
    def seed(self) -> Any:
        """The source of random numbers."""
        return self._layer.generator

    def dtype(self, dtype: str) -> str:
        """Keras's dtype of a term's."""
        return str(self._layer.compute_dtype) if dtype == FLOAT else dtype

    def cast(self, x: Any, dtype: str) -> Any:
        """Convert a tensor to a term's dtype."""
        return self.ops.cast(x, self.dtype(dtype))

    def is_float(self, x: Any) -> bool:
        """Whether a tensor is a float."""
        return bool(keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype)))

    def size(self, term: Term) -> Any:
        """The value of a size: an int, or a scalar tensor on TensorFlow."""
        return term.value if isinstance(term.value, int) else self._values[id(term)]

    def sizes(self, terms: Iterable[Term]) -> tuple[Any, ...]:
        """The values of sizes."""
        return tuple(map(self.size, terms))

    def mask(self, name: str) -> Any:
        """The mask of an input."""
        return self._masks[name]

    def activation(self, name: str, x: Any) -> Any:
        """Apply one of the catalogue's activations."""
        return keras.activations.get(name)(x)

    def _read(self, tensor: Any) -> Any:
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        if dtype == "bool" or dtype == "int32":
            return tensor
        return self.cast(tensor, FLOAT if "float" in dtype else INT)

    def _literal(self, term: Term) -> Any:
        value = term.origin.value  # type: ignore[union-attr]
        return value if term.is_number else self._tensor(np.asarray(value), term.dtype)

    def _tensor(self, value: Any, dtype: str) -> Any:
        """A number or an array as a tensor; a literal is clamped to the range of a half-precision dtype."""
        if not isinstance(value, (*_PYTHON, np.ndarray)):
            return value
        array = np.asarray(value)
        if dtype == FLOAT and self.dtype(FLOAT) == "float16":
            limit = float(np.finfo(np.float16).max)
            array = np.where(np.isfinite(array), np.clip(array, -limit, limit), array)
        return self.ops.convert_to_tensor(array, self.dtype(dtype))

    def _apply(self, application: Application, operands: list[Any]) -> Any:
        if operands and all(isinstance(value, _PYTHON) for value in operands) and not application.shape:
            found = application.function.numpy(self._python, application, *operands)
            return found.item() if isinstance(found, np.generic | np.ndarray) else found
        tensors = [self._tensor(value, term.dtype) for value, term in zip(operands, application.operands, strict=True)]
        return application.function.keras(self, application, *tensors)
