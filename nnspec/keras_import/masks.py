"""Comparison of the masks of a Keras model with those of the spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph.model import Graph, Node, Ref
from nnspec.keras_import import problems as k
from nnspec.keras_import.model import KerasCall, KerasLayer, KerasModel, Tensor, tensors_in
from nnspec.keras_import.order import calls_in_order
from nnspec.keras_import.planned import PlannedNetwork, PlannedStep
from nnspec.keras_import.translate import kind_of
from nnspec.layers.time_distributed import TimeDistributed

__all__ = ["check_masks"]

Roots = frozenset[str]
"""The tensors that a mask is computed from, by the spec's names."""

_NONE: Roots = frozenset()

_ALONE = ("GRU", "LSTM", "SimpleRNN", "RNN", "Bidirectional")
"""Keras layers that use the mask of their first input, and no mask if they are called with states."""

_MERGES = ("Maximum", "Minimum", "Multiply")
"""The merge layers that use masks, unlike operations of the same names."""

_COMPOSING = ("Any", "Cast", "Concatenate", "Copy", "ExpandDims", "LogicalOr", "NotEqual")
"""The operations from which Keras computes masks."""

_OF_A_SHAPE = ("OnesLike", "ZerosLike")


def check_masks(networks: Mapping[str, PlannedNetwork], graphs: Mapping[str, Graph], span: Span) -> list[Diagnostic]:
    """Return errors for masks that differ in the spec, and warnings for masks that may differ.

    Args:
        networks: The planned networks; the model itself is ``main``.
        graphs: The compiled networks.
        span: The model's file.
    """
    check = _Check(networks, graphs["main"], span)
    check.network(_Use(networks["main"], "", {}, {}))
    for network in networks.values():
        check.problems += _masks_taken_off(network, graphs[network.name], span)
    return check.problems


@dataclass
class _Use:
    """One use of a network in the graph.

    Attributes:
        network: The network.
        prefix: The prefix of its steps' names in the graph.
        refs: The tensors connected to its inputs, by the spec's names; empty for the model itself.
        theirs: The roots of each tensor's mask in Keras.
    """

    network: PlannedNetwork
    prefix: str
    refs: Mapping[str, Ref]
    theirs: dict[Tensor, Roots]

    def __post_init__(self) -> None:
        self.steps = {step.name: step for step in self.network.steps}
        self.calls: dict[tuple[str, int], list[PlannedStep]] = {}
        for step in self.network.steps:
            if step.call >= 0:
                self.calls.setdefault((step.keras.name, step.call), []).append(step)


class _Check:
    """Comparison of masks, from the inputs to the outputs."""

    def __init__(self, networks: Mapping[str, PlannedNetwork], graph: Graph, span: Span) -> None:
        self.problems: list[Diagnostic] = []
        self._networks, self._graph, self._span = networks, graph, span
        self._ours = _roots(graph)

    def network(self, use: _Use) -> None:
        """Compare the masks in one use of a network."""
        for name, number in calls_in_order(use.network.keras, ""):
            self._call(use, use.network.keras.layers[name], number)

    def _call(self, use: _Use, layer: KerasLayer, number: int) -> None:
        """Compare the input masks of one call, and record those of its outputs."""
        call = layer.calls[number]
        read = list(tensors_in([call.args, {name: v for name, v in call.kwargs.items() if not name.endswith("mask")}]))
        carried = _NONE.union(*(use.theirs.get(tensor, _NONE) for tensor in read))
        steps = use.calls.get((layer.name, number), [])
        if not steps:
            if not layer.is_operation:
                use.theirs[Tensor(layer.name, number)] = carried
            return
        refs = list(dict.fromkeys(self._ref(use, source) for source in steps[0].sources.values()))
        given = None if layer.is_operation else call.kwargs.get("mask")
        if given is not None:
            theirs = self._given(given, use)
        else:  # Keras passes the tensor's mask if there is one tensor
            theirs = _NONE if layer.is_operation or (layer.kind in _ALONE and len(read) > 1) else carried
        ours = _NONE.union(*(self._ours.get(ref, _NONE) for ref in refs[: 1 if layer.kind in _ALONE else None]))
        node = self._graph.nodes.get(use.prefix + steps[0].name)
        matters = layer.model is not None or given is not None or (node is not None and _uses_mask(node))
        if ours != theirs and matters:
            at, name, reason = use.prefix + steps[0].name, use.prefix + layer.name, _reason(ours, theirs)
            problem = k.OtherMask.at(self._span, at, help=_HELP, layer=name, kind=kind_of(layer), reason=reason)
            self.problems.append(problem)
        elif layer.model is not None:
            self._within(use, steps[0])
        if not layer.is_operation:
            self._note(use, steps, theirs, ours)

    def _within(self, use: _Use, step: PlannedStep) -> None:
        """Compare the masks in a nested model."""
        assert step.network is not None
        inner = self._networks[step.network]
        refs = {port: self._ref(use, source) for port, source in step.sources.items()}
        masks = {Tensor(name): self._ours.get(refs[ours], _NONE) for name, ours in inner.input_names.items() if ours in refs}
        if step.every_step:  # the mask of one step, even if it is one value
            refs = {port: Ref(f"{use.prefix}{step.name}/{port}") for port in refs}
        self.network(_Use(inner, f"{use.prefix}{step.name}/", refs, masks))

    def _note(self, use: _Use, steps: Iterable[PlannedStep], theirs: Roots, ours: Roots) -> None:
        for step in steps:
            for index, text in _given_by(step, self._networks, self._graph.nodes.get(use.prefix + step.name)):
                made = theirs if step.every_step else self._ours.get(self._ref(use, text), _NONE)
                use.theirs[Tensor(step.keras.name, step.call, index)] = made if not ours else theirs if made else _NONE

    def _ref(self, use: _Use, text: str) -> Ref:
        """Resolve a name under `from` in the graph, where networks are expanded."""
        name, _, output = text.partition(".")
        step = use.steps.get(name)
        if step is None:
            return use.refs.get(name, Ref(name))
        if step.network is None:
            node = self._graph.nodes.get(use.prefix + name)
            return Ref(use.prefix + name, output or (next(iter(node.outputs)) if node is not None else "output"))
        inner = self._networks[step.network]
        refs = {port: self._ref(use, source) for port, source in step.sources.items()}
        return self._ref(_Use(inner, f"{use.prefix}{name}/", refs, {}), inner.outputs[output or next(iter(inner.outputs))])

    def _given(self, mask: object, use: _Use) -> Roots:
        """Return the roots of an explicit mask; a mask that Keras would not compute is its own root."""
        model = use.network.keras
        roots: set[str] = set()
        waiting = list(tensors_in(mask))
        seen: set[Tensor] = set()
        while waiting:
            tensor = waiting.pop()
            if tensor in seen:
                continue
            seen.add(tensor)
            layer = model.layers.get(tensor.layer)
            steps = use.calls.get((tensor.layer, tensor.call), [])
            if tensor.layer in use.network.input_names:
                roots.add(str(self._ref(use, use.network.input_names[tensor.layer])))
            elif layer is None or not layer.is_operation or steps:
                roots.add(str(self._ref(use, steps[-1].name)) if steps else tensor.layer)
            elif 0 <= tensor.call < len(layer.calls) and layer.kind not in _OF_A_SHAPE:
                call = layer.calls[tensor.call]
                if layer.kind in _COMPOSING and _is_padding(layer, call, model):
                    waiting.extend(tensors_in([call.args, call.kwargs]))
                else:
                    roots.add(tensor.layer)
        return frozenset(roots)


def _given_by(step: PlannedStep, networks: Mapping[str, PlannedNetwork], node: Node | None) -> Iterator[tuple[int, str]]:
    """Yield the Keras layer's outputs that a step computes: Keras's index and the name under `from`."""
    if step.network is not None:
        inner = networks[step.network]
        names = dict(zip(inner.keras.outputs, inner.outputs, strict=True))
        yield from ((index, f"{step.name}.{names[theirs]}") for index, theirs in enumerate(inner.keras.output_order))
    elif node is not None:
        for place, output in enumerate(node.outputs):
            yield step.gives.get(output, place), f"{step.name}.{output}"


def _masks_taken_off(network: PlannedNetwork, graph: Graph, span: Span) -> Iterator[Diagnostic]:
    """Warn if a mask is removed from a tensor with other readers."""
    masks = _roots(graph)
    readers: dict[Ref, set[str]] = {}
    for node in graph.nodes.values():
        for ref in node.inputs.values():
            readers.setdefault(ref, set()).add(node.name)
    texts = {name: text for text, name in network.input_names.items()}
    for step in network.steps:
        if step.name not in graph.nodes or step.keras.kind != "MultiHeadAttention" or step.call < 0:
            continue
        for ref in dict.fromkeys(graph.nodes[step.name].inputs.values()):
            if masks.get(ref) and len(readers[ref]) > 1:
                source = texts.get(ref.source, str(ref))
                yield k.MaskTakenOff.at(span, step.name, source=source, layer=step.keras.name)


_HELP = (
    "use implicit masks from `Embedding(mask_zero=True)` or `Masking`, propagated only through layers, and save the model again"
)


def _reason(ours: Roots, theirs: Roots) -> str:
    def described(roots: Roots) -> str:
        return "no mask" if not roots else f"the mask of {', '.join(f'`{root}`' for root in sorted(roots))}"

    return f"gets {described(theirs)} in Keras, but {described(ours)} in the spec"


def _roots(graph: Graph) -> dict[Ref, Roots]:
    """Return the roots of each tensor's mask."""
    found: dict[Ref, Roots] = {}
    for node in graph.nodes.values():
        given = [found.get(ref, _NONE) for ref in node.inputs.values()]
        for output, type_ in node.outputs.items():
            if type_.mask is None:
                continue
            inherited = _NONE.union(*given) if node.layer.passes_mask or any(given) else _NONE
            found[Ref(node.name, output)] = inherited or frozenset({str(ref) for ref in node.inputs.values()})
    return found


def _uses_mask(node: Node) -> bool:
    """Whether a mask changes what a layer computes, or what it applies at every time step."""
    applied = node.layer.inner if isinstance(node.layer, TimeDistributed) else node.layer
    return applied.uses_mask or type(applied).__name__ in _MERGES


def _is_padding(layer: KerasLayer, call: KerasCall, model: KerasModel) -> bool:
    """Whether a comparison is with a padding value: 0, or the value of a ``Masking`` layer with the same input."""
    if layer.kind != "NotEqual":
        return True
    operands = [*call.args, *call.kwargs.values()]
    compared = [value for value in operands if isinstance(value, Tensor)]
    numbers = [value for value in operands if not isinstance(value, Tensor)]
    if len(compared) != 1 or len(numbers) != 1:
        return False
    return numbers[0] == 0 or numbers[0] in _masking_values(model.layers, compared[0])


def _masking_values(layers: Mapping[str, KerasLayer], tensor: Tensor) -> list[Any]:
    maskings = [layer for layer in layers.values() if layer.kind == "Masking" and layer.is_keras]
    return [
        layer.config.get("mask_value")
        for layer in maskings
        if any(tensor in tensors_in([call.args, call.kwargs]) for call in layer.calls)
    ]
