"""Masks: what Keras's config tells of the masks that layers are given must be so in the spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

_TOLD = ("GRU", "LSTM", "SimpleRNN", "RNN", "Bidirectional", "GlobalAveragePooling1D")
"""Keras's layers that compute with a mask, and whose calls are recorded with it."""

_MERGES = ("Maximum", "Minimum", "Multiply")
"""The merges that compute with masks. Operations of the same names do not, and attentions take theirs off the tensors."""

_COMPOSING = ("Any", "Cast", "Concatenate", "Copy", "ExpandDims", "LogicalOr", "NotEqual")
"""The operations of which Keras makes masks by itself."""

_OF_A_SHAPE = ("OnesLike", "ZerosLike")


def check_masks(network: PlannedNetwork, graph: Graph, span: Span, problems: list[Diagnostic]) -> None:
    """Refuses a model in which a mask arrives elsewhere than in the spec.

    Args:
        network: The network as it was planned.
        graph: The same, compiled on its own.
        span: The model's file.
        problems: What is wrong is appended here.
    """
    check = _Check(network, graph, span, problems)
    for name, number in calls_in_order(network.keras, ""):
        check.call(network.keras.layers[name], number)
    check.masks_taken_off()


class _Check:
    """One network's masks, here and in Keras, followed from its inputs on."""

    def __init__(self, network: PlannedNetwork, graph: Graph, span: Span, problems: list[Diagnostic]) -> None:
        self._network, self._graph, self._span, self._problems = network, graph, span, problems
        self._ours = _roots(graph)
        self._theirs: dict[Tensor, Roots] = {}
        self._steps: dict[tuple[str, int], list[PlannedStep]] = {}
        for step in network.steps:
            if step.call >= 0:
                self._steps.setdefault((step.keras.name, step.call), []).append(step)

    def call(self, layer: KerasLayer, number: int) -> None:
        """Compares the masks that one call is given, and notes those of its outputs."""
        call = layer.calls[number]
        read = list(tensors_in([call.args, {name: v for name, v in call.kwargs.items() if not name.endswith("mask")}]))
        carried = _NONE.union(*(self._theirs.get(tensor, _NONE) for tensor in read))
        steps = self._steps.get((layer.name, number), [])
        if not steps:
            if not layer.is_operation:
                self._theirs[Tensor(layer.name, number)] = carried
            return
        given = call.kwargs.get("mask")
        told = not self._network.keras.is_chain and (given is not None or layer.kind in _TOLD)
        theirs = _given(given, self._network) if told else _NONE if layer.is_operation else carried
        node = self._graph.nodes.get(steps[0].name)
        ours = _NONE if node is None else _NONE.union(*(self._ours.get(ref, _NONE) for ref in _masked_inputs(node, told)))
        if node is not None and ours != theirs and _matters(layer, node, told):
            said = {"layer": layer.name, "kind": kind_of(layer), "reason": _reason(ours, theirs)}
            self._problems.append(k.OtherMask.at(self._span, steps[0].name, help=_HELP, **said))
        if not layer.is_operation:
            self._note(steps, theirs, ours)

    def _note(self, steps: Iterable[PlannedStep], theirs: Roots, ours: Roots) -> None:
        for step in steps:
            node = self._graph.nodes.get(step.name)
            outputs = list(node.outputs) if node is not None else []
            for place, output in enumerate(outputs):
                made = self._ours.get(Ref(step.name, output), _NONE)
                index = step.gives.get(output, place)
                self._theirs[Tensor(step.keras.name, step.call, index)] = made if not ours else theirs if made else _NONE

    def masks_taken_off(self) -> None:
        """Warns where a mask is taken off a tensor that others read too."""
        readers: dict[Ref, set[str]] = {}
        for node in self._graph.nodes.values():
            for ref in node.inputs.values():
                readers.setdefault(ref, set()).add(node.name)
        texts = {name: text for text, name in self._network.input_names.items()}
        for step in self._network.steps:
            if step.name not in self._graph.nodes or step.keras.kind != "MultiHeadAttention" or step.call < 0:
                continue
            for ref in dict.fromkeys(self._graph.nodes[step.name].inputs.values()):
                if self._ours.get(ref) and len(readers[ref]) > 1:
                    source = texts.get(ref.source, str(ref))
                    self._problems.append(k.MaskTakenOff.at(self._span, step.name, source=source, layer=step.keras.name))


_HELP = "let the mask come with the tensor, from `Embedding(mask_zero=True)` or `Masking`, by layers alone, and save the model again"


def _matters(layer: KerasLayer, node: Node, told: bool) -> bool:
    return told or node.layer.uses_mask or node.op in _MERGES or layer.model is not None


def _masked_inputs(node: Node, told: bool) -> list[Ref]:
    """The inputs whose masks it computes with: where its call is recorded with a mask, that of the first."""
    return list(node.inputs.values())[: 1 if told and node.op in ("GRU", "LSTM", "SimpleRNN", "Bidirectional") else None]


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


def _given(mask: object, network: PlannedNetwork) -> Roots:
    """What a mask that a call was given was made of, as Keras makes masks; a mask made otherwise is a root of its own."""
    model = network.keras
    names = {(step.keras.name, step.call): step.name for step in network.steps if step.call >= 0}
    roots: set[str] = set()
    waiting = list(tensors_in(mask))
    seen: set[Tensor] = set()
    while waiting:
        tensor = waiting.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        layer = model.layers.get(tensor.layer)
        if layer is None or not layer.is_operation or (tensor.layer, tensor.call) in names:
            roots.add(network.input_names.get(tensor.layer) or names.get((tensor.layer, tensor.call), tensor.layer))
        elif 0 <= tensor.call < len(layer.calls) and layer.kind not in _OF_A_SHAPE:
            call = layer.calls[tensor.call]
            if layer.kind in _COMPOSING and _is_padding(layer, call, model):
                waiting.extend(tensors_in([call.args, call.kwargs]))
            else:
                roots.add(tensor.layer)
    return frozenset(roots)


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
