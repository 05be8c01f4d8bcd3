"""Planning of the networks to write for a Keras model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from nnspec.diagnostics import Diagnostic, Span
from nnspec.keras_import import problems as k
from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.model import KerasLayer, KerasModel, Tensor, tensors_in
from nnspec.keras_import.naming import Names
from nnspec.keras_import.order import calls_in_order
from nnspec.keras_import.parts import Saved, Variable
from nnspec.keras_import.planned import PlannedNetwork
from nnspec.keras_import.translate import differs_in_training, kind_of
from nnspec.keras_import.walk import Walk


class Planner:
    """Plans a model and its nested models, and collects problems.

    Args:
        file: The model's file, for diagnostics.
        saved: The arrays in its weights file.
        stores: Whether the spec gets a file of weights.
        variables: The variables of a live model that operations read, by the names of the inputs that stand for them.
        sizes: The names of its free sizes, by input and axis.
    """

    def __init__(
        self,
        file: str,
        saved: Saved,
        *,
        stores: bool = True,
        variables: Mapping[str, Variable],
        sizes: Mapping[tuple[str, int], str],
    ) -> None:
        self.stores, self.variables, self.sizes = stores, variables, sizes
        self.problems: list[Diagnostic] = []
        self.networks: dict[str, PlannedNetwork] = {}
        self._span = Span.whole(file)
        self._saved = saved
        self.main_names = Names()
        self._network_names = Names(self.main_names)
        self._precisions: set[str] = set()
        self._of_model: dict[int, PlannedNetwork] = {}
        self.whole = WholeInputs()
        self._seen: set[tuple[str, str, str]] = set()

    def plan(self, model: KerasModel, path: str = "") -> PlannedNetwork:
        """Plan one model, after its nested models."""
        name = "main" if not path else self._network_names.network(model.name)
        network = PlannedNetwork(name, model)
        Walk(self, network, path).run()
        self.networks[name] = network
        return network

    def inner(self, layer: KerasLayer, path: str) -> PlannedNetwork:
        """Return the network of a nested model, planned on first use."""
        assert layer.model is not None
        if id(layer.model) not in self._of_model:
            self._of_model[id(layer.model)] = self.plan(layer.model, path)
        return self._of_model[id(layer.model)]

    def say(self, layer: KerasLayer, path: str, error: NoEquivalent) -> None:
        """Add the problem of a layer without an equivalent."""
        problem = k.NoEqualArgument if error.setting else k.NoEqualLayer
        at, kind = f"{path}{layer.name}", kind_of(layer)
        found = problem.at(self._span, at, help=error.help, layer=layer.name, kind=kind, reason=error.reason)
        self._add(found)

    def _add(self, problem: Diagnostic) -> None:
        """Add a problem unless it is known."""
        key = (problem.code, problem.path, problem.message)
        if key not in self._seen:
            self._seen.add(key)
            self.problems.append(problem)

    def note_precision(self, layer: KerasLayer) -> None:
        """Warn once about each precision other than float32.

        Raises:
            NoEquivalent: If the layer is quantized.
        """
        precision = layer.precision
        if "int" in precision or "float8" in precision:
            raise NoEquivalent(
                f"it is quantized (`{precision}`)", "import the model from before it was quantized", setting=True
            )
        if precision != "float32" and precision not in self._precisions:
            self._precisions.add(precision)
            help = f"write `precision: {precision}` under `train`" if precision.startswith("mixed_") else ""
            self.problems.append(k.OtherPrecision.at(self._span, layer.name, help=help, precision=precision))

    def left_out(self, layer: KerasLayer, path: str) -> Callable[[str], None]:
        """Return a function that adds a warning for a dropped initializer."""

        def say(reason: str) -> None:
            at, kind = f"{path}{layer.name}", kind_of(layer)
            self.problems.append(k.InitializerLeftOut.at(self._span, at, layer=layer.name, kind=kind, reason=reason))

        return say

    @property
    def has_errors(self) -> bool:
        """Whether there are errors."""
        return any(problem.is_error for problem in self.problems)

    def trains(self, network: PlannedNetwork) -> bool:
        """Whether a network, including nested ones, behaves differently in training."""
        held = [self.networks[step.network] for step in network.steps if step.network is not None]
        layers = [step.layer for step in network.steps if step.layer is not None]
        return any(map(differs_in_training, layers)) or any(map(self.trains, held))

    def note_copy(self, layer: KerasLayer, path: str) -> None:
        """Warn about a layer that another model also uses."""
        at = f"{path}{layer.name}"
        found = k.WeightsCopied.at(self._span, at, layer=at, other=layer.same_as)
        self._add(found)

    def note_type(self, name: str, theirs: str, ours: str) -> None:
        """Warn about an input that is declared with another dtype."""
        self.problems.append(k.InputTypeChanged.at(self._span, name, input=name, theirs=theirs, ours=ours))

    def main_scope(self) -> Names:
        """Create the scope of the main model, whose names differ from those of its networks."""
        self.main_names = self._network_names.beside = Names(self._network_names)
        return self.main_names

    @property
    def saved(self) -> Saved:
        return self._saved


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
