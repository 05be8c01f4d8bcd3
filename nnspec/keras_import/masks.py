"""Masks: Keras's config tells which mask a layer was given; the spec's must be the same."""

from __future__ import annotations

from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph.model import Graph, Ref
from nnspec.keras_import import problems as k
from nnspec.keras_import.model import KerasModel, Tensor, tensors_in
from nnspec.keras_import.planned import PlannedNetwork
from nnspec.keras_import.translate import kind_of

__all__ = ["check_masks"]

_TOLD = ("GRU", "LSTM", "SimpleRNN", "Bidirectional", "TimeDistributed", "GlobalAveragePooling1D")
"""The layers whose call is recorded with its mask; the attentions take theirs off the tensors."""


def check_masks(network: PlannedNetwork, graph: Graph, span: Span, problems: list[Diagnostic]) -> None:
    """Refuses a model in which a mask arrives elsewhere than in the spec.

    Args:
        network: The network as it was planned.
        graph: The same, compiled on its own.
        span: The model's file.
        problems: What is wrong is appended here.
    """
    roots = _roots(graph)
    readers: dict[Ref, set[str]] = {}
    for node in graph.nodes.values():
        for ref in node.inputs.values():
            readers.setdefault(ref, set()).add(node.name)
    texts = {name: text for text, name in network.input_names.items()}
    for step in network.steps:
        if step.name not in graph.nodes or step.call < 0 or step.layer is None:
            continue
        node, kind = graph.nodes[step.name], kind_of(step.keras)
        first = next(iter(node.inputs.values()), None)
        if node.op in _TOLD and node.layer.uses_mask and first is not None:
            ours = roots.get(first, frozenset())
            theirs = _given(network.keras, step.keras.calls[step.call].kwargs.get("mask"), network)
            if ours != theirs:
                reason = _reason(ours, theirs)
                problems.append(k.OtherMask.at(span, step.name, layer=step.keras.name, kind=kind, reason=reason))
        if node.op == "MultiHeadAttention":
            for ref in dict.fromkeys(node.inputs.values()):
                if roots.get(ref) and len(readers[ref]) > 1:
                    source = texts.get(ref.source, str(ref))
                    problems.append(k.MaskTakenOff.at(span, step.name, source=source, layer=step.keras.name))


def _reason(ours: frozenset[str], theirs: frozenset[str]) -> str:
    def said(roots: frozenset[str]) -> str:
        return "no mask" if not roots else f"the mask of {', '.join(f'`{root}`' for root in sorted(roots))}"

    return f"gets {said(theirs)} in Keras, and {said(ours)} here"


def _roots(graph: Graph) -> dict[Ref, frozenset[str]]:
    """What each tensor's mask was made of: the tensors in which a value means padding."""
    found: dict[Ref, frozenset[str]] = {}
    for node in graph.nodes.values():
        given = [found.get(ref, frozenset()) for ref in node.inputs.values()]
        for output, type_ in node.outputs.items():
            if type_.mask is None:
                continue
            inherited = frozenset().union(*given) if node.layer.passes_mask or any(given) else frozenset()
            made = inherited or frozenset({str(ref) for ref in node.inputs.values()})
            found[Ref(node.name, output)] = made
    return found


def _given(model: KerasModel, mask: object, network: PlannedNetwork) -> frozenset[str]:
    """What a mask that a call was given was made of, by the spec's names."""
    roots: set[str] = set()
    waiting = list(tensors_in(mask))
    seen: set[Tensor] = set()
    names = {(step.keras.name, step.call): step.name for step in network.steps if step.call >= 0}
    while waiting:
        tensor = waiting.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        layer = model.layers.get(tensor.layer)
        if layer is not None and layer.is_operation and (tensor.layer, tensor.call) not in names:
            if 0 <= tensor.call < len(layer.calls):
                call = layer.calls[tensor.call]
                waiting.extend(tensors_in([call.args, call.kwargs]))
        else:
            at = network.input_names.get(tensor.layer) or names.get((tensor.layer, tensor.call), tensor.layer)
            roots.add(at)
    return frozenset(roots)
