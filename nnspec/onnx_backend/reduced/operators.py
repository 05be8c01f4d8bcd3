"""The operators that ONNX Runtime runs on 8-bit integers."""

from __future__ import annotations

from collections import Counter

import numpy as np

from nnspec.onnx_backend.builder import Builder, Operation

KERNELS = {"Conv": 0, "Gemm": 1, "MatMul": -1}
"""The operators with a constant kernel, and the kernel's axis of output channels."""

_NOT_PLAIN = {"Gemm": ("alpha", "beta", "transA", "transB")}
"""The attributes with which such an operator stays in float32."""

_KEEPING_SCALE = frozenset({"Flatten", "MaxPool", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
"""The operators whose results are elements of their input."""

_RESCALING = frozenset({"Add", "AveragePool", "Concat", "GlobalAveragePool", "Mul"})
"""Other operators that have a form of integers, if all their inputs are integers."""

_ACTIVATIONS = frozenset({"Clip", "Relu"})
"""The activations that the range of the integers implies."""


class IntegerOperators:
    """The operators of a graph that can run on integers, and the tensors that become integers.

    Args:
        b: The graph.
        in_float: The layers, by path, that stay in float32.

    Attributes:
        linear: The operators with a constant kernel.
        scales: The tensors that become integers, each with the name of its range, which does not depend on what surrounds the
            network in the graph. Tensors of the same elements share a range.
        measured: A tensor of each range, by its name.
    """

    def __init__(self, b: Builder, in_float: frozenset[str] = frozenset()) -> None:
        self._b = b
        self._outputs = {*b.outputs.values()}
        self._readers: dict[str, list[Operation]] = {}
        self._reads = Counter(name for operation in b.operations for name in operation.reads())
        for operation in b.operations:
            for name in operation.inputs:
                self._readers.setdefault(name, []).append(operation)
        self.linear: list[Operation] = []
        self.scales: dict[str, str] = {}
        self.measured: dict[str, str] = {}
        for operation in b.operations:
            self._visit(operation, in_float)

    def _visit(self, operation: Operation, in_float: frozenset[str]) -> None:
        if self._has_kernel(operation):
            if operation.scope not in in_float:
                self.linear.append(operation)
                self.measured[range := f"{operation.name}/input"] = operation.inputs[0]
                self.scales.setdefault(operation.inputs[0], range)
                if operation.type != "MatMul":  # a product of integers is float32 again at no cost
                    self._give(operation)
            return
        given = tuple(name for name in operation.inputs if name)
        if operation.type in _KEEPING_SCALE and given[0] in self.scales:
            if operation.outputs[0] not in self._outputs:
                self.scales[operation.outputs[0]] = self.scales[given[0]]
        elif operation.type in _RESCALING and self.scales.keys() >= set(given):
            self._give(operation)

    def _give(self, operation: Operation) -> None:
        """Make the result of an operator, or of the activation after it, integers; an output of the graph stays as it is."""
        tensor = operation.outputs[0]
        readers = self._readers.get(tensor, [])
        if len(readers) == 1 and self._reads[tensor] == 1 and readers[0].type in _ACTIVATIONS:
            tensor = readers[0].outputs[0]
        if tensor not in self._outputs:
            self._add(tensor, f"{operation.name}/output")

    def _add(self, tensor: str, range: str) -> None:
        self.scales[tensor] = range
        self.measured[range] = tensor

    def _has_kernel(self, operation: Operation) -> bool:
        if operation.type not in KERNELS or not operation.attributes.keys().isdisjoint(_NOT_PLAIN.get(operation.type, ())):
            return False
        b = self._b
        constant = [name for name in operation.inputs[1:] if name]
        if operation.inputs[0] in b.constants or not b.constants.keys() >= set(constant):
            return False
        return b.constants[constant[0]].dtype == np.float32 and b.constants[constant[0]].ndim >= 2

    def layers(self) -> list[str]:
        """The paths of the layers with kernels that run on integers, in order, each once."""
        return list(dict.fromkeys(operation.scope for operation in self.linear))
