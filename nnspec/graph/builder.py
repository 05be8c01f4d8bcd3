"""Construction of one network's graph: its nodes, the sizes that they require, its outputs and its gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Note
from nnspec.graph import problems as g
from nnspec.graph.advice import advise, advise_on_inputs, advise_on_steps
from nnspec.graph.around import Around
from nnspec.graph.conditions import (
    Request,
    asked_by,
    bound_sizes,
    contradiction,
    free_symbols,
    only_one,
    origins,
    solved,
    with_solution,
)
from nnspec.graph.model import Gaps, Graph, Ref, is_within
from nnspec.graph.outputs import Outputs, known_outputs, output_names
from nnspec.graph.scope import Scope
from nnspec.graph.shared_weights import check_uses, freeze_shared, start_shared
from nnspec.graph.steps import Steps, first_of_each, start_of, weights_prefix
from nnspec.spec import Network, Step
from nnspec.spec.step import NetworkUse, inner_steps
from nnspec.types import SizeTooComplex, TensorType, substitute


class Builder(Steps):
    """Builds the graph of one network."""

    def build(self, masked: Mapping[str, int]) -> Graph:
        """Build the graph, with gaps in place of errors, which are all reported.

        Sizes that must equal a number or another size are found only after all layers are built. Their symbols are then
        replaced and all layers are built again.

        Args:
            masked: Inputs with a mask, and the number of axes of each mask.
        """
        try:
            graph = self._solved(masked)
        except SizeTooComplex as error:
            self._problems.append(g.TooLarge.at(self._network.span, "layers", op=self._network.name, reason=str(error)))
            graph = unbuilt(self._network)
        self._given += self._problems
        if graph.nodes:
            self._given += only_one(graph.bound, self._bound_by)
            self._given.extend(advise(graph, self._read_in_gaps))
            for node in graph.every_node():
                if node.body is not None:
                    self._given.extend(advise(node.body))
        return graph

    def _solved(self, masked: Mapping[str, int]) -> Graph:
        while True:
            self._start_anew()
            inputs = self._inputs(masked)
            graph = self._built(inputs)
            symbols = free_symbols(inputs)
            requests = list(self._requests(graph)) if symbols else []
            solution = solved(requests, symbols)
            if solution is None:
                self._problems.append(contradiction(requests, inputs))
                return replace(graph, gaps=replace(graph.gaps, sizes=True))
            bound = bound_sizes(solution, inputs)
            if not bound:
                named = {name: size for name, size in self._sizes.items() if not name.startswith("?")}
                return replace(with_solution(graph, solution), bound=named)
            self._bound_by |= origins(bound, requests)
            self._sizes = {name: substitute(size, bound) for name, size in self._sizes.items()} | bound

    def _inputs(self, masked: Mapping[str, int]) -> dict[str, TensorType]:
        found: dict[str, TensorType] = {}
        for name, declared in self._network.inputs.items():
            if declared:
                type_ = declared.type.with_sizes(self._sizes)
                found[name] = type_.masked(type_.shape[: masked[name]]) if name in masked else type_
        return found

    def _requests(self, graph: Graph) -> Iterator[Request]:
        """Yield constraints on sizes: by the layers that outputs need, or by all built layers if one failed."""
        yield from asked_by(graph.nodes.values())
        for name, request in self._bindings:
            if not name or any(is_within(node.name, name) for node in graph.every_node()):
                yield request

    def _built(self, inputs: Mapping[str, TensorType]) -> Graph:
        network = self._network
        given = {name: (Ref(name), inputs[name]) if name in inputs else None for name in network.inputs}
        if not network.steps and not network.is_cut:
            self._problems.append(g.NoLayers.at(network.span, "layers", help="write `- Dense: {units: 10}`"))
        scope = Scope(given, first_of_each(network.steps))
        self._list(network.steps, scope, Around("", weights_prefix(network), start=start_of(network)))
        if network.name == "main":
            self._problems += self._named_like_networks(network.steps)
        found = known_outputs(network.outputs, network.steps, scope, self._problems)
        gaps = self._gaps(inputs, found)
        if not self._unread and found.are_named and found.are_found and network.steps:
            self._problems += advise_on_steps(network.steps, scope, network.outputs, listed=network.outputs is not None)
            read = scope.reached(output_names(network.outputs, network.steps))
            if network.reads_fields:
                inputs = {name: type_ for name, type_ in inputs.items() if name in read}
            else:
                self._problems += advise_on_inputs(network, read)
        self._problems += check_uses(self._nodes, self._uses)
        nodes = start_shared(freeze_shared(self._nodes), self._uses)
        refs = _named_outputs(network, found)
        graph = Graph(network.name, inputs, nodes, refs, uses=tuple(self._calls), gaps=gaps, steps=tuple(self._built_steps))
        if not gaps:
            self._decide(network.checks, inputs, graph.output_types, "")
        return graph if gaps.inputs or gaps.outputs or gaps.layers or not gaps.are_named else self._needed(graph)

    def _needed(self, graph: Graph) -> Graph:
        """Return the graph with only the nodes that it needs."""
        return graph.giving(graph.outputs)

    def _gaps(self, inputs: Mapping[str, TensorType], found: Outputs) -> Gaps:
        """Return the unknown parts of the graph."""
        network = self._network
        broken = self._failed or not network.steps
        return Gaps(
            frozenset(network.inputs) - frozenset(inputs),
            found.missing,
            frozenset(step_paths(network.steps)) if broken else frozenset(),
            found.are_named and bool(network.steps),
            frozenset(self._assumed),
        )

    def _named_like_networks(self, steps: tuple[Step, ...]) -> Iterator[Diagnostic]:
        """Yield errors for the document's own steps whose weight names would collide with those of a network."""
        with_weights = {node.name.partition("/")[0] for node in self._nodes.values() if node.weights}
        for step in steps:
            if (
                step.name in self._networks
                and step.name in with_weights - {"main"}
                and not isinstance(step.content, NetworkUse)
            ):
                help = f"rename it: `name: {step.name}_1`"
                notes = [Note("the network is defined here", self._networks[step.name].span)]
                yield g.NameOfNetwork.at(step.span, step.path, help=help, notes=notes, name=step.name)


def unbuilt(network: Network) -> Graph:
    """Return the graph of a network of which no step was built."""
    inputs = {name: declared.type for name, declared in network.inputs.items() if declared is not None}
    outputs = frozenset(output_names(network.outputs, network.steps))
    missing = frozenset(network.inputs) - frozenset(inputs)
    return Graph(network.name, inputs, {}, {}, gaps=Gaps(missing, outputs, frozenset(step_paths(network.steps)), False))


def _named_outputs(network: Network, found: Outputs) -> dict[str, Ref]:
    """Return the outputs under the names that the network gives them."""
    outputs = dict(found.given)
    if network.outputs is None and len(outputs) > 1 and "output" in outputs:
        outputs = {"output": outputs["output"]}
    alone = network.outputs is None and len(outputs) == 1
    return {network.steps[-1].name if alone else name: ref for name, (ref, _) in outputs.items()}


def step_paths(steps: tuple[Step, ...], prefix: str = "") -> Iterator[str]:
    """Yield the paths of the steps, nested steps and used networks."""
    for step in steps:
        yield prefix + step.name
        yield from step_paths(inner_steps(step.content), f"{prefix}{step.name}/")
        if isinstance(step.content, NetworkUse):
            yield step.content.network
