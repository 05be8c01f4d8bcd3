"""Detection of float inputs that are only used by embeddings, which truncate them to integers."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.keras_import.model import KerasLayer, KerasModel, Tensor, tensors_in
from nnspec.keras_import.order import calls_in_order

__all__ = ["WholeInputs"]


class WholeInputs:
    """Finds inputs that are declared as floats but only used as integers."""

    def __init__(self) -> None:
        self._found: dict[int, frozenset[str]] = {}

    def of(self, model: KerasModel) -> frozenset[str]:
        """Return the names of such inputs of a model."""
        if id(model) not in self._found:
            floats = [name for name, (_, dtype) in model.inputs.items() if "float" in dtype]
            calls = [(model.layers[name], number) for name, number in calls_in_order(model, "")] if floats else []
            ends = {end.layer for end in model.outputs.values()}
            self._found[id(model)] = frozenset(n for n in floats if n not in ends and self._is_whole(n, calls))
        return self._found[id(model)]

    def _is_whole(self, name: str, calls: list[tuple[KerasLayer, int]]) -> bool:
        readers = [(layer, number) for layer, number in calls if name in {read.layer for read in _read(layer, number)}]
        return bool(readers) and all(self._truncates(layer, number, name) for layer, number in readers)

    def _truncates(self, layer: KerasLayer, number: int, name: str) -> bool:
        if layer.model is not None:
            return self._passes_to_whole(layer, number, name)
        if layer.is_operation:
            return layer.kind == "Cast" and "int" in str(layer.config.get("dtype"))
        reads_rows = layer.kind == "ReversibleEmbedding" and layer.calls[number].kwargs.get("reverse") is not True
        return layer.is_keras and (layer.kind == "Embedding" or reads_rows)

    def _passes_to_whole(self, layer: KerasLayer, number: int, name: str) -> bool:
        """Whether a nested model, called with a list or one tensor, uses the input only as integers."""
        assert layer.model is not None
        read, inputs = list(_read(layer, number)), layer.model.input_order
        if len(read) != len(inputs) or any(isinstance(value, dict) for value in layer.calls[number].args):
            return False
        inside = self.of(layer.model)
        return all(given in inside for tensor, given in zip(read, inputs, strict=True) if tensor.layer == name)


def _read(layer: KerasLayer, number: int) -> Iterator[Tensor]:
    call = layer.calls[number]
    yield from tensors_in([call.args, {key: value for key, value in call.kwargs.items() if not key.endswith("mask")}])
