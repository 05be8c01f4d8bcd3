"""The product of two tensors along an axis of each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.dot import Dot
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value

_LETTERS = "cdefghijklmnop"


def _dot(b: Builder, call: Call[Dot]) -> Value:
    values = [declared(b, value) for value in call.inputs.values()]
    places = call.layer.places({port: value.type for port, value in call.inputs.items()})
    names, terms, free = [], [], iter(_LETTERS)
    for value, place in zip(values, places, strict=True):
        name = value.name
        if call.layer.normalize:
            length = b.op("Sqrt", b.reduce("ReduceSumSquare", name, [place], keepdims=True))
            inverse = b.op("Min", b.op("Reciprocal", length), b.constant(1e7, "most", np.float32))
            name = b.op("Mul", name, inverse)
        names.append(name)
        terms.append("".join("b" if axis == 0 else "a" if axis == place else next(free) for axis in range(value.type.rank + 1)))
    rest = "".join(letter for term in terms for letter in term if letter not in "ab")
    y = b.op("Einsum", *names, bodies=None, equation=f"{terms[0]},{terms[1]}->b{rest}")
    if not rest:
        y = b.op("Unsqueeze", y, b.ints([1], "one"))
    return Value.declared(y, call.output)


TABLE: Mapping[type[Layer], Lowering] = {Dot: _dot}
