"""Construction of the nodes of lists of steps, from the outermost inward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.graph import problems as g
from nnspec.graph.advice import advise_on_steps
from nnspec.graph.around import Around, Fed
from nnspec.graph.binding import Binding, bind_ports
from nnspec.graph.cells import recurrence_ports
from nnspec.graph.checks import decide
from nnspec.graph.conditions import (
    Request,
)
from nnspec.graph.limits import refuses
from nnspec.graph.model import BuiltStep, NetworkCall, Node, Ref, Start
from nnspec.graph.outputs import read_outputs
from nnspec.graph.recurrences import Inner, Recurrences
from nnspec.graph.scope import Given, Scope, Source
from nnspec.graph.shared_weights import Use
from nnspec.graph.wiring import counts_examples, misplaced, ports_of, reads_by_name, sources_of
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer, LayerError, Ports
from nnspec.layers.plugin import plugin_of, tried
from nnspec.layers.time_distributed import BatchToSteps, StepsToBatch, steps_of
from nnspec.spec import Collected, Network, Step
from nnspec.spec.checked import check_again
from nnspec.spec.checks import Check
from nnspec.spec.draft import GROUP, NESTING
from nnspec.spec.shapes import Input
from nnspec.spec.step import INPUT, BothDirections, Nested, NetworkUse, Recurrence, Shared
from nnspec.spec.tree import MappingNode, Scalar, Tree
from nnspec.types import Dim, PluginError, SizeTooComplex, TensorType, did_you_mean, listed, size_text
from nnspec.types.constraints import Constraint


class Steps(Recurrences):
    """Builds the steps of one network into nodes. Networks that it uses are inlined with their own weights."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        name: str,
        passed: dict[str, dict[str, int]],
        problems: Collected,
    ) -> None:
        self._networks = networks
        self._network = networks[name]
        self._passed = passed
        self._given = problems
        self._sizes: dict[str, int | Dim] = {}
        self._bound_by: dict[str, Request] = {}
        self._start_anew()

    def _start_anew(self) -> None:
        self._problems = self._given.empty()
        self._nodes: dict[str, Node] = {}
        self._uses: dict[str, Use] = {}
        self._calls: list[NetworkCall] = []
        self._built_steps: list[BuiltStep] = []
        self._bindings: list[tuple[str, Request]] = []
        self._failed = False  # whether a step could not be built
        self._unread = False  # whether the inputs of some step are unknown
        self._read_in_gaps: set[str] = set()
        self._assumed: set[str] = set()

    # --- one list of steps ------------------------------------------------------------------------------------------

    def _list(self, steps: tuple[Step, ...], scope: Scope, around: Around) -> None:
        """Build the steps of one list into nodes."""
        scope.prefix = around.prefix
        above: Step | None = None
        sources: list[list[Source] | None] = []
        for step in steps:
            if reads_by_name(step):
                from nnspec.graph.expression_sources import expression_sources

                sources.append(expression_sources(step, above, scope, self._problems))
            else:
                sources.append(sources_of(step, above, list(scope.inputs), self._problems))
            self._unread |= sources[-1] is None or (step.content is None and step.op in (*NESTING, GROUP))
            for source in () if counts_examples(step) else sources[-1] or ():
                scope.note_read(step.name, source.name)
            above = step
        for step, its in zip(steps, sources, strict=True):
            here = around.at(step)
            built = None if its is None else self._step(step, its, scope, here)
            self._failed |= built is None
            if built is not None:
                self._built_steps.append(BuiltStep(here.prefix, step.path, step.span, _types(built)))
            scope.built.setdefault(step.name, built)

    def _step(self, step: Step, sources: list[Source], scope: Scope, here: Around) -> Mapping[str, Given] | None:
        """Return the outputs of a step; None if they are unknown because of an error here or above."""
        found: dict[Source, Given] = {}
        for source in sources:
            if source.name in scope.steps and scope.holder(source.name) is None:
                self._problems.append(misplaced(source, step, scope))
            elif resolved := scope.resolve(source, self._problems):
                found[source] = resolved
            self._unread |= scope.holder(source.name) is None
        content = step.content
        if content is None or len(found) < len(set(sources)):
            self._read_in_gaps |= {ref.source for ref, _ in found.values()}
        if isinstance(content, Shared):
            return self._shared(step, content, sources, found, scope, here)
        if content is None:
            return None
        fed = self._fed(step, _ports(content, self._networks), sources, found)
        if fed is None:
            return None
        return self._applied(step, content, fed, scope, here)

    def _applied(self, step: Step, content: Layer | Inner, fed: Fed, scope: Scope, here: Around) -> Mapping[str, Given] | None:
        if isinstance(content, Layer):
            return self._layer(step, content, fed, here)
        if content.time_distributed:
            return self._time_distributed(step, content, fed, scope, here)
        return self._inside(step, content, fed, scope, here)

    def _inside(self, step: Step, content: Inner, fed: Fed, scope: Scope, here: Around) -> Mapping[str, Given] | None:
        if isinstance(content, Recurrence):
            return self._recurrence(step, content, fed, scope, here)
        if isinstance(content, BothDirections):
            return self._both_directions(step, content, fed, scope, here)
        if isinstance(content, NetworkUse):
            return self._use(step, self._networks[content.network], fed, here)
        if content.carries:
            return self._carried(step, content, fed, scope, here)
        return self._nested(step, content, fed, scope, here)

    def _time_distributed(self, step: Step, content: Inner, fed: Fed, scope: Scope, here: Around) -> Mapping[str, Given] | None:
        """Move the time axis into the batch before the steps, and back after them."""
        if not fed:
            error = LayerError("it has no input whose time steps it could apply", help="declare an input of the network")
            self._problems.append(self._does_not_fit(error, step, fed))
            return None
        before = set(self._nodes)
        merged: dict[str, tuple[Source, Given]] = {}
        for port, (source, given) in fed.items():
            # No nested step can have the name of an input.
            at = replace(here, prefix=f"{here.prefix}/{port}", weights=f"{here.weights}/{port}")
            outputs = self._layer(step, StepsToBatch(), {"x": (source, given)}, at)
            if outputs is None:
                return None
            merged[port] = (source, outputs["output"])
        try:
            times = steps_of({port: type_ for port, (_, (_, type_)) in fed.items()})
        except LayerError as error:
            self._problems.append(self._does_not_fit(error, step, fed))
            return None
        inside = self._inside(step, content, merged, scope, here)
        for name in self._nodes.keys() - before:
            self._nodes[name] = replace(self._nodes[name], times=self._nodes[name].times * times)
        if inside is None:
            return None
        source, like = next(iter(fed.values()))
        ends = {str(1 + number): (source, given) for number, given in enumerate(inside.values())}
        others = tuple(type_.shape[0] for _, (_, type_) in list(fed.values())[1:])
        return self._layer(step, BatchToSteps(outputs=tuple(inside), steps=others), {"0": (source, like), **ends}, here)

    # --- layers ------------------------------------------------------------------------------------------------------------

    def _fed(self, step: Step, ports: Ports, sources: list[Source], found: Mapping[Source, Given]) -> Fed | None:
        fed = ports_of(step, ports, sources, self._problems)
        self._unread |= fed is None
        if fed is None or any(source not in found for source in sources):
            return None
        return {port: (source, found[source]) for port, source in fed.items()}

    def _layer(self, step: Step, layer: Layer, fed: Fed, here: Around) -> Mapping[str, Given] | None:
        types = {port: type_ for port, (_, (_, type_)) in fed.items()}
        plugin = plugin_of(layer)
        try:
            if plugin is not None:
                outputs, weights = tried(layer, types, plugin.package)
            else:
                outputs, weights = layer.output_types(types), layer.weights(types)
        except LayerError as error:
            if step.op in LAYERS or not step.is_assumed:  # otherwise the layer is only a guess
                self._problems.append(self._does_not_fit(error, step, fed))
            self._read_in_gaps |= {ref.source for _, (ref, _) in fed.values()}
            return None
        except SizeTooComplex as error:
            self._problems.append(g.TooLarge.at(step.span, step.path, op=step.op, reason=str(error)))
            return None
        except PluginError as error:
            help = "report this to the authors of the package, with this spec"
            self._problems.append(g.FailedPlugin.at(step.span, step.path, help=help, reason=str(error)))
            return None
        if reason := refuses(outputs):
            self._problems.append(g.TooLarge.at(step.span, step.path, op=step.op, reason=reason))
            return None
        refs = {port: ref for port, (_, (ref, _)) in fed.items()}
        name = here.prefix
        while name in self._nodes:  # a name given twice, which has been reported
            name += "'"
        self._uses[name] = here.use
        if step.is_assumed:
            self._assumed.add(name)
        self._nodes[name] = Node(
            name, layer, refs, types, outputs, weights, here.weights, here.frozen, step.span, step.path, here.start
        )
        return {output: (Ref(name, output), type_) for output, type_ in outputs.items()}

    def _nested(self, step: Step, content: Nested, fed: Fed, around: Scope, here: Around) -> Mapping[str, Given] | None:
        inputs: dict[str, Given | None] = dict(zip(content.inputs, (given for _, given in fed.values()), strict=True))
        if not content.steps:
            return {"output": next(given for given in inputs.values() if given)} if content.outputs is None else None
        if self._bound(f"the block `{step.op}`", content.shapes, step, fed, here) is None:
            return None
        scope = Scope(inputs, first_of_each(content.steps), None if content.closed else around, step.name)
        before = len(self._problems)
        self._list(content.steps, scope, here.inside())
        outputs = read_outputs(content.outputs, content.steps, scope, self._problems)
        if not self._unread and outputs is not None:
            self._problems += advise_on_steps(content.steps, scope, content.outputs, listed=False)
        if outputs is not None and content.outputs is None and len(outputs) == 1:
            outputs = {"output": next(iter(outputs.values()))}
        if outputs is not None:
            known = {name: given for name, given in inputs.items() if given is not None}
            self._decide(content.checks, _types(known), _types(outputs), here.prefix)
        if content.closed:
            note = Note(f"in this use of `{step.op}`", step.span)
            self._problems[before:] = [replace(d, notes=(*d.notes, note)) for d in self._problems[before:]]
        return outputs

    def _decide(
        self, checks: tuple[Check, ...], inputs: Mapping[str, TensorType], outputs: Mapping[str, TensorType], prefix: str
    ) -> None:
        """Decide checks of sizes, and keep what must be true of free sizes."""
        for check in checks:
            self._bindings += [(prefix, request) for request in decide(check, inputs, outputs, self._problems)]

    def _carried(self, step: Step, content: Nested, fed: Fed, around: Scope, here: Around) -> Mapping[str, Given] | None:
        """Build repetitions that each feed their outputs to the inputs of the next, by name."""
        scope = Scope({}, first_of_each(content.steps), around, step.name, prefix=here.inside().prefix)
        outputs: Mapping[str, Given] = {port: given for port, (_, given) in fed.items()}
        for part in content.steps:
            missing = [port for port in fed if port not in outputs]
            if missing:
                self._problems.append(_cannot_repeat(step, list(fed), missing, list(outputs)))
                return None
            sources = {port: Source(port, port, step.span, step.path, implied=True) for port in fed}
            inside = {port: (source, outputs[port]) for port, source in sources.items()}
            assert isinstance(part.content, Nested | NetworkUse | None)
            built = None if part.content is None else self._applied(part, part.content, inside, scope, here.inside().at(part))
            scope.built[part.name] = built
            if built is None:
                return None
            outputs = built
        return outputs

    def _use(self, step: Step, network: Network, fed: Fed, here: Around) -> Mapping[str, Given] | None:
        """Inline a network with the types of this use. Its weights are stored under the network's own name."""
        given = {port: given for port, (_, given) in fed.items()}
        if self._bound(f"the network `{network.name}`", network.inputs, step, fed, here) is None:
            return None
        for port, (_, type_) in given.items():
            if type_.mask is not None:
                self._passed[network.name][port] = len(type_.mask)
        if not network.steps:
            return None
        scope = Scope(given, first_of_each(network.steps))
        before = len(self._problems)
        inside = replace(here.inside(), weights=weights_prefix(network))
        # A step's own setting takes precedence.
        if (inside.start is None or not inside.start.at) and network.weights is not None:
            inside = replace(inside, start=start_of(network))
        self._list(network.steps, scope, inside)
        outputs = read_outputs(network.outputs, network.steps, scope, self._problems)
        if outputs is not None and network.outputs is None and len(outputs) > 1 and "output" in outputs:
            outputs = {"output": outputs["output"]}
        if outputs is not None:
            self._decide(network.checks, _types(given), _types(outputs), here.prefix)
        note = Note(f"in this use of the network `{network.name}`", step.span)
        self._problems[before:] = [replace(d, notes=(*d.notes, note)) for d in self._problems[before:]]
        ports = {port: ref for port, (ref, _) in given.items()}
        named = {name: ref for name, (ref, _) in (outputs or {}).items()}
        self._calls.append(NetworkCall(network.name, here.prefix, ports, named))
        return outputs

    def _bound(self, what: str, declared: Mapping[str, Input | None], step: Step, fed: Fed, here: Around) -> Binding | None:
        """Return the sizes that the declared inputs have in this use; reports and returns None if they do not fit."""
        try:
            found = bind_ports(what, declared, {port: type_ for port, (_, (_, type_)) in fed.items()})
        except LayerError as error:
            self._problems.append(self._does_not_fit(error, step, fed))
            return None
        sizes = [Constraint(a, b) for a, b in found.pairs if isinstance(a - b, Dim)]
        self._bindings += [(here.prefix, Request(size, step.span, step.path, step.op)) for size in sizes]
        return found

    def _shared(
        self, step: Step, content: Shared, sources: list[Source], found: Mapping[Source, Given], scope: Scope, here: Around
    ) -> Mapping[str, Given] | None:
        """Apply an earlier layer again."""
        at: Scope | None = scope
        while at is not None and content.layer not in at.built:
            at = at.around
        span = step.arguments.span if step.arguments is not None else step.span
        first = self._nodes.get(at.prefix + content.layer) if at is not None else None
        if at is None or first is None:
            if (at is not None and at.built[content.layer] is None) or (at is None and scope.is_open):
                return None
            help = "name a layer above, in this list or an enclosing one"
            if at is None:
                help = did_you_mean(content.layer, scope.known(), help, defined=True)
            self._problems.append(g.CannotShare.at(span, step.path, help=help, name=content.layer))
            return None
        fed = self._fed(step, first.layer.ports, sources, found)
        if fed is None:
            return None
        layer: Layer | None = first.layer
        if content.arguments is not None:
            layer = check_again(
                first.layer, content.arguments, first.layer.call_arguments, self._problems, where=f"a call of `{content.layer}`"
            )
        if layer is None:
            return None
        start = replace(here.start, at=first.weights_at) if step.weights is not None and here.start else first.start
        outputs = self._layer(step, layer, fed, replace(here, weights=first.weights_at, start=start))
        node = self._nodes.get(here.prefix)
        if node is not None and [w.shape for w in node.weights] != [w.shape for w in first.weights]:
            shape, other = next(iter(node.input_types.values())), next(iter(first.input_types.values()))
            reason = f"`{content.layer}` has weights for {other}, but is applied to {shape}"
            self._problems.append(g.DoesNotFit.at(span, step.path, notes=[Note("first used here", first.span)], reason=reason))
            return None
        return outputs

    # --- diagnostics --------------------------------------------------------------------------------------------------

    def _does_not_fit(self, error: LayerError, step: Step, fed: Fed) -> Diagnostic:
        span, path = step.span, f"{step.path}.{step.op}"
        arguments = step.arguments
        at: Tree | None = None
        if error.argument and isinstance(arguments, MappingNode):
            at = arguments.get(error.argument)
        elif error.within is not None:
            at = arguments
        if at is not None:
            span, path = at.span, at.path
            if isinstance(at, Scalar) and error.within is not None:
                span = at.part(*error.within)
        elif error.port is not None and error.port in fed:
            source = fed[error.port][0]
            if source.path and not source.implied:
                span, path = source.span, source.path
        notes = {ref: Note(f"`{ref}` is {type_}", self._span_of(ref)) for _, (ref, type_) in fed.values()}
        bound = [
            Note(f"`{name}` is {size_text(self._sizes[name])} because of this `{request.op}`", request.span)
            for name, request in self._bound_by.items()
            if not name.startswith("?")
        ]
        notes_ = [*list(notes.values())[:6], *bound[:2]]
        kind = g.DoesNotFit if error.within is None else g.BadTensorExpression
        return kind.at(span, path, help=error.help, notes=notes_, reason=error.message)

    def _span_of(self, ref: Ref) -> Span | None:
        declared = self._network.inputs.get(ref.source)
        if ref.source in self._nodes:
            return self._nodes[ref.source].span
        return declared.span if declared else None


def weights_prefix(network: Network) -> str:
    """Return the prefix of a network's weight names."""
    return "" if network.name == "main" else f"{network.name}/"


def start_of(network: Network) -> Start | None:
    """Return the source of a network's initial weights, if its document declares one."""
    given = network.weights
    if given is None:
        return None
    prefix = given.prefix or "" if network.weights_at else given.prefix
    return Start.of(given, prefix, network.weights_at)


def _types(given: Mapping[str, Given]) -> dict[str, TensorType]:
    return {name: type_ for name, (_, type_) in given.items()}


def first_of_each(steps: tuple[Step, ...]) -> dict[str, Step]:
    names: dict[str, Step] = {}
    for step in steps:
        names.setdefault(step.name, step)
    return names


def _cannot_repeat(step: Step, inputs: list[str], missing: list[str], outputs: list[str]) -> Diagnostic:
    named = ", ".join(f"{name}: …" for name in inputs)
    what = f"an output `{missing[0]}`" if len(missing) == 1 else f"outputs {listed(missing)}"
    reason = f"`{step.op}` has no {what.removeprefix('an ')} to feed to the next repetition"
    help = f"give it outputs with the names of its inputs: `outputs: {{{named}}}`; its outputs are {listed(outputs)}"
    return g.CannotRepeat.at(step.span, step.path, help=help, reason=reason)


def _ports(content: Layer | Inner, networks: Mapping[str, Network]) -> Ports:
    if isinstance(content, Layer):
        return content.ports
    if isinstance(content, Recurrence | BothDirections):
        return recurrence_ports(content, networks)
    if isinstance(content, NetworkUse):
        return Ports(tuple(networks[content.network].inputs))
    return Ports(tuple(_port(content, networks) if name == INPUT else name for name in content.inputs))


def _port(nested: Nested, networks: Mapping[str, Network]) -> str:
    """Return the input name of a repeated step, which is that of the step itself."""
    content = nested.steps[0].content if nested.steps else None
    if content is None or isinstance(content, Shared):
        return "x"
    ports = _ports(content, networks)
    return next(iter(ports.required), "x")
