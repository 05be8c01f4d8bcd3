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

    def _preprocess(self, name: str, own: InputPreprocessing) -> None:
        """Write the preprocessing of an input."""
        self.inputs[name] = own.type
        with self.b.at(name):
            made = own.lower(self.b, name)
        self.given[name] = replace(self.given[name], name=made)

    def give(self, name: str, value: Value, masks: bool) -> dict[str, TensorType]:
        """Make a tensor, and optionally its mask, an output of the graph; returns the types by name."""
        self.b.outputs[name] = value.name
        if not masks or value.mask is None or value.type.mask is None:
            return {name: value.type.masked(None)}
        mask = self.b.claim(f"{name}_mask")
        self.b.outputs[mask] = value.mask
        return {name: value.type.masked(None), mask: TensorType(value.type.mask, "bool")}
