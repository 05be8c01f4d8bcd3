"""The inputs and outputs of an ONNX graph, under the spec's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.preprocessing import InputPreprocessing
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType


class Interface:
    """The inputs and outputs of an ONNX graph, under the spec's names.

    Attributes:
        inputs: The input types by name, including masks.
        given: The tensors of the spec's inputs.

    Args:
        b: The graph.
        inputs: The input types, by name.
        outputs: The output names.
        preprocessing: The preprocessing of inputs, by name.
    """

    def __init__(
        self,
        b: Builder,
        inputs: Mapping[str, TensorType],
        outputs: Iterable[str],
        preprocessing: Mapping[str, InputPreprocessing] | None = None,
    ) -> None:
        self.b = b
        self.inputs: dict[str, TensorType] = {}
        self.given: dict[str, Value] = {}
        # A tensor that already has an interface name, or must keep its name, is copied if it is also an output.
        self._named: dict[str, str] = {}
        # Interface names are claimed before layer names.
        for name, type in inputs.items():
            self._take(name, type)
        for name in outputs:
            b.claim(name)
        for name, own in (preprocessing or {}).items():
            self._preprocess(name, own)

    def _take(self, name: str, type: TensorType) -> None:
        mask = None
        self.inputs[self.b.claim(name)] = type.masked(None)
        if type.mask is not None:
            mask = self.b.claim(f"{name}_mask")
            self.inputs[mask] = TensorType(type.mask, "bool")
        self.given[name] = Value.declared(name, type, mask)
        self._named |= {given: given for given in self.inputs}

    def _preprocess(self, name: str, own: InputPreprocessing) -> None:
        """Write the preprocessing of an input."""
        self.inputs[name] = own.type
        with self.b.at(name):
            made = own.lower(self.b, name)
        self.given[name] = replace(self.given[name], name=made)

    def give(self, name: str, source: str, value: Value, masks: bool) -> dict[str, TensorType]:
        """Make a tensor, and optionally its mask, an output of the graph; returns the types by name."""
        with self.b.at(source):
            self._name(value.name, name)
            if not masks or value.mask is None or value.type.mask is None:
                return {name: value.type.masked(None)}
            mask = self.b.claim(f"{name}_mask")
            self._name(value.mask, mask)
            return {name: value.type.masked(None), mask: TensorType(value.type.mask, "bool")}

    def _name(self, tensor: str, output: str) -> None:
        if tensor in self._named:
            self.b.copy(self._named[tensor], output)
        else:
            self.b.become(tensor, output)
            self._named[tensor] = output
