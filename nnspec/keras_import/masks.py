"""Masks: what Keras's config tells of the masks that layers are given must be so in the spec."""

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

__all__ = ["check_masks"]

Roots = frozenset[str]
"""What a mask was made of: the tensors in which a value means padding, by the spec's names."""

_NONE: Roots = frozenset()

_ALONE = ("GRU", "LSTM", "SimpleRNN", "RNN", "Bidirectional")
"""Keras's layers that take the mask of their first input, and none where they are also given states."""

_MERGES = ("Maximum", "Minimum", "Multiply")
"""The merges that compute with masks. Operations of the same names do not, and attentions take theirs off the tensors."""

_COMPOSING = ("Any", "Cast", "Concatenate", "Copy", "ExpandDims", "LogicalOr", "NotEqual")
"""The operations of which Keras makes masks by itself."""

_OF_A_SHAPE = ("OnesLike", "ZerosLike")


def check_masks(networks: Mapping[str, PlannedNetwork], graphs: Mapping[str, Graph], span: Span) -> list[Diagnostic]:
    """What refuses a model in which a mask arrives elsewhere than in the spec, and warns where it may.

    Args:
        networks: The networks as they were planned; the model itself is ``main``.
        graphs: The same, compiled.
        span: The model's file.
    """
    check = _Check(networks, graphs["main"], span)
    check.network(_Use(networks["main"], "", {}, {}))
    for network in networks.values():
        check.problems += _masks_taken_off(network, graphs[network.name], span)
    return check.problems


@dataclass
class _Use:
    """One use of a network: where it is in the graph, and what its inputs are.

    Attributes:
        network: The network.
        prefix: What its steps' names begin with in the graph.
        refs: The tensors that feed its inputs, by our names; empty for the model itself.
        theirs: What the mask of each tensor was made of in Keras.
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
    """The masks of a model, here and in Keras, followed from its inputs on."""

    def __init__(self, networks: Mapping[str, PlannedNetwork], graph: Graph, span: Span) -> None:
        self.problems: list[Diagnostic] = []
        self._networks, self._graph, self._span = networks, graph, span
        self._ours = _roots(graph)

    def network(self, use: _Use) -> None:
        """Compares the masks within one use of a network."""
        for name, number in calls_in_order(use.network.keras, ""):
            self._call(use, use.network.keras.layers[name], number)

    def _call(self, use: _Use, layer: KerasLayer, number: int) -> None:
        """Compares the masks that one call is given, and notes those of its outputs."""
        call = layer.calls[number]
        read = list(tensors_in([call.args, {name: v for name, v in call.kwargs.items() if not name.endswith("mask")}]))
        carried = _NONE.union(*(use.theirs.get(tensor, _NONE) for tensor in read))
        steps = use.calls.get((layer.name, number), [])
        if not steps:
            if not layer.is_operation:
                use.theirs[Tensor(layer.name, number)] = carried
            return
        refs = list(dict.fromkeys(self._ref(use, source) for source in steps[0].sources.values()))
        given = call.kwargs.get("mask")
        if given is not None:
            theirs = self._given(given, use)
        else:  # Keras fills in the mask of the tensor where there is one tensor
            theirs = _NONE if layer.is_operation or (layer.kind in _ALONE and len(read) > 1) else carried
        ours = _NONE.union(*(self._ours.get(ref, _NONE) for ref in refs[: 1 if layer.kind in _ALONE else None]))
        node = self._graph.nodes.get(use.prefix + steps[0].name)
        matters = (
            layer.model is not None or given is not None or (node is not None and (node.layer.uses_mask or node.op in _MERGES))
        )
        if ours != theirs and matters:
            at, name, reason = use.prefix + steps[0].name, use.prefix + layer.name, _reason(ours, theirs)
            problem = k.OtherMask.at(self._span, at, help=_HELP, layer=name, kind=kind_of(layer), reason=reason)
            self.problems.append(problem)
        elif layer.model is not None:
            self._within(use, steps[0])
        if not layer.is_operation:
            self._note(use, steps, theirs, ours)

    def _within(self, use: _Use, step: PlannedStep) -> None:
        """Compares the masks within a model that a call uses."""
        assert step.network is not None
        inner = self._networks[step.network]
        refs = {port: self._ref(use, source) for port, source in step.sources.items()}
        masks = {Tensor(name): self._ours.get(refs[ours], _NONE) for name, ours in inner.input_names.items() if ours in refs}
        self.network(_Use(inner, f"{use.prefix}{step.name}/", refs, masks))

    def _note(self, use: _Use, steps: Iterable[PlannedStep], theirs: Roots, ours: Roots) -> None:
        for step in steps:
            for index, text in _given_by(step, self._networks, self._graph.nodes.get(use.prefix + step.name)):
                made = self._ours.get(self._ref(use, text), _NONE)
                use.theirs[Tensor(step.keras.name, step.call, index)] = made if not ours else theirs if made else _NONE

    def _ref(self, use: _Use, text: str) -> Ref:
        """What a text under `from` is in the graph, in which uses of networks are unfolded."""
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
        """What a mask that a call was given was made of, as Keras makes masks; a mask made otherwise is a root of its own."""
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
    """The Keras layer's outputs that a step gives: Keras's number of each, and what it is called under `from`."""
    if step.network is not None:
        inner = networks[step.network]
        names = dict(zip(inner.keras.outputs, inner.outputs, strict=True))
        yield from ((index, f"{step.name}.{names[theirs]}") for index, theirs in enumerate(inner.keras.output_order))
    elif node is not None:
        for place, output in enumerate(node.outputs):
            yield step.gives.get(output, place), f"{step.name}.{output}"


def _masks_taken_off(network: PlannedNetwork, graph: Graph, span: Span) -> Iterator[Diagnostic]:
    """Warns where a mask is taken off a tensor that others read too."""
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
    "let the mask come with the tensor, from `Embedding(mask_zero=True)` or `Masking`, through layers alone, "
    "and save the model again"
)


def _reason(ours: Roots, theirs: Roots) -> str:
    def said(roots: Roots) -> str:
        return "no mask" if not roots else f"the mask of {', '.join(f'`{root}`' for root in sorted(roots))}"

    return f"gets {said(theirs)} in Keras, and {said(ours)} here"


def _roots(graph: Graph) -> dict[Ref, Roots]:
    """What each tensor's mask was made of."""
    found: dict[Ref, Roots] = {}
    for node in graph.nodes.values():
        given = [found.get(ref, _NONE) for ref in node.inputs.values()]
        for output, type_ in node.outputs.items():
            if type_.mask is None:
                continue
            inherited = _NONE.union(*given) if node.layer.passes_mask or any(given) else _NONE
            found[Ref(node.name, output)] = inherited or frozenset({str(ref) for ref in node.inputs.values()})
    return found


def _is_padding(layer: KerasLayer, call: KerasCall, model: KerasModel) -> bool:
    """Whether a comparison is with what means padding: 0, or the value of a ``Masking`` layer that reads the same."""
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
