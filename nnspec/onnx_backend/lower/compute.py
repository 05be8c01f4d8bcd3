"""Tensor expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from nnspec.functions.evaluation import evaluate
from nnspec.functions.terms import BOOL, FLOAT, INT, Term
from nnspec.layers.base import Layer
from nnspec.layers.compute import Compute
from nnspec.onnx_backend.activation import apply
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value

_NUMPY = {FLOAT: np.float32, INT: np.int32, BOOL: np.bool_}
_ELEMENTS = {FLOAT: ELEMENT["float32"], INT: ELEMENT["int32"], BOOL: ELEMENT["bool"]}


class OnnxRun:
    """Writes terms into an ONNX graph. Integers are int32 tensors; shapes are int64 vectors.

    Args:
        b: The graph.
        inputs: The tensors by name.
    """

    def __init__(self, b: Builder, inputs: Mapping[str, Value]) -> None:
        self._b, self._inputs = b, inputs
        self.opset = b.opset
        self.op, self.ops, self.ints, self.constant, self.reduce = b.op, b.ops, b.ints, b.constant, b.reduce
        self._values: dict[int, str] = {}

    def __call__(self, *results: Term) -> list[str]:
        """The ONNX tensors of terms."""
        evaluate(
            results,
            read=lambda origin: self._read(self._inputs[origin.name]),
            literal=self._literal,
            apply=lambda application, names: application.function.onnx(self, application, *names),
            keep=lambda term, value: self._values.__setitem__(id(term), value),
        )
        return [self._values[id(term)] for term in results]

    def number(self, value: float) -> str:
        """A float32 scalar."""
        return self._b.constant(value, "number", np.float32)

    def integer(self, value: int) -> str:
        """An int32 scalar."""
        return self._b.constant(value, "integer", np.int32)

    def cast(self, x: str, dtype: str) -> str:
        """Convert a tensor to a term's dtype."""
        return self._b.op("Cast", x, to=_ELEMENTS[dtype])

    def size_of(self, x: str, axis: int) -> str:
        """The size of an axis, as an int32 scalar."""
        size = self._b.op("Shape", x, start=axis, end=axis + 1)
        return self.cast(self._b.op("Squeeze", size, self._b.ints([0], "axis")), INT)

    def size(self, term: Term) -> str:
        """The value of a size as an int64 scalar."""
        if isinstance(term.value, int):
            return self._b.constant(term.value, "size", np.int64)
        return self._b.op("Cast", self._values[id(term)], to=ELEMENT["int64"])

    def sizes(self, terms: Iterable[Term]) -> str:
        """The values of sizes as an int64 vector."""
        given = list(terms)
        if all(isinstance(term.value, int) for term in given):
            return self._b.ints([int(term.value) for term in given], "sizes")  # type: ignore[arg-type]
        one = self._b.ints([0], "axis")
        parts = [
            self._b.ints([term.value], "size") if isinstance(term.value, int) else self._b.op("Unsqueeze", self.size(term), one)
            for term in given
        ]
        return parts[0] if len(parts) == 1 else self._b.op("Concat", *parts, axis=0)

    def mask(self, name: str) -> str:
        """The mask of an input."""
        mask = self._inputs[name].mask
        assert mask is not None
        return mask

    def activation(self, name: str, x: str) -> str:
        """Apply one of the catalogue's activations."""
        return apply(self._b, x, name)

    def joined_masks(self, term: Term) -> str | None:
        """The conjunction of the masks that apply to a term; None if there is none."""
        joined: tuple[str, int] | None = None
        for name, count in term.masks.items():
            mask = self.mask(name)
            if joined is None:
                joined = mask, count
                continue
            (shorter, few), (longer, many) = sorted((joined, (mask, count)), key=lambda each: each[1])
            if few < many:
                shorter = self._b.op("Unsqueeze", shorter, self._b.ints(range(few + 1, many + 1), "axes"))
            joined = self._b.op("And", longer, shorter), many
        return None if joined is None else joined[0]

    def _read(self, value: Value) -> str:
        if value.type.dtype in ("float32", "int32", "bool"):
            return value.name
        return self.cast(value.name, FLOAT if "float" in value.type.dtype else INT)

    def _literal(self, term: Term) -> str:
        value: ArrayLike = term.origin.value  # type: ignore[union-attr]
        return self._b.constant(value, "constant", _NUMPY[term.dtype])


def _compute(b: Builder, call: Call[Compute]) -> Mapping[str, Value]:
    inputs = {port: declared(b, value) for port, value in call.inputs.items()}
    terms = call.layer.typed({port: value.type for port, value in inputs.items()}).results
    run = OnnxRun(b, inputs)
    found: dict[str, Value] = {}
    for name, tensor in zip(terms, run(*terms.values()), strict=True):
        # A result that is an input, or another result, needs a name of its own.
        taken = not b.owns(tensor) or any(value.name == tensor for value in found.values())
        own = b.op("Identity", tensor) if taken else tensor
        value = Value.declared(own, call.outputs[name], mask=run.joined_masks(terms[name]))
        found[name] = value
    return found


TABLE: Mapping[type[Layer], Lowering] = {Compute: _compute}
