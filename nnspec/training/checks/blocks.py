"""Blocks as losses and metrics: reading their uses in the section ``train``, and building what they compute."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import cast

from nnspec.diagnostics import Diagnostic, once
from nnspec.graph import Graph
from nnspec.graph.binding import bind_ports
from nnspec.graph.builder import Builder
from nnspec.layers.base import LayerError
from nnspec.spec import Collected, Network, Spec
from nnspec.spec import problems as p
from nnspec.spec.blocks import Block
from nnspec.spec.checked import intended_member
from nnspec.spec.evaluate import Scope
from nnspec.spec.expand import Expander, TooMany
from nnspec.spec.shapes import Input
from nnspec.spec.step import Nested, Step
from nnspec.spec.tree import MappingNode, Resolved, Scalar, SequenceNode, Tree, Unknown
from nnspec.training import problems as t
from nnspec.training.catalogue.blocks import OUTPUT, TARGET, BlockLoss, BlockMetric, BlockUse
from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.metrics import METRICS
from nnspec.types import Family, TensorType, closest, did_you_mean, listed, same_size, size_text, suggested

_FAMILIES: Mapping[str, tuple[Family, type[BlockLoss] | type[BlockMetric]]] = {
    "loss": (LOSSES, BlockLoss),
    "metrics": (METRICS, BlockMetric),
}


def with_blocks(
    tree: MappingNode, blocks: Mapping[str, Block], outputs: Collection[str], problems: list[Diagnostic]
) -> MappingNode:
    """The section ``train`` with its uses of blocks as losses and metrics resolved.

    Args:
        tree: The section.
        blocks: The blocks of the document.
        outputs: The outputs of the network, which a key may also name.
        problems: Problems are appended here.
    """
    if not blocks:
        return tree
    entries = []
    for key, value in tree.items():
        if key.value in _FAMILIES:
            reader = _Reader(*_FAMILIES[str(key.value)], blocks, problems)
            value = reader.all(value, outputs)
        entries.append((key, value))
    return MappingNode(entries, tree.span, tree.place)


@dataclass(frozen=True)
class _Reader:
    """Reads the uses under ``loss`` or ``metrics``."""

    family: Family
    kind: type[BlockLoss] | type[BlockMetric]
    blocks: Mapping[str, Block]
    problems: list[Diagnostic]

    def all(self, tree: Tree, outputs: Collection[str]) -> Tree:
        """The value of the key: uses, or uses by output."""
        if isinstance(tree, MappingNode) and not any(self._names_block(key, outputs) for key, _ in tree.items()):
            entries = [(key, self._some(value)) for key, value in tree.items()]
            return MappingNode(entries, tree.span, tree.place)
        return self._some(tree)

    def _names_block(self, key: Scalar, outputs: Collection[str]) -> bool:
        return key.value in self.blocks and key.value not in outputs

    def _some(self, tree: Tree) -> Tree:
        """A use, or a list of them."""
        if isinstance(tree, SequenceNode):
            return SequenceNode([self._one(item) for item in tree.items], tree.span, tree.place)
        return self._one(tree)

    def _one(self, tree: Tree) -> Tree:
        if isinstance(tree, Scalar):
            return self._use(tree, None, tree) or tree
        if not isinstance(tree, MappingNode):
            return tree
        entries = [(key, self._use(key, value, tree) or value) for key, value in tree.items()]
        if any(isinstance(value, Unknown) and key.value in self._misspelt(tree) for key, value in entries):
            return Unknown(tree.span, tree.place)
        return MappingNode(entries, tree.span, tree.place)

    def _misspelt(self, tree: MappingNode) -> set[object]:
        return {key.value for key, _ in tree.items() if self._meant(key) is not None}

    def _use(self, name: Scalar, arguments: Tree | None, tree: Tree) -> Tree | None:
        """The use that a name stands for; None if it is none of a block."""
        block = self.blocks.get(str(name.value))
        if block is None:
            meant = self._meant(name)
            if meant is None:
                return None
            help = suggested(str(name.value), meant, [*self.blocks, *self.family.names(plugins=True)])
            self.problems.append(
                p.UnknownMember.at(name.span, tree.path, help=help, kind=self.family.kind, name=str(name.value))
            )
            return Unknown(tree.span, tree.place)
        use = BlockUse(block, arguments, name.span, tree.place)
        at = arguments or tree
        return Resolved(block.name, self.kind(use=use), arguments, at.span, at.place)

    def _meant(self, name: Scalar) -> str | None:
        """The block that a misspelled name means."""
        word = name.value
        if not isinstance(word, str) or word in self.blocks or word in self.family or word == "weight":
            return None
        own, other = closest(word, self.blocks), intended_member(self.family, word)
        return own if own is not None and (other is None or _likeness(word, own) >= _likeness(word, other)) else None


def _likeness(word: str, name: str) -> float:
    """How similar two names are, whatever their case; the block `dice` is as similar to `dise` as the loss `Dice`."""
    return SequenceMatcher(None, word.lower().replace("_", ""), name.lower().replace("_", "")).ratio()


class _Wrong(Exception):
    """Why a block cannot be a loss or metric.

    Attributes:
        reason: The reason, after the name of the block.
        help: What to do.
    """

    def __init__(self, reason: str, help: str) -> None:
        super().__init__(reason)
        self.reason, self.help = reason, help


class _Reported(Exception):
    """Errors were reported."""


@dataclass(frozen=True)
class BlockBuilder:
    """Builds what blocks compute as losses and metrics of the outputs of a network.

    Attributes:
        spec: The spec.
        graph: The network.
        problems: Problems are appended here.
    """

    spec: Spec
    graph: Graph
    problems: list[Diagnostic]

    def built(self, use: BlockUse, output: str, target: TensorType | None, *, loss: bool) -> BlockUse | None:
        """The use with what it computes; reports and returns None if it cannot be a loss or metric of the output.

        Args:
            use: The use.
            output: The output that is compared.
            target: The type of the target that other losses take; None if there are none.
            loss: Whether it is a loss, which must be float.
        """
        try:
            types = self._types(use, output)
            steps = self._steps(use)
            wanted = self._target(use, steps, types)
            if target is not None and wanted is not None and not _same(wanted, target):
                help = f"declare it in the block: `inputs: {{{TARGET}: {_written(target)}, {OUTPUT}: null}}`"
                reason = f"takes a target of {_typed(wanted)}, and the other losses of `{output}` take {_typed(target)}"
                raise _Wrong(reason, help)
            compared = {} if wanted is None else {TARGET: wanted}
            found = replace(use, graph=self._graph(use, steps, compared | types))
            _check_form(found, output, loss=loss)
        except _Wrong as wrong:
            help, reason = wrong.help, wrong.reason
            self.problems.append(t.BlockDoesNotFit.at(use.span, use.path, help=help, block=use.block.name, reason=reason))
        except _Reported:
            pass
        else:
            return found
        return None

    def _types(self, use: BlockUse, output: str) -> dict[str, TensorType]:
        """The types of the inputs of a block other than its target."""
        inputs, outputs = self.graph.inputs, self.graph.output_types
        if OUTPUT not in use.block.inputs:
            help = f"write `inputs: [{TARGET}, {OUTPUT}]` in the block, or `inputs: [{OUTPUT}]` if it compares with no target"
            raise _Wrong(f"is a loss or metric, and has no input `{OUTPUT}`", help)
        found: dict[str, TensorType] = {OUTPUT: _cast(outputs[output])}
        for name in use.others:
            if name in self.graph.gaps.inputs or name in self.graph.gaps.outputs:
                raise _Reported
            if name in inputs and name in outputs:
                reason = f"reads `{name}`, which is both an output and an input of the network"
                raise _Wrong(reason, "rename the output, and the input of the block")
            if name not in inputs and name not in outputs:
                known = [*outputs, *inputs]
                help = did_you_mean(name, known, f"its outputs and inputs are {listed(known)}")
                raise _Wrong(f"reads `{name}`, which is neither an output nor an input of the network", help)
            found[name] = _cast(outputs[name] if name in outputs else inputs[name])
        return found

    def _steps(self, use: BlockUse) -> tuple[Step, ...]:
        """The use as the only step of a network; reports errors of its block."""
        span, found = use.span, Collected(self.spec.limits)
        ports: list[tuple[Scalar, Tree]] = [(Scalar(port, span), Scalar(port, span)) for port in use.block.inputs]
        operation: tuple[Scalar, Tree] = (Scalar(use.block.name, span), use.arguments or Scalar(None, span))
        step = MappingNode([operation, (Scalar("from", span), MappingNode(ports, span))], span, use.place)
        networks = {name: tuple(network.inputs) for name, network in self.spec.networks.items()}
        expander = Expander(self.spec.blocks, networks, self.spec.limits.layers, found)
        try:
            steps = expander.steps(SequenceNode([step], span), use.block.inputs, Scope())
        except TooMany:
            steps = ()
        self.problems.extend(found)
        if any(problem.is_error for problem in found) or not steps:
            raise _Reported
        return steps

    def _target(self, use: BlockUse, steps: tuple[Step, ...], types: Mapping[str, TensorType]) -> TensorType | None:
        """The type of the target: the declared one with the sizes of this use, or that of the output; None without one."""
        if TARGET not in use.block.inputs:
            return None
        shapes = dict(cast("Nested", steps[0].content).shapes)
        own = shapes.pop(TARGET, None)
        if own is None:
            return TensorType(types[OUTPUT].shape)
        try:
            sizes = bind_ports(f"the block `{use.block.name}`", shapes, types).sizes
        except LayerError as error:
            raise _Wrong(f"does not fit: {error.message}", error.help) from None
        return TensorType(own.type.with_sizes(sizes).shape, "int32" if own.type.is_integer else "float32")

    def _graph(self, use: BlockUse, steps: tuple[Step, ...], types: Mapping[str, TensorType]) -> Graph:
        """The graph of the use; reports its errors."""
        inputs: dict[str, Input | None] = {
            port: Input(port, replace(types[port], mask=None), use.span, use.path) for port in use.block.inputs
        }
        masked = {port: len(type_.mask) for port, type_ in types.items() if type_.mask is not None}
        name, found = use.block.name, Collected(self.spec.limits)
        networks = {**self.spec.networks, name: Network(name, inputs, steps, None, use.span)}
        passed: dict[str, dict[str, int]] = {other: {} for other in networks}
        graph = Builder(networks, name, passed, found).build(masked)
        self.problems.extend(once(found))
        if graph.gaps or any(problem.is_error for problem in found):
            raise _Reported
        return graph


def _check_form(use: BlockUse, output: str, *, loss: bool) -> None:
    """Checks that a block has the form of a loss or metric.

    Raises:
        _Wrong: If it has not.
    """
    graph = cast("Graph", use.graph)
    compared = graph.inputs[OUTPUT]
    if graph.parameters:
        name = next(weight for weight, *_ in graph.weights())
        raise _Wrong(f"has weights (`{name}`)", "put the layer with weights into the network, and read its output")
    if len(graph.outputs) != 1:
        raise _Wrong(f"has {len(graph.outputs)} outputs", "write `outputs: [NAME]` in the block")
    type_ = use.type
    pairs = zip(type_.shape, compared.shape, strict=False)
    if type_.rank > compared.rank or not all(same_size(a, b) is True for a, b in pairs):
        reason = f"returns {type_} for each example, and `{output}` is {compared}"
        raise _Wrong(reason, f"reduce the last axes: the result has leading axes of `{OUTPUT}`, or none")
    if loss and not type_.dtype.startswith(("float", "bfloat")):
        raise _Wrong(f"returns {type_.dtype}, which has no gradient", "return a float")


def _cast(type_: TensorType) -> TensorType:
    """The type of a tensor in a loss, which is computed in float32."""
    return replace(type_, dtype="int32" if type_.is_integer else "bool" if type_.dtype == "bool" else "float32")


def _same(a: TensorType, b: TensorType) -> bool:
    alike = a.rank == b.rank and a.is_integer == b.is_integer
    return alike and all(same_size(x, y) is not False for x, y in zip(a.shape, b.shape, strict=True))


def _typed(type_: TensorType) -> str:
    return f"{type_} {type_.dtype}"


def _written(type_: TensorType) -> str:
    sizes = ", ".join("null" if (text := size_text(size)) == "?" else text for size in type_.shape)
    return f"{{shape: [{sizes}], dtype: {type_.dtype}}}"
