"""Layers in 8-bit integers, written as pairs of QuantizeLinear and DequantizeLinear.

Activations are unsigned with a zero point, kernels signed with a scale for each output channel. Kernels have 7 bits: ONNX
Runtime adds products of 8 by 8 bits in 16 bits on processors without VNNI, which overflows, and results would differ between
machines. "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", Jacob et al. 2018.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.onnx_backend.builder import Builder, Operation
from nnspec.onnx_backend.passes import PASSES, Pass, Property
from nnspec.onnx_backend.passes.remove_unused import remove_unused
from nnspec.onnx_backend.reduced.operators import KERNELS, IntegerOperators
from nnspec.runtime.session import Arrays, Run

_LARGEST_KERNEL = 63
_LARGEST_BIAS = 2**31 - 1
_LEAST_SCALE = np.finfo(np.float32).tiny

Ranges = Mapping[str, tuple[float, float]]
"""The smallest and the largest element of tensors, by the name of the range (`IntegerOperators.measured`)."""


class Observation:
    """A pass that makes the tensors whose ranges are needed outputs.

    Attributes:
        names: The name of the output, or input, with the tensor of each range.
        layers: The paths of the layers that can run on integers.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.layers: list[str] = []

    def __call__(self, b: Builder) -> None:
        operators = IntegerOperators(b)
        self.layers = operators.layers()
        known = {tensor: name for name, tensor in b.outputs.items()}
        computed = {name for operation in b.operations for name in operation.outputs}
        for range, tensor in operators.measured.items():
            self.names[range] = known.setdefault(tensor, tensor)
            if tensor in computed:
                b.outputs.setdefault(known[tensor], tensor)

    @property
    def passes(self) -> tuple[Pass, ...]:
        """All passes, with this one at the end."""
        return (*PASSES, Pass(self, ensures=frozenset()))

    def ranges(self, run: Run, cases: Iterable[Arrays]) -> dict[str, tuple[float, float]]:
        """Measure the range of each tensor.

        Args:
            run: The model with the outputs of this pass.
            cases: Batches of inputs.
        """
        found: dict[str, tuple[float, float]] = {}
        for case in cases:
            given = {**case, **run(case)}
            for range, name in self.names.items():
                low, high = found.get(range, (0.0, 0.0))
                found[range] = (
                    float(np.min(given[name], initial=low)),
                    float(np.max(given[name], initial=high)),
                )
        return found


@dataclass(frozen=True)
class Int8:
    """A pass that writes layers in 8-bit integers.

    Attributes:
        ranges: The ranges of the tensors that become integers.
        in_float: The layers, by path, that stay in float32.
    """

    ranges: Ranges
    in_float: frozenset[str] = frozenset()

    @property
    def passes(self) -> tuple[Pass, ...]:
        """All passes, with this one at the end."""
        return (
            *PASSES,
            Pass(self, ensures=frozenset(), ends=frozenset({Property.NOTHING_UNUSED})),
            Pass(remove_unused, ensures=frozenset({Property.NOTHING_UNUSED})),
        )

    def __call__(self, b: Builder) -> None:
        operators = IntegerOperators(b, self.in_float)
        writer = _Writer(b, operators, self.ranges)
        operations = list(b.operations)
        b.operations.clear()
        computed = {name for operation in operations for name in operation.outputs}
        for tensor in operators.scales:
            if tensor not in computed:
                writer.quantize(tensor)
        for operation in operations:
            writer.write(operation)


class _Writer:
    """Writes the operators of a graph again, with integers between them."""

    def __init__(self, b: Builder, operators: IntegerOperators, ranges: Ranges) -> None:
        self._b, self._operators, self._ranges = b, operators, ranges
        self._linear = {operation.name for operation in operators.linear}
        self._dequantized: dict[str, str] = {}
        self._scales: dict[str, np.float32] = {}

    def write(self, operation: Operation) -> None:
        """Write an operator, and the integers of its results."""
        kernel: list[str] = self._kernel(operation) if operation.name in self._linear else []
        operation.inputs[:] = [self._dequantized.get(name, name) for name in operation.inputs]
        operation.inputs[1 : 1 + len(kernel)] = kernel
        self._b.operations.append(operation)
        for tensor in operation.outputs:
            if tensor in self._operators.scales:
                self.quantize(tensor)

    def quantize(self, tensor: str) -> None:
        """Round a tensor to integers."""
        b = self._b
        low, high = self._ranges[self._operators.scales[tensor]]
        scale = np.float32(max((high - low) / 255, float(_LEAST_SCALE)))
        zero = np.uint8(np.clip(np.rint(-low / float(scale)), 0, 255))
        scope, _, own = b.wanted(tensor).rpartition("/")
        with b.at(scope or tensor):
            parameters = b.constant(scale, f"{own}_scale"), b.constant(zero, f"{own}_zero_point")
            integers = b.op("QuantizeLinear", tensor, *parameters)
            self._dequantized[tensor] = b.op("DequantizeLinear", integers, *parameters)
        self._scales[tensor] = scale

    def _kernel(self, operation: Operation) -> list[str]:
        """The kernel and the bias of an operator, from integers."""
        b = self._b
        kernel, *bias = operation.inputs[1:]
        axis = KERNELS[operation.type] % b.constants[kernel].ndim
        scales, written = b.once(("int8", kernel, axis), lambda: self._written_kernel(kernel, axis, operation.scope))
        if not bias or not bias[0]:
            return [written]
        steps = (self._scales[operation.inputs[0]] * scales).astype(np.float32)
        array = np.rint(b.constants[bias[0]].reshape(-1).astype(np.float64) / steps)
        integers = np.clip(array, -_LARGEST_BIAS, _LARGEST_BIAS).astype(np.int32)
        with b.at(operation.scope):
            return [written, self._from_integers(integers, steps, 0, "bias")]

    def _written_kernel(self, kernel: str, axis: int, scope: str) -> tuple[NDArray[np.float32], str]:
        array = self._b.constants[kernel]
        others = tuple(each for each in range(array.ndim) if each != axis)
        scales = np.maximum(np.abs(array).max(axis=others) / _LARGEST_KERNEL, _LEAST_SCALE).astype(np.float32)
        shape = [-1 if each == axis else 1 for each in range(array.ndim)]
        integers = np.clip(np.rint(array / scales.reshape(shape)), -_LARGEST_KERNEL, _LARGEST_KERNEL).astype(np.int8)
        with self._b.at(scope):
            return scales, self._from_integers(integers, scales, axis, "kernel")

    def _from_integers(self, integers: NDArray[Any], scales: NDArray[np.float32], axis: int, name: str) -> str:
        b = self._b
        zeros = np.zeros(scales.shape, integers.dtype)
        parts = (
            b.constant(integers, f"{name}_integers"),
            b.constant(scales, f"{name}_scale"),
            b.constant(zeros, f"{name}_zero_point"),
        )
        return b.op("DequantizeLinear", *parts, axis=axis)
