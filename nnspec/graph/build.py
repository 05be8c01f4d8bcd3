"""From a spec to its typed graphs: names resolved, every layer asked what it makes of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Note, Span, SpecError, once
from nnspec.graph import problems as g
from nnspec.graph.advice import advise
from nnspec.graph.binding import bind_ports
from nnspec.graph.budget import check_budget
from nnspec.graph.conditions import with_conditions
from nnspec.graph.exported import read_export
from nnspec.graph.model import Graph, Model, Node, Ref
from nnspec.graph.order import in_order
from nnspec.graph.outputs import output_names, read_outputs
from nnspec.graph.scope import Given, Scope, Source
from nnspec.graph.wiring import misplaced, ports_of, sources_of
from nnspec.layers.base import Layer, LayerError, Ports
from nnspec.spec import Network, Spec, Step
from nnspec.spec.step import Nested, NetworkUse, Shared
from nnspec.spec.tree import MappingNode, Tree

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
    """As [`compile`][], but what is wrong is appended to ``problems``; None where a network has no graph."""
    order = in_order(spec.networks, problems)
    if order is None:
        return None
    broken = any(problem.is_error for problem in problems)
    masked: dict[str, dict[str, int]] = {name: {} for name in order}
    while True:
        # A network that is built on its own has a mask port for each input that some use feeds with a mask. Uses are known
        # once the networks around are built, so this goes round until no further port is found: at most once an input.
        found: list[Diagnostic] = []
        passed: dict[str, dict[str, int]] = {name: dict(ports) for name, ports in masked.items()}
        networks = {name: _Builder(spec.networks, name, passed, found, broken).build(masked[name]) for name in order}
        if passed == masked:
            break
        masked = passed
    problems[:] = once([*problems, *found])
    graphs = {name: graph for name in spec.networks if (graph := networks[name]) is not None}
    if len(graphs) < len(networks):
        return None
    model = Model(spec.name, graphs)
    check_budget(spec, model, problems)
    read_export(spec, model, problems)
    return model


class _Builder:
    """Builds the graph of one network; the networks it uses are put in place of their uses, with their own weights."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        name: str,
        passed: dict[str, dict[str, int]],
        problems: list[Diagnostic],
        broken: bool,
    ) -> None:
        self._networks = networks
        self._broken = broken  # what may only follow from an error that was given is not worth saying
        self._network = networks[name]
        self._passed = passed
        self._problems = problems
        self._nodes: dict[str, Node] = {}

    def build(self, masked: Mapping[str, int]) -> Graph | None:
        """The graph; None where it has errors, all of which have been given.

        Args:
            masked: The inputs that bring a mask, each with the mask's number of axes.
        """
        network, before = self._network, len(self._problems)
        inputs = {
            name: declared.type.masked(declared.type.shape[: masked[name]]) if name in masked else declared.type
            for name, declared in network.inputs.items()
            if declared
        }
        given = {name: (Ref(name), inputs[name]) if name in inputs else None for name in network.inputs}
        if not network.steps:
            if not self._broken:
                self._problems.append(g.NoLayers.at(network.span, "layers", help="write `- Dense: {units: 10}`"))
            return None
        weights = "" if network.name == "main" else f"{network.name}/"
        scope = Scope(given, _first_of_each(network.steps))
        self._list(network.steps, scope, "", weights, frozen=False)
        outputs = read_outputs(network.outputs, network.steps, scope, self._problems)
        failed = any(problem.is_error for problem in self._problems[before:])
        if not failed and not self._broken:
            self._warn(network.steps, scope, network.outputs, listed=network.outputs is not None)
            self._warn_of_unused_inputs(scope, output_names(network.outputs, network.steps))
        if outputs is None or failed:
            return None
        if network.outputs is None and len(outputs) > 1 and "output" in outputs:
            outputs = {"output": outputs["output"]}
        named = {network.steps[-1].name if network.outputs is None and len(outputs) == 1 else n: o for n, o in outputs.items()}
        refs = {name: ref for name, (ref, _) in named.items()}
        graph = with_conditions(Graph(network.name, inputs, self._nodes, refs).giving(refs))
        if not self._broken:
            self._problems.extend(advise(graph))
        return graph

    # --- one list of steps ------------------------------------------------------------------------------------------

    def _list(self, steps: tuple[Step, ...], scope: Scope, prefix: str, weights: str, *, frozen: bool) -> None:
        """Builds the steps of one list into nodes.

        Args:
            steps: In order.
            scope: Their names.
            prefix: What their nodes' names begin with.
            weights: What their weights' names begin with.
            frozen: Whether a step around keeps them from training.
        """
        above: Step | None = None
        sources: list[list[Source] | None] = []
        for step in steps:
            sources.append(sources_of(step, above, list(scope.inputs), self._problems))
            for source in sources[-1] or ():
                scope.note_read(step.name, source.name)
            above = step
        for step, its in zip(steps, sources, strict=True):
            built = None if its is None else self._step(step, its, scope, prefix, weights, frozen or step.freeze)
            scope.built.setdefault(step.name, built)

    def _step(
        self, step: Step, sources: list[Source], scope: Scope, prefix: str, weights: str, frozen: bool
    ) -> Mapping[str, Given] | None:
        """What a step gives; None where that is not known, because of an error here or above."""
        found: dict[Source, Given] = {}
        for source in sources:
            if source.name in scope.steps and scope.holder(source.name) is None:
                self._problems.append(misplaced(source, step, scope))
            elif resolved := scope.resolve(source, self._problems):
                found[source] = resolved
        content, name = step.content, prefix + step.name
        if isinstance(content, Shared):
            return self._shared(step, content, sources, found, scope, prefix)
        if content is None:
            return None
        fed = self._fed(step, _ports(content, self._networks), sources, found)
        if fed is None:
            return None
        if isinstance(content, Layer):
            return self._layer(step, content, fed, name, weights + step.name, frozen)
        if isinstance(content, NetworkUse):
            return self._use(step, self._networks[content.network], fed, name, frozen)
        return self._nested(step, content, fed, scope, name, weights + step.name, frozen)

    def _fed(
        self, step: Step, ports: Ports, sources: list[Source], found: Mapping[Source, Given]
    ) -> dict[str, tuple[Source, Given]] | None:
        fed = ports_of(step, ports, sources, self._problems)
        if fed is None or any(source not in found for source in sources):
            return None
        return {port: (source, found[source]) for port, source in fed.items()}

    def _layer(
        self, step: Step, layer: Layer, fed: Mapping[str, tuple[Source, Given]], name: str, weights_at: str, frozen: bool
    ) -> Mapping[str, Given] | None:
        types = {port: type_ for port, (_, (_, type_)) in fed.items()}
        try:
            outputs = layer.output_types(types)
            weights = layer.weights(types)
        except LayerError as error:
            self._problems.append(self._does_not_fit(error, step, fed))
            return None
        refs = {port: ref for port, (_, (ref, _)) in fed.items()}
        self._nodes[name] = Node(name, layer, refs, types, outputs, weights, weights_at, frozen, step.span, step.path)
        return {output: (Ref(name, output), type_) for output, type_ in outputs.items()}

    def _nested(
        self, step: Step, content: Nested, fed: Mapping[str, tuple[Source, Given]], around: Scope, name: str, weights: str,
        frozen: bool,
    ) -> Mapping[str, Given] | None:  # fmt: skip
        inputs: dict[str, Given | None] = {port: given for port, (_, given) in fed.items()}
        if not content.steps:
            return {"output": next(given for given in inputs.values() if given)} if content.outputs is None else None
        scope = Scope(inputs, _first_of_each(content.steps), None if content.closed else around, step.name)
        before = len(self._problems)
        self._list(content.steps, scope, f"{name}/", f"{weights}/", frozen=frozen)
        outputs = read_outputs(content.outputs, content.steps, scope, self._problems)
        if len(self._problems) == before and not self._broken:
            self._warn(content.steps, scope, content.outputs, listed=False)
        if content.closed:
            note = Note(f"in this use of `{step.op}`", step.span)
            self._problems[before:] = [replace(d, notes=(*d.notes, note)) for d in self._problems[before:]]
        if outputs is None or content.outputs is not None:
            return outputs
        return {"output": next(iter(outputs.values()))} if len(outputs) == 1 else outputs

    def _use(
        self, step: Step, network: Network, fed: Mapping[str, tuple[Source, Given]], name: str, frozen: bool
    ) -> Mapping[str, Given] | None:
        """A use of a network: its steps with the types of this use; their weights stand under the network's own name."""
        given = {port: given for port, (_, given) in fed.items()}
        try:
            bind_ports(network, {port: type_ for port, (_, type_) in given.items()})
        except LayerError as error:
            self._problems.append(self._does_not_fit(error, step, fed))
            return None
        for port, (_, type_) in given.items():
            if type_.mask is not None:
                self._passed[network.name][port] = len(type_.mask)
        if not network.steps:
            return None
        scope = Scope(given, _first_of_each(network.steps))
        before = len(self._problems)
        self._list(network.steps, scope, f"{name}/", f"{network.name}/", frozen=frozen)
        outputs = read_outputs(network.outputs, network.steps, scope, self._problems)
        note = Note(f"in this use of the network `{network.name}`", step.span)
        self._problems[before:] = [replace(d, notes=(*d.notes, note)) for d in self._problems[before:]]
        if outputs is not None and network.outputs is None and len(outputs) > 1 and "output" in outputs:
            return {"output": outputs["output"]}
        return outputs

    def _shared(
        self, step: Step, content: Shared, sources: list[Source], found: Mapping[Source, Given], scope: Scope, prefix: str
    ) -> Mapping[str, Given] | None:
        """An earlier layer applied again."""
        at: Scope | None = scope
        while at is not None and content.layer not in at.built:
            at = at.around
        span = step.arguments.span if step.arguments is not None else step.span
        first = next((n for n in self._nodes.values() if at and n.span == at.steps[content.layer].span), None)
        if at is None or first is None or not isinstance(at.steps[content.layer].content, Layer):
            if at is not None and at.built[content.layer] is None:
                return None
            suggestion = None if at else next((s for s in scope.known() if s.startswith(content.layer[:3])), None)
            help = f"did you mean `{suggestion}`?" if suggestion else "name a layer above, in this list or one around it"
            self._problems.append(g.CannotShare.at(span, step.path, help=help, name=content.layer))
            return None
        fed = self._fed(step, first.layer.ports, sources, found)
        if fed is None:
            return None
        outputs = self._layer(step, first.layer, fed, prefix + step.name, first.weights_at, first.frozen or step.freeze)
        node = self._nodes.get(prefix + step.name)
        if node is not None and [w.shape for w in node.weights] != [w.shape for w in first.weights]:
            shape, other = next(iter(node.input_types.values())), next(iter(first.input_types.values()))
            reason = f"`{content.layer}` has weights for {other}, and is applied here to {shape}"
            self._problems.append(g.DoesNotFit.at(span, step.path, notes=[Note("its first use", first.span)], reason=reason))
            return None
        return outputs

    # --- what is said -----------------------------------------------------------------------------------------------

    def _does_not_fit(self, error: LayerError, step: Step, fed: Mapping[str, tuple[Source, Given]]) -> Diagnostic:
        span, path = step.span, f"{step.path}.{step.op}"
        arguments = step.arguments
        at: Tree | None = None
        if error.argument and isinstance(arguments, MappingNode):
            at = arguments.get(error.argument)
        if at is not None:
            span, path = at.span, at.path
        elif error.port is not None and error.port in fed:
            source = fed[error.port][0]
            if source.path and not source.implied:
                span, path = source.span, source.path
        notes = {ref: Note(f"`{ref}` is {type_}", self._span_of(ref)) for _, (ref, type_) in fed.values()}
        return g.DoesNotFit.at(span, path, help=error.help, notes=list(notes.values())[:6], reason=error.message)

    def _span_of(self, ref: Ref) -> Span | None:
        declared = self._network.inputs.get(ref.source)
        if ref.source in self._nodes:
            return self._nodes[ref.source].span
        return declared.span if declared else None

    def _warn(self, steps: tuple[Step, ...], scope: Scope, tree: Tree | None, *, listed: bool) -> None:
        """Warns of steps that nothing in their list needs, and of a step chained onto an output."""
        outputs = output_names(tree, steps)
        needed = scope.reached(outputs)
        above: Step | None = None
        for step in steps:
            if step.name not in needed:
                help = "read it in a later step, name it under `outputs`, or remove it"
                self._problems.append(g.UnusedLayer.at(step.span, step.path, help=help, name=step.name))
            elif listed and step.source is None and above is not None and above.name in outputs:
                help = f"say what it reads: `from: …` (`from: {above.name}` where that is meant)"
                note = Note("the output is defined here", above.span)
                self._problems.append(
                    g.ChainedOntoOutput.at(step.span, step.path, help=help, notes=[note], name=step.name, output=above.name)
                )
            above = step

    def _warn_of_unused_inputs(self, scope: Scope, outputs: list[str]) -> None:
        needed = scope.reached(outputs)
        for name, declared in self._network.inputs.items():
            if name not in needed and declared is not None:
                help = "read it with `from`, or remove it"
                self._problems.append(g.UnusedInput.at(declared.span, declared.path, help=help, name=name))


def _first_of_each(steps: tuple[Step, ...]) -> dict[str, Step]:
    names: dict[str, Step] = {}
    for step in steps:
        names.setdefault(step.name, step)
    return names


def _ports(content: Layer | Nested | NetworkUse, networks: Mapping[str, Network]) -> Ports:
    if isinstance(content, Layer):
        return content.ports
    return Ports(content.inputs if isinstance(content, Nested) else tuple(networks[content.network].inputs))
