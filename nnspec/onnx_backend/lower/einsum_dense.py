"""EinsumDense: a matrix product if the equation is one, else ``Einsum``."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from nnspec.layers.base import Layer
from nnspec.layers.einsum_dense import EinsumDense, Equation
from nnspec.onnx_backend.activation import activate
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value


def _einsum_dense(b: Builder, call: Call[EinsumDense]) -> Value:
    x, equation = declared(b, call.x), call.layer.written_out(call.x.type)
    if equation.is_product:
        y = _product(b, call, x.name, equation)
    else:
        kernel = b.constant(call.weights["kernel"], "kernel")
        y = b.op("Einsum", x.name, kernel, bodies=None, equation=str(equation))
    if (bias := call.weights.get("bias")) is not None:
        y = b.op("Add", y, b.constant(bias, "bias"))
    return activate(b, Value.declared(y, call.output), call.layer.activation)


def _product(b: Builder, call: Call[EinsumDense], x: str, equation: Equation) -> str:
    """A matrix product with the kernel's rows in the input's axis order and its columns in the output's."""
    kernel, summed, made = call.weights["kernel"], equation.summed, equation.made
    sizes = dict(zip(equation.kernel, kernel.shape, strict=True))
    rows, columns = prod(sizes[letter] for letter in summed), prod(sizes[letter] for letter in made)
    matrix = kernel.transpose([equation.kernel.index(letter) for letter in summed + made]).reshape(rows, columns)
    kept = [0] * len(equation.kept)
    if len(summed) != 1:
        x = b.op("Reshape", x, b.ints([*kept, rows], "rows"))
    y = b.op("MatMul", x, b.constant(matrix, "kernel"))
    return y if len(made) == 1 else b.op("Reshape", y, b.ints([*kept, *(sizes[letter] for letter in made)], "columns"))


TABLE: Mapping[type[Layer], Lowering] = {EinsumDense: _einsum_dense}
