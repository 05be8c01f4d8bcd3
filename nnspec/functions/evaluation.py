"""Evaluation of terms: one loop, which the backends share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.functions.terms import BOOL, FLOAT, INT, Application, Input, Literal, Term, in_order

__all__ = ["NumpyRun", "evaluate"]


def evaluate(
    results: Iterable[Term],
    *,
    read: Callable[[Input], Any],
    literal: Callable[[Term], Any],
    apply: Callable[[Application, list[Any]], Any],
    keep: Callable[[Term, Any], None],
) -> None:
    """Compute terms, each once, and everything that they need.

    Args:
        results: The terms.
        read: Returns the value of an input.
        literal: Returns the value of a number or a list of numbers.
        apply: Computes an application from the values of its operands; returns a tuple if it has several results.
        keep: Is called with each term and its value, after all that it needs.
    """
    values: dict[int, Any] = {}
    applied: dict[int, Any] = {}
    for term in in_order(results):
        origin = term.origin
        if isinstance(origin, Input):
            value = read(origin)
        elif isinstance(origin, Literal):
            value = literal(term)
        else:
            if id(origin) not in applied:
                applied[id(origin)] = apply(origin, [values[id(operand)] for operand in origin.operands])
            value = applied[id(origin)]
            value = value[term.part] if len(origin.results) > 1 else value
        values[id(term)] = value
        keep(term, value)


class NumpyRun:
    """Computes terms with NumPy: the reference of the four-way proof.

    Args:
        inputs: The arrays by name, with the batch axis.
        masks: The masks by name.
        dtype: The dtype of floats.
    """

    def __init__(
        self, inputs: Mapping[str, NDArray[Any]], masks: Mapping[str, NDArray[Any]] | None = None, dtype: Any = np.float64
    ) -> None:
        self.inputs, self.masks = inputs, masks or {}
        self._float = dtype
        self._values: dict[int, Any] = {}

    def dtype(self, dtype: str) -> Any:
        """NumPy's dtype of a term's."""
        return {FLOAT: self._float, INT: np.int32, BOOL: np.bool_}[dtype]

    def size(self, term: Term) -> int:
        """The value of a size."""
        return term.value if isinstance(term.value, int) else int(self._values[id(term)])

    def sizes(self, terms: Iterable[Term]) -> tuple[int, ...]:
        """The values of sizes."""
        return tuple(map(self.size, terms))

    def mask(self, name: str) -> NDArray[np.bool_]:
        """The mask of an input."""
        return np.asarray(self.masks[name])

    def __call__(self, *results: Term) -> list[NDArray[Any]]:
        """The arrays of terms."""
        self._values = {}
        evaluate(
            results,
            read=lambda origin: self._cast(self.inputs[origin.name]),
            literal=lambda term: np.asarray(term.origin.value, self.dtype(term.dtype)),  # type: ignore[union-attr]
            apply=lambda application, operands: application.function.numpy(self, application, *operands),
            keep=lambda term, value: self._values.__setitem__(id(term), value),
        )
        return [np.asarray(self._values[id(term)], self.dtype(term.dtype)) for term in results]

    def _cast(self, array: NDArray[Any]) -> NDArray[Any]:
        kind = FLOAT if array.dtype.kind == "f" else BOOL if array.dtype.kind == "b" else INT
        return array.astype(self.dtype(kind))
