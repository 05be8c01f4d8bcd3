"""From a Keras model to the networks that will be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nnspec.diagnostics import Diagnostic, Span
from nnspec.keras_import import problems as k
from nnspec.keras_import.arguments import NoEqual
from nnspec.keras_import.config import ConfigError
from nnspec.keras_import.model import KerasLayer, KerasModel, Tensor, tensors_in
from nnspec.keras_import.naming import Names
from nnspec.keras_import.order import calls_in_order
from nnspec.keras_import.parts import Part, Saved, Within
from nnspec.keras_import.planned import PlannedNetwork, PlannedStep
from nnspec.keras_import.translate import kind_of, translated
from nnspec.layers.base import Layer, LayerError
from nnspec.types import Dim, TensorType, symbol, unknown

__all__ = ["Planner"]


class Planner:
    """Plans a model and the models in it; what has no equal is gathered.

    Args:
        file: The model's file, for diagnostics.
        saved: The arrays in its weights file.
    """

    def __init__(self, file: str, saved: Saved) -> None:
        self.problems: list[Diagnostic] = []
        self.networks: dict[str, PlannedNetwork] = {}
        self._span = Span.whole(file)
        self._saved = saved
        self._network_names = Names()
        self._precisions: set[str] = set()
        self._of_model: dict[int, PlannedNetwork] = {}

    def plan(self, model: KerasModel, path: str = "") -> PlannedNetwork:
        """Plans one model, those in it first."""
        name = "main" if not path else self._network_names.network(model.name)
        network = PlannedNetwork(name, model)
        _Walk(self, network, path).run()
        self.networks[name] = network
        return network

    def inner(self, layer: KerasLayer, path: str) -> PlannedNetwork:
        """The network of a model within a model, planned when it is first used."""
        assert layer.model is not None
        if id(layer.model) not in self._of_model:
            self._of_model[id(layer.model)] = self.plan(layer.model, path)
        return self._of_model[id(layer.model)]

    def say(self, layer: KerasLayer, path: str, error: NoEqual) -> None:
        """Keeps what has no equal, once for each layer."""
        problem = k.NoEqualArgument if error.setting else k.NoEqualLayer
        at, kind = f"{path}{layer.name}", kind_of(layer)
        found = problem.at(self._span, at, help=error.help, layer=layer.name, kind=kind, reason=error.reason)
        if found not in self.problems:
            self.problems.append(found)

    def note_precision(self, layer: KerasLayer) -> None:
        """Warns once of each precision that is not a spec's own.

        Raises:
            NoEqual: Where the layer is quantized.
        """
        precision = layer.precision
        if "int" in precision or "float8" in precision:
            raise NoEqual(f"it is quantized (`{precision}`)", "import the model from before it was quantized", setting=True)
        if precision != "float32" and precision not in self._precisions:
            self._precisions.add(precision)
            help = f"write `precision: {precision}` under `train`" if precision.startswith("mixed_") else ""
            self.problems.append(k.OtherPrecision.at(self._span, layer.name, help=help, precision=precision))

    def left_out(self, layer: KerasLayer, path: str) -> Callable[[str], None]:
        """Keeps a warning of an initializer that the language has not."""

        def say(reason: str) -> None:
            at, kind = f"{path}{layer.name}", kind_of(layer)
            self.problems.append(k.InitializerLeftOut.at(self._span, at, layer=layer.name, kind=kind, reason=reason))

        return say

    @property
    def saved(self) -> Saved:
        return self._saved


@dataclass
class _Walk:
    """The walk through one model, from its outputs back, each branch as a whole."""

    planner: Planner
    network: PlannedNetwork
    path: str

    def __post_init__(self) -> None:
        self.names = Names()
        self._texts: dict[Tensor, str] = {}
        self._first: dict[tuple[str, int], str] = {}
        self._shapes: dict[Tensor, tuple[int | None, ...]] = {}

    def run(self) -> None:
        model = self.network.keras
        for layer in model.layers.values():
            for call in layer.calls:
                for tensor in tensors_in([call.args, call.kwargs]):
                    if tensor.shape is not None:
                        self._shapes[tensor] = tensor.shape
        symbols = _symbols()
        for given, (shape, dtype) in model.inputs.items():
            name = self.names.input(given)
            sizes = tuple(symbol(next(symbols)) if size is None else size for size in shape[1:])
            self.network.inputs[name] = self.network.types[Tensor(given)] = TensorType(sizes, dtype)
            self.network.input_names[given] = name
            self._texts[Tensor(given)] = name
        self.names.reserve(layer.name for layer in model.layers.values())
        for layer_name, call_number in calls_in_order(model, self.path):
            self._emit(model.layers[layer_name], call_number)
        for name, tensor in model.outputs.items():
            self.network.outputs[self.names.output(name)] = self._texts.get(tensor, tensor.layer)

    def _emit(self, layer: KerasLayer, number: int) -> None:
        if layer.model is not None:
            self._use(layer, number)
            return
        call = layer.calls[number]
        within = Within(self._shape_of, self.planner.left_out(layer, self.path), self.planner.saved)
        try:
            self.planner.note_precision(layer)
            made = translated(layer, call, within)
            if isinstance(made, Tensor):
                self._pass_on(made, Tensor(layer.name, number))
            else:
                self._parts(layer, number, made)
        except NoEqual as error:
            self.planner.say(layer, self.path, error)

    def _pass_on(self, source: Tensor, target: Tensor) -> None:
        if source in self._texts:
            self._texts[target] = self._texts[source]
        if source in self.network.types:
            self.network.types[target] = self.network.types[source]

    def _parts(self, layer: KerasLayer, number: int, parts: tuple[Part, ...]) -> None:
        texts: list[str] = []
        types: list[TensorType | None] = []
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            read = part.sources.items()
            sources = {p: texts[s] if isinstance(s, int) else self._texts.get(s, s.layer) for p, s in read}
            known = {p: types[s] if isinstance(s, int) else self._type_of(s) for p, s in read}
            assert isinstance(part.layer, Layer)
            outputs = _outputs(part.layer, known)
            name = self._name(layer, number, "" if last else part.suffix)
            first = self._first.setdefault((layer.name, place), name)
            again = first != name and (type(part.layer).weights is not Layer.weights or part.layer.is_random)
            frozen = layer.config.get("trainable") is False and type(part.layer).weights is not Layer.weights
            self.network.steps.append(
                PlannedStep(name, part.layer, None, first if again else None, sources, frozen, layer, number if last else -1)
            )
            texts.append(name)
            types.append(next(iter(outputs.values())) if outputs else None)
            if last:
                self._give(layer, number, name, outputs)

    def _give(self, layer: KerasLayer, number: int, name: str, outputs: Mapping[str, TensorType] | None) -> None:
        for index, (output, type_) in enumerate((outputs or {}).items()):
            tensor = Tensor(layer.name, number, index)
            self._texts[tensor] = name if output == "output" else f"{name}.{output}"
            self.network.types[tensor] = type_
        self._texts.setdefault(Tensor(layer.name, number), name)

    def _use(self, layer: KerasLayer, number: int) -> None:
        """A step that uses a network."""
        inner = self.planner.inner(layer, f"{self.path}{layer.name}/")
        given = self._ports(layer, number, inner)
        name = self._name(layer, number, "")
        sources = {port: self._texts.get(tensor, tensor.layer) for port, tensor in given.items()}
        self.network.steps.append(PlannedStep(name, None, inner.name, None, sources, False, layer, number))
        several = len(inner.outputs) > 1
        ends = list(inner.keras.outputs.values())
        for index, (output, end) in enumerate(zip(inner.outputs, ends, strict=True)):
            tensor = Tensor(layer.name, number, index)
            self._texts[tensor] = f"{name}.{output}" if several else name
            known = self._shapes.get(tensor)
            if known is not None:
                sizes = tuple(unknown() if size is None else size for size in known[1:])
                self.network.types[tensor] = TensorType(sizes)
            elif end in inner.types:
                self.network.types[tensor] = inner.types[end]

    def _ports(self, layer: KerasLayer, number: int, inner: PlannedNetwork) -> dict[str, Tensor]:
        call = layer.calls[number]
        value = call.args[0] if call.args else call.kwargs.get("inputs")
        names = list(inner.input_names.values())
        if isinstance(value, dict):
            keys = inner.keras.keys or tuple(inner.keras.inputs)
            by_key = dict(zip(keys, names, strict=True))
            return {by_key[key]: tensor for key, tensor in value.items() if key in by_key and isinstance(tensor, Tensor)}
        tensors = list(tensors_in(value))
        if len(tensors) != len(names):
            raise ConfigError(f"`{self.path}{layer.name}` has {len(names)} inputs, and is called with {len(tensors)}")
        return dict(zip(names, tensors, strict=True))

    def _name(self, layer: KerasLayer, number: int, suffix: str) -> str:
        return self.names.step(layer.name, number, suffix)

    def _type_of(self, tensor: Tensor) -> TensorType | None:
        return self.network.types.get(tensor)

    def _shape_of(self, tensor: Tensor) -> tuple[int | None, ...] | None:
        known = self._shapes.get(tensor, tensor.shape)
        if known is not None:
            return known
        type_ = self._type_of(tensor)
        return None if type_ is None else (None, *(None if isinstance(size, Dim) else size for size in type_.shape))


def _outputs(layer: Layer, inputs: Mapping[str, TensorType | None]) -> Mapping[str, TensorType] | None:
    """What a layer gives; None where something above it has no equal, so that its inputs are not known."""
    known = {port: type_ for port, type_ in inputs.items() if type_ is not None}
    if len(known) < len(inputs):
        return None
    try:
        layer.weights(known)
        return layer.output_types(known)
    except LayerError as error:
        raise NoEqual(error.message, error.help, setting=True) from None


def _symbols() -> Iterator[str]:
    """Names for free sizes."""
    yield from ("T", "U", "V", "W")
    number = 1
    while True:
        yield f"N{number}"
        number += 1
