"""Warnings about valid but probably unintended structure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from nnspec.diagnostics import Diagnostic, Note
from nnspec.graph import problems as g
from nnspec.graph.model import Graph, Node, Ref
from nnspec.graph.outputs import output_names
from nnspec.graph.scope import Scope
from nnspec.graph.wiring import counts_examples, reads_by_name
from nnspec.layers.interfaces import Affine, MayMask, MixesSteps, RemovesOffset
from nnspec.spec import Network, Step
from nnspec.spec.tree import Tree
from nnspec.types import Dim, TensorType
from nnspec.types.activation_names import OVER_LAST_AXIS


def advise(graph: Graph, read_elsewhere: Collection[str] = ()) -> Iterator[Diagnostic]:
    """Yield warnings about a graph, each at its step.

    Args:
        graph: Graph to check.
        read_elsewhere: Nodes that are also read by steps that could not be built.
    """
    readers: dict[str, list[Node]] = {name: [] for name in graph.nodes}
    for node in graph.nodes.values():
        for ref in node.inputs.values():
            if ref.source in readers:
                readers[ref.source].append(node)
    outputs = {ref.source for ref in graph.outputs.values()} | set(read_elsewhere)
    yield from _needless_biases(graph, readers, outputs)
    for node in graph.nodes.values():
        yield from _random_output(graph, node)
        if node.name not in graph.gaps.assumed:
            yield from _constant_output(node)
        yield from _unmasked_padding(graph, node)
        yield from _dropped_mask(node, readers)


def advise_on_steps(steps: Sequence[Step], scope: Scope, tree: Tree | None, *, listed: bool) -> Iterator[Diagnostic]:
    """Yield warnings about unused steps and, if outputs are listed, steps that read an output by default.

    Args:
        steps: List of steps.
        scope: Names of the list and what each step reads.
        tree: Value of ``outputs``.
        listed: Whether the user listed the outputs.
    """
    outputs = output_names(tree, steps)
    needed = scope.reached(outputs)
    above: Step | None = None
    for step in steps:
        if step.name not in needed:
            if tree is not None and tree.span.file != step.span.file:
                continue  # another document's layers, of which only some are used
            help = "read it in a later step, list it under `outputs`, or remove it"
            yield g.UnusedLayer.at(step.span, step.path, help=help, name=step.name)
        elif listed and above is not None and above.name in outputs and _reads_above(step):
            help = f"write `from: …` (`from: {above.name}` if this is intended)"
            notes = [Note("the output is defined here", above.span)]
            yield g.ChainedOntoOutput.at(step.span, step.path, help=help, notes=notes, name=step.name, output=above.name)
        above = step


def _reads_above(step: Step) -> bool:
    """Return whether a step reads the one before because nothing states what it reads."""
    return step.source is None and not reads_by_name(step) and not counts_examples(step)


def advise_on_inputs(network: Network, needed: Collection[str]) -> Iterator[Diagnostic]:
    """Yield warnings about unused inputs."""
    for name, declared in network.inputs.items():
        if name not in needed and declared is not None:
            help = "read it with `from`, or remove it"
            yield g.UnusedInput.at(declared.span, declared.path, help=help, name=name)


def _before(graph: Graph, node: Node) -> Node | None:
    """Return the node that a single-input node reads."""
    refs = list(node.inputs.values())
    return graph.nodes.get(refs[0].source) if len(refs) == 1 else None


def _needless_biases(graph: Graph, readers: dict[str, list[Node]], outputs: set[str]) -> Iterator[Diagnostic]:
    """Yield warnings about biases that a following normalization cancels in every use of the weights."""
    removed: dict[str, Node] = {}
    for node in graph.nodes.values():
        by = readers[node.name][0] if len(readers[node.name]) == 1 and node.name not in outputs else None
        # Frozen statistics subtract the same mean whatever the bias is, and loaded weights include their bias.
        assumed = {node.name, by.name if by else ""} & graph.gaps.assumed
        if (
            by is not None
            and not assumed
            and _has_plain_bias(node)
            and not by.frozen
            and node.start is None
            and by.start is None
        ):
            x = by.input_types.get("x")
            if x is not None and x == node.output and _removes_offset(by, x):
                removed[node.name] = by
    kept = {node.weights_at for node in graph.nodes.values() if node.name not in removed}
    for name, by in removed.items():
        node = graph.nodes[name]
        if node.weights_at not in kept:
            help = f"write `use_bias: false` in `{node.op}`"
            note = Note(f"`{by.op}` cancels it here", by.span)
            yield g.NeedlessBias.at(node.span, node.path, help=help, notes=[note], name=node.name, by=by.name)


def _has_plain_bias(node: Node) -> bool:
    layer = node.layer
    plain = getattr(layer, "activation", None) in (None, "linear") and getattr(layer, "activity_regularizer", None) is None
    return isinstance(layer, Affine) and getattr(layer, "use_bias", False) and plain


def _removes_offset(node: Node, x: TensorType) -> bool:
    return isinstance(node.layer, RemovesOffset) and node.layer.removes_offset(x, x.rank - 1)


def _random_output(graph: Graph, node: Node) -> Iterator[Diagnostic]:
    if graph.name == "main" and node.layer.is_random and Ref(node.name) in graph.outputs.values():
        help = "move it before the last layer"
        yield g.RandomOutput.at(node.span, node.path, help=help, name=node.name)


def _constant_output(node: Node) -> Iterator[Diagnostic]:
    name = node.layer.activation_name
    if name in OVER_LAST_AXIS and getattr(node.layer, "axis", -1) == -1 and node.output.shape[-1:] == (1,):
        help = "write `activation: sigmoid` for binary classification, or use one unit per class"
        yield g.ConstantOutput.at(node.span, node.path, help=help, name=node.name, activation=name)


def _unmasked_padding(graph: Graph, node: Node) -> Iterator[Diagnostic]:
    if not (node.layer.uses_mask and isinstance(node.layer, MixesSteps) and node.layer.mixes_steps):
        return
    type_ = next(iter(node.input_types.values()))
    if type_.mask is not None or not type_.shape or not isinstance(type_.shape[0], Dim):
        return
    before = graph.nodes.get(next(iter(node.inputs.values())).source)
    while before is not None and not (isinstance(before.layer, MayMask) and before.layer.could_mask):
        before = _before(graph, before) if before.layer.passes_mask else None
    if before is not None:
        help = f"write `mask_zero: true` in `{before.op}`, or give `{next(iter(graph.inputs))}` a fixed length"
        note = Note("the mask could be created here", before.span)
        yield g.UnmaskedPadding.at(node.span, node.path, help=help, notes=[note], name=node.name)


def _dropped_mask(node: Node, readers: dict[str, list[Node]]) -> Iterator[Diagnostic]:
    """Yield a warning if a layer drops a mask that a later layer would have used."""
    if not node.layer.drops_mask(node.input_types, node.outputs):
        return
    seen = {node.name}
    queue = [node.name]
    while queue:
        source = queue.pop(0)
        for reader in readers[source]:
            bare = [
                port for port, ref in reader.inputs.items() if ref.source == source and reader.input_types[port].mask is None
            ]
            if reader.name in seen or not bare:
                continue
            seen.add(reader.name)
            if any(reader.layer.uses_mask_of(port) for port in bare):
                note = Note(f"`{reader.name}` would ignore padding here", reader.span)
                help = f"move it after `{reader.op}`, or remove the mask if padding should be processed"
                if node.layer.expressions:
                    read = next(port for port, type_ in node.input_types.items() if type_.mask is not None)
                    help = f"compute with `mask({read})` so that padding does not count, or move it after `{reader.op}`"
                yield g.DroppedMask.at(node.span, node.path, help=help, notes=[note], name=node.name, reader=reader.name)
                return
            queue.append(reader.name)
