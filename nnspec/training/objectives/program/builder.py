"""The typed graph of a program: its networks, blocks and layers inlined, and what each of its steps computes.

In a program the batch is an axis of every tensor. What a network, a block or a layer computes is computed for one example, so
the batch axis is removed from what feeds it, and restored on what it returns.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from nnspec.diagnostics import Note
from nnspec.graph.around import Around, Fed
from nnspec.graph.builder import Builder
from nnspec.graph.model import Graph, Ref, is_within
from nnspec.graph.recurrences import Inner
from nnspec.graph.scope import Given, Scope, Source
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.layers.compute import Compute
from nnspec.layers.interfaces import Labels
from nnspec.spec import Step
from nnspec.spec import problems as p
from nnspec.spec.checked import check_named
from nnspec.spec.program import LossUse
from nnspec.spec.step import NetworkUse, Shared
from nnspec.spec.tree import MappingNode, Tree
from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.objectives.program import problems as o
from nnspec.training.objectives.program.compute import ProgramCompute, mixes_examples
from nnspec.training.objectives.program.losses import LossValues
from nnspec.types import Dim, TensorType, did_you_mean, renamed

__all__ = ["ProgramBuilder", "ProgramGraph", "Unit"]


@dataclass(frozen=True)
class Unit:
    """What one step of a program computes.

    Attributes:
        name: The step.
        ports: What feeds it.
        types: The complete types of what feeds it.
        outputs: What it returns, by name.
        network: The network that it applies; None if it applies none.
        layer: Its expressions or loss; None for a network, a block or a layer.
        training: Whether it runs in training mode; None for the default.
        step: The step as written.
    """

    name: str
    ports: Mapping[str, Ref]
    types: Mapping[str, TensorType]
    outputs: Mapping[str, Ref]
    network: str | None
    layer: ProgramCompute | LossValues | None
    training: bool | None
    step: Step


@dataclass(frozen=True)
class ProgramGraph:
    """A typed program.

    Attributes:
        graph: All layers of the steps that its losses and metrics need.
        types: The complete types of its tensors.
        units: Its steps, in order.
        passed: The inputs of networks that are fed with a mask, with the number of axes of the mask.
    """

    graph: Graph
    types: Mapping[Ref, TensorType]
    units: Mapping[str, Unit]
    passed: Mapping[str, Mapping[str, int]]

    @cached_property
    def owners(self) -> Mapping[Ref, Unit]:
        """The step that returns each tensor; fields and draws have none."""
        found = ((ref, unit) for unit in self.units.values() for ref in unit.outputs.values())
        return {ref: unit for ref, unit in found if ref.source not in self.graph.inputs}

    def needed(self, refs: Iterable[Ref], known: Container[Ref] = ()) -> list[Unit]:
        """The steps that tensors need, in order.

        Args:
            refs: The tensors.
            known: Tensors that need no step.
        """
        found: set[str] = set()
        rest = list(refs)
        while rest:
            ref = rest.pop()
            owner = self.owners.get(ref)
            if ref not in known and owner is not None and owner.name not in found:
                found.add(owner.name)
                rest += owner.ports.values()
        return [unit for name, unit in self.units.items() if name in found]

    @property
    def mixes_examples(self) -> bool:
        """Whether a step depends on the size of the batch, or computes across examples."""
        return any(
            mixes_examples(unit.layer.typed(unit.types))
            for unit in self.units.values()
            if isinstance(unit.layer, ProgramCompute)
        )

    def inner(self, unit: Unit) -> Graph:
        """The graph of a block or layer without weights, with its ports as inputs."""
        ports = {ref: Ref(port) for port, ref in unit.ports.items()}
        nodes = {
            name: replace(node, inputs={port: ports.get(ref, ref) for port, ref in node.inputs.items()})
            for name, node in self.graph.nodes.items()
            if is_within(name, unit.name)
        }
        inputs = {port: _one_example(type_) for port, type_ in unit.types.items()}
        outputs = {name: ports.get(ref, ref) for name, ref in unit.outputs.items()}
        return Graph(unit.name, inputs, nodes, outputs)


class ProgramBuilder(Builder):
    """Builds the graph of a program, a network whose inputs are the fields and draws."""

    def build_program(self) -> ProgramGraph:
        """Builds the graph; it has gaps in place of errors, which are all reported."""
        graph = self.build({})
        types = {Ref(name): type_ for name, type_ in graph.inputs.items()} | self._types
        types = {ref: type_.with_sizes(self._sizes) for ref, type_ in types.items()}
        found = ProgramGraph(graph, types, self._units, self._passed)
        return replace(found, units={unit.name: unit for unit in found.needed(graph.outputs.values())})

    def _needed(self, graph: Graph) -> Graph:
        # A step is computed as a whole: a block with all its outputs, and a network from all its inputs.
        units = ProgramGraph(graph, {}, self._units, {}).needed(graph.outputs.values())
        whole = (ref for unit in units for ref in (unit.ports if unit.network else unit.outputs).values())
        needed = {str(i): ref for i, ref in enumerate([*graph.outputs.values(), *whole])}
        return replace(graph.giving(needed), outputs=graph.outputs)

    def _start_anew(self) -> None:
        super()._start_anew()
        self._units: dict[str, Unit] = {}
        self._types: dict[Ref, TensorType] = {}
        self._within = False

    def _applied(self, step: Step, content: Layer | Inner, fed: Fed, scope: Scope, here: Around) -> Mapping[str, Given] | None:
        if self._within:
            return super()._applied(step, content, fed, scope, here)
        if isinstance(content, Compute):
            layer = ProgramCompute(results=content.results, params=content.params, reads=content.reads)
            found = super()._applied(step, layer, fed, scope, here)
            return self._kept(step, fed, found, layer)
        if isinstance(content, LossValues):
            self._check_classes(step, content, fed)
            return self._kept(step, fed, super()._applied(step, content, fed, scope, here), content)
        lead = self._lead(step, fed)
        if lead is None:
            return None
        inner = {port: (source, (ref, _one_example(type_))) for port, (source, (ref, type_)) in fed.items()}
        self._within = True
        try:
            found = super()._applied(step, content, inner, scope, here)
        finally:
            self._within = False
        if found is None:
            return None
        network = content.network if isinstance(content, NetworkUse) else None
        if network is None and not self._check_weightless(step):
            return None
        complete = {
            name: (ref, _of_batch(replace(type_, dtype=_in_programs(type_)), lead)) for name, (ref, type_) in found.items()
        }
        return self._kept(step, fed, complete, None, network)

    def _step(self, step: Step, sources: list[Source], scope: Scope, here: Around) -> Mapping[str, Given] | None:
        if self._within:
            return super()._step(step, sources, scope, here)
        content: object = step.content
        if isinstance(content, LossUse):
            step = replace(step, content=self._loss(step, content))
        if isinstance(step.content, Shared):
            help = "name a network, and use it twice"
            self._problems.append(
                o.ProgramStep.at(
                    step.span, step.path, help=help, name=step.name, reason="shares weights of a step, which has none"
                )
            )
            return None
        if step.training is not None and not isinstance(step.content, NetworkUse) and step.content is not None:
            help = "remove it, or put the step into a network"
            reason = "has `training`, which is for uses of networks"
            self._problems.append(o.ProgramStep.at(step.span, step.path, help=help, name=step.name, reason=reason))
        return super()._step(step, sources, scope, here)

    def _check_classes(self, step: Step, content: LossValues, fed: Fed) -> None:
        """Report a loss of classes whose target has numbers that are no classes, for background and ignored rows."""
        if content.loss.target_kind() != "class" or "target" not in fed:
            return
        source, (ref, _) = fed["target"]
        node = self._nodes.get(ref.source)
        if node is None or not isinstance(node.layer, Labels) or ref.output != node.layer.label_output:
            return
        ignored = getattr(content.loss, "ignore_class", None)
        rest = [number for number in node.layer.no_classes if number != ignored]
        if rest:
            shown = " and ".join(f"−{-number}" for number in rest)
            reason = f"reads `{source.text}`, whose {shown} are no classes of `{content.loss.title}`"
            help = (
                f"to leave out rows without a class, write `Compute: maximum({source.text}, -1)` and `ignore_class: -1`; "
                f"if the last class is the background, `Compute: where({source.text} == -1, CLASSES, {source.text})` and "
                "`ignore_class: -2`"
            )
            self._problems.append(o.ProgramStep.at(step.span, step.path, help=help, name=step.name, reason=reason))

    def _loss(self, step: Step, use: LossUse) -> LossValues | None:
        if use.loss not in LOSSES:
            help = did_you_mean(use.loss, [*LAYERS.names(), *LOSSES.names()], "`nnspec layers` lists the layers")
            if (alias := LOSSES.aliases.get(use.loss)) is not None:
                help = renamed(use.loss, alias)
            self._problems.append(p.UnknownLayer.at(use.place.span, step.path, help=help, name=use.loss))
            return None
        tree: Tree = use.place
        if use.arguments is not None:
            tree = MappingNode([(use.place, use.arguments)], step.span, use.place.place)
        loss = check_named(LOSSES, tree, self._problems)
        assert loss is None or isinstance(loss, Loss)
        return None if loss is None else LossValues(loss=loss)

    def _kept(
        self,
        step: Step,
        fed: Fed,
        found: Mapping[str, Given] | None,
        layer: ProgramCompute | LossValues | None,
        network: str | None = None,
    ) -> Mapping[str, Given] | None:
        """Records what a step computes."""
        if found is not None:
            ports = {port: ref for port, (_, (ref, _)) in fed.items()}
            types = {port: type_ for port, (_, (_, type_)) in fed.items()}
            outputs = {name: ref for name, (ref, _) in found.items()}
            self._units[step.name] = Unit(step.name, ports, types, outputs, network, layer, step.training, step)
            for ref, type_ in found.values():
                self._types.setdefault(ref, type_)
        return found

    def _lead(self, step: Step, fed: Fed) -> int | Dim | None:
        """The size of the leading axis of what feeds a step, which is its batch; reports and returns None if there is none."""
        leads: list[tuple[str, int | Dim]] = []
        for port, (source, (_, type_)) in fed.items():
            if not type_.rank:
                help = "networks, blocks and layers take tensors whose first axis is the batch"
                reason = f"reads `{source.text}`, which is a number"
                self._problems.append(o.ProgramStep.at(step.span, step.path, help=help, name=step.name, reason=reason))
                return None
            leads.append((port, type_.shape[0]))
        if not leads:
            reason, help = "has no input, so it has no batch", "write a network with an input, and read a parameter there"
            self._problems.append(o.ProgramStep.at(step.span, step.path, help=help, name=step.name, reason=reason))
            return None
        if any(size != leads[0][1] for _, size in leads):
            sizes = ", ".join(f"`{port}` {size}" for port, size in leads)
            reason, help = f"reads tensors with different batches: {sizes}", "make their first axes equal"
            self._problems.append(o.ProgramStep.at(step.span, step.path, help=help, name=step.name, reason=reason))
            return None
        return leads[0][1]

    def _check_weightless(self, step: Step) -> bool:
        """Whether a block or layer has no weights; reports those that it has."""
        own = [node for name, node in self._nodes.items() if is_within(name, step.name)]
        inner = {call.network for call in self._calls if call.name.startswith(f"{step.name}/")}
        for node in own:
            if node.weights and not any(node.weights_at.startswith(f"{name}/") for name in inner):
                help = "put it into a network under `networks`, and use that: weights belong to networks"
                notes = [Note("this layer has weights", node.span)] if node.span != step.span else []
                reason = "has weights, which a program does not train"
                self._problems.append(
                    o.ProgramStep.at(step.span, step.path, help=help, notes=notes, name=step.name, reason=reason)
                )
                return False
        return True


def _one_example(type_: TensorType) -> TensorType:
    """The type of one example."""
    return replace(type_, shape=type_.shape[1:], mask=None if type_.mask is None else type_.mask[1:])


def _of_batch(type_: TensorType, lead: int | Dim) -> TensorType:
    """The complete type of a batch."""
    return replace(type_, shape=(lead, *type_.shape), mask=None if type_.mask is None else (lead, *type_.mask))


def _in_programs(type_: TensorType) -> str:
    """The dtype of what a network returns, which a program casts."""
    return "int32" if type_.is_integer else "bool" if type_.dtype == "bool" else "float32"
