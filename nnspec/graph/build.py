"""From a spec to its typed graphs: names resolved, every layer asked what it makes of its inputs."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.diagnostics import Diagnostic, Note, SpecError
from nnspec.graph import problems as g
from nnspec.graph.budget import check_budget
from nnspec.graph.model import Graph, Model, Node, Ref
from nnspec.graph.outputs import read_outputs
from nnspec.graph.wiring import Names, Source, misplaced, ports_of, sources_of
from nnspec.layers.base import LayerError
from nnspec.spec import Network, Spec, Step
from nnspec.spec.tree import MappingNode, Tree
from nnspec.types import TensorType

__all__ = ["build", "compile"]


def compile(spec: Spec) -> Model:
    """The typed graphs of a spec.

    Raises:
        SpecError: With every diagnostic, where a graph cannot be built.
    """
    problems: list[Diagnostic] = []
    model = build(spec, problems)
    if model is None or any(problem.is_error for problem in problems):
        raise SpecError(problems)
    return Model(model.name, model.networks, tuple(problems))


def build(spec: Spec, problems: list[Diagnostic]) -> Model | None:
    """As [`compile`][], but what is wrong is appended to ``problems``; None where a network has no graph at all."""
    networks: dict[str, Graph] = {}
    for name, network in spec.networks.items():
        graph = _Builder(network, problems).build()
        if graph is not None:
            networks[name] = graph
    if len(networks) < len(spec.networks):
        return None
    model = Model(spec.name, networks)
    check_budget(spec, model, problems)
    return model


class _Builder:
    def __init__(self, network: Network, problems: list[Diagnostic]) -> None:
        self._network = network
        self._problems = problems
        steps: dict[str, Step] = {}
        for step in network.steps:
            steps.setdefault(step.name, step)
        types = {name: declared.type if declared else None for name, declared in network.inputs.items()}
        self._names = Names(types, steps)
        self._sources: list[list[Source] | None] = []
        self._nodes: dict[str, Node] = {}

    def build(self) -> Graph | None:
        """The graph; None where it has errors, all of which have been given."""
        before = len(self._problems)
        above: Step | None = None
        inputs = list(self._network.inputs)
        for step in self._network.steps:
            self._sources.append(sources_of(step, above, inputs, self._problems))
            above = step
        reads = {
            step.name: [source.text.partition(".")[0] for source in sources or ()]
            for step, sources in zip(self._network.steps, self._sources, strict=True)
        }
        for step, sources in zip(self._network.steps, self._sources, strict=True):
            self._names.built.setdefault(step.name, self._step(step, sources, reads))
        outputs = read_outputs(self._network, self._names, self._problems)
        if outputs is None or any(problem.is_error for problem in self._problems[before:]):
            return None
        return self._graph(outputs)

    def _step(
        self, step: Step, sources: list[Source] | None, reads: Mapping[str, list[str]]
    ) -> Mapping[str, TensorType] | None:
        """The outputs of a step; None where they are not known, because of an error here or above."""
        if sources is None:
            return None
        found: dict[int, tuple[Ref, TensorType]] = {}
        for source in sources:
            name = source.text.partition(".")[0]
            if name in self._names.steps and name not in self._names.built and name not in self._names.inputs:
                self._problems.append(misplaced(source, step, self._names, reads))
            elif resolved := self._names.resolve(source, self._problems):
                found[id(source)] = resolved
        if step.layer is None:
            return None
        ports = ports_of(step, step.layer.ports, sources, self._problems)
        if ports is None or len(found) < len(sources):
            return None
        fed = {port: found[id(source)] for port, source in ports.items()}
        types = {port: type_ for port, (_, type_) in fed.items()}
        try:
            outputs = step.layer.output_types(types)
            weights = step.layer.weights(types)
        except LayerError as error:
            self._problems.append(self._does_not_fit(error, step, ports, types))
            return None
        refs = {port: ref for port, (ref, _) in fed.items()}
        self._nodes[step.name] = Node(
            step.name, step.layer, refs, types, outputs, weights, step.name, step.freeze, step.span, step.path
        )
        return outputs

    def _does_not_fit(
        self, error: LayerError, step: Step, ports: Mapping[str, Source], types: Mapping[str, TensorType]
    ) -> Diagnostic:
        span, path = step.span, f"{step.path}.{step.op}"
        arguments = step.arguments
        if error.argument and isinstance(arguments, MappingNode):
            at: Tree | None = arguments.get(error.argument)
            if at is not None:
                span, path = at.span, at.path
        elif error.port and error.port in ports and not ports[error.port].implied:
            span, path = ports[error.port].span, ports[error.port].path
        return g.DoesNotFit.at(span, path, help=error.help, notes=self._shapes(ports, types), reason=error.message)

    def _shapes(self, ports: Mapping[str, Source], types: Mapping[str, TensorType]) -> list[Note]:
        """Where each input comes from, with its shape."""
        notes: dict[str, Note] = {}
        for port, source in ports.items():
            name = source.text.partition(".")[0]
            declared = self._network.inputs.get(name)
            span = declared.span if declared else self._names.steps[name].span if name in self._names.steps else None
            notes[source.text] = Note(f"`{source.text}` is {types[port]}", span)
        return list(notes.values())[:6]

    def _graph(self, outputs: dict[str, Ref]) -> Graph:
        """The graph of what the outputs depend on; warnings for what they do not."""
        needed: set[str] = set()
        stack = [ref.source for ref in outputs.values()]
        while stack:
            name = stack.pop()
            if name not in needed:
                needed.add(name)
                if name in self._nodes:
                    stack.extend(ref.source for ref in self._nodes[name].inputs.values())
        self._warn(needed, {ref.source for ref in outputs.values()})
        inputs = {name: declared.type for name, declared in self._network.inputs.items() if declared}
        nodes = {name: node for name, node in self._nodes.items() if name in needed}
        return Graph(self._network.name, inputs, nodes, outputs)

    def _warn(self, needed: set[str], outputs: set[str]) -> None:
        if any(problem.is_error for problem in self._problems):
            return  # what follows from an error is not worth saying
        listed = self._network.outputs is not None
        for step, sources in zip(self._network.steps, self._sources, strict=True):
            above = sources[0] if sources else None
            if step.name not in needed:
                help = "read it in a later step, name it under `outputs`, or remove it"
                self._problems.append(g.UnusedLayer.at(step.span, step.path, help=help, name=step.name))
            elif listed and above is not None and above.implied and above.text in outputs and above.text in self._nodes:
                help = "say what it reads: `from: …`" + f" (`from: {above.text}` where that is meant)"
                note = Note("the output is defined here", self._names.steps[above.text].span)
                self._problems.append(
                    g.ChainedOntoOutput.at(step.span, step.path, help=help, notes=[note], name=step.name, output=above.text)
                )
        for name, declared in self._network.inputs.items():
            if name not in needed and declared is not None:
                help = "read it with `from`, or remove it"
                self._problems.append(g.UnusedInput.at(declared.span, declared.path, help=help, name=name))
