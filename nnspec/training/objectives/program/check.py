"""The check of the sections ``train`` and ``data`` of a program. No framework is loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nnspec.data.check import check_data
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Note, Span, once
from nnspec.generation.draws import BATCH_SIZE, DrawError
from nnspec.generation.sampler_check import check_sampler, describes_sampler
from nnspec.graph import Graph
from nnspec.graph import problems as g
from nnspec.graph.builder import Builder
from nnspec.graph.exported import length_for
from nnspec.graph.merge_graphs import merge_graphs
from nnspec.graph.model import Node, changed
from nnspec.graph.order import in_order
from nnspec.spec import Collected, Network
from nnspec.spec import problems as p
from nnspec.spec.expand import default_name
from nnspec.spec.objectives import shipped_objectives
from nnspec.spec.program import Program
from nnspec.spec.shapes import Input
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree
from nnspec.training import problems as t
from nnspec.training.catalogue.metrics import OF_SPLITS
from nnspec.training.checks.monitors import EpochMetrics, with_split_metrics
from nnspec.training.checks.phases import check_phases
from nnspec.training.checks.readiness import check_ready
from nnspec.training.checks.split_metrics import annotation_fields, check_split_metrics
from nnspec.training.objectives import OBJECTIVES
from nnspec.training.objectives.context import OWN_LOSSES, TrainingCheck, refuse_keys
from nnspec.training.objectives.program import problems as o
from nnspec.training.objectives.program import program
from nnspec.training.objectives.program.builder import ProgramBuilder, ProgramGraph
from nnspec.training.objectives.program.gradient_paths import gradients_of_nothing, reached_nodes, recurrence_between
from nnspec.training.objectives.program.plan import Entry, ProgramPlan
from nnspec.training.plan import LAST, PhasePlan, TrainingPlan
from nnspec.training.section import TrainSection
from nnspec.types import TensorType, did_you_mean, listed

_NOT_USED = {
    **OWN_LOSSES,
    "metrics": "the losses are logged, and what `show` lists: remove it; of metrics, a program takes " + listed(OF_SPLITS),
    "input_noise": "draw noise and add it: `draw: {noise: {normal: FIELD}}`",
    "label_noise": "draw labels and choose with `where`",
}


def check_program(objective: program, check: TrainingCheck) -> TrainingPlan | None:
    """Checks a program, and the data that feed it.

    Args:
        objective: The objective.
        check: The spec, its graphs, and where problems are reported.

    Returns:
        The plan; None if there are errors.
    """
    model, section, tree, problems = check.model, check.section, check.tree, check.problems
    written = check.spec.program
    assert model is not None
    assert section is not None
    assert tree is not None
    of_outputs = any(section.output_metrics.values() if isinstance(section.output_metrics, dict) else section.output_metrics)
    unused = {key: help for key, help in _NOT_USED.items() if key != "metrics" or of_outputs}
    refuse_keys(tree, "program", unused, problems)
    if written is None:
        return None
    before = len(problems)
    _check_names(check, problems)
    fields = {name: given.type for name, given in written.fields.items() if given is not None}
    inputs = replace(_NOTHING, inputs=fields)
    data = check_data(check.spec, inputs, {}, problems, require_data=check.require_data, parts=check.parts)
    first = len(problems)
    plan = _Checker(objective, check, written, fields, annotation_fields(data)).plan()
    problems[first:] = [_with_use(problem, written.span) for problem in problems[first:]]
    if plan is None or any(problem.is_error for problem in problems[before:]):
        return None
    graph = replace(merge_graphs(plan.networks.values()), inputs=fields)
    if check.require_data:
        check_ready(check.spec, graph, data, section, tree, problems)
    _check_optimizers(plan, section, tree, problems)
    exported = model.networks.get(plan.exported)
    split = check_split_metrics(section, tree, exported, fields, data, problems, _exported_inputs(check))
    epoch = with_split_metrics(_epoch_metrics(plan, data), split, data)
    phases = check_phases(graph, section, tree, {}, epoch, problems, networks=sorted(plan.trained))
    if phases is None:
        return None
    _check_phases(plan, phases, tree, problems)
    if any(problem.is_error for problem in problems[before:]):
        return None
    return TrainingPlan(
        graph, section, tree, data, {}, phases[-1].monitor, phases, networks=plan.networks, own=plan, split_metrics=split,
        composed={own.network: model.networks[own.network] for own in split if own.network not in plan.networks},
    )  # fmt: skip


def _with_use(problem: Diagnostic, use: Span) -> Diagnostic:
    """Return a problem in the steps of an objective of another file with a note where the document names the objective."""
    if problem.span.file == use.file or not problem.path.startswith("objectives."):
        return problem
    return replace(problem, notes=(*problem.notes, Note("the objective is used here", use)))


def _exported_inputs(check: TrainingCheck) -> dict[str, str]:
    """The field that the section `export` names for an input of the exported network."""
    export = check.spec.section("export")
    given = export.get("inputs") if export is not None else None
    return {str(key.value): str(value.plain()) for key, value in given.items()} if isinstance(given, MappingNode) else {}


_NOTHING = Graph("main", {}, {}, {})


def _epoch_metrics(plan: ProgramPlan, data: DataPlan | None) -> EpochMetrics:
    losses = {"loss", *(entry.name for entry in plan.entries)}
    found = EpochMetrics.with_loss({name: "min" if name in losses else None for name in plan.metrics}, data)
    return replace(found, monitor=LAST) if len(plan.entries) > 1 else found


@dataclass(frozen=True)
class _Checker:
    """The check of one program."""

    objective: program
    check: TrainingCheck
    written: Program
    columns: Mapping[str, TensorType]
    annotations: Mapping[str, str]

    @property
    def fields(self) -> dict[str, TensorType]:
        """The types of the data fields, by the names that the program has for them."""
        return {self.written.renamed.get(name, name): type_ for name, type_ in self.columns.items()}

    @property
    def problems(self) -> list[Diagnostic]:
        return self.check.problems

    @property
    def _is_defined(self) -> bool:
        """Whether the program comes from an objective that the document uses by name."""
        return "program" not in self._written_objective

    @property
    def _written_objective(self) -> Collection[str]:
        """The keys of the document's `objective`."""
        train = self.check.spec.document.get("train")
        written = train.get("objective") if isinstance(train, MappingNode) else None
        return {str(key.value) for key, _ in written.items()} if isinstance(written, MappingNode) else ()

    def at(self, *keys: str | int) -> tuple[Span, str]:
        """The location of a key of the program."""
        assert self.check.tree is not None
        return locate(self.check.tree, "objective", "program", *keys)

    def plan(self) -> ProgramPlan | None:
        """The checked program; None if there are errors."""
        before = len(self.problems)
        model = self.check.model
        assert model is not None
        if in_order(self.check.spec.networks, []) is None:  # networks that use each other have been reported
            return None
        self._check_averages()
        if any(problem.is_error for problem in self.problems[before:]):  # the steps cannot use such a network
            return None
        inputs = self._inputs()
        if self.written.is_cut or len(inputs) < len(self.written.fields) + len(self.objective.draw):
            return None
        outputs = self._outputs()
        if outputs is None:
            return None
        typed = self._typed(inputs, outputs)
        if typed is None or any(problem.is_error for problem in self.problems[before:]):
            return None
        self._check_batch(typed)
        networks = self._networks(typed)
        names = list(outputs.plain())
        count = len(self.objective.minimize)
        refs = [typed.graph.outputs[name] for name in names]
        entries = tuple(
            Entry(entry, name, ref) for entry, name, ref in zip(self.objective.minimize, self._names(), refs, strict=False)
        )
        shown = dict(zip(self._shown(), refs[count:], strict=True))
        plan = ProgramPlan(
            self.objective, self.fields, typed, entries, shown, networks, self.objective.average, self._exported(),
            self._mixes(typed), {new: name for name, new in self.written.renamed.items()},
        )  # fmt: skip
        self._check_entries(plan)
        self._warn_of_unread(typed, inputs)
        if not any(problem.is_error for problem in self.problems[before:]):
            self._check_networks(plan)
        for read, x, step in gradients_of_nothing(typed):
            help = "compute it from that tensor, without `stop_gradient`, comparisons and rounding on the way"
            self.problems.append(o.GradientOfNothing.at(step.span, step.path, help=help, y=read, x=x))
        for y, x, loop in recurrence_between(typed):
            help = "use a network without a recurrence, or a penalty that needs no gradient"
            self.problems.append(o.GradientOfLoop.at(loop.span, loop.path, help=help, y=y, x=x, name=loop.name))
        return None if any(problem.is_error for problem in self.problems[before:]) else plan

    def _mixes(self, typed: ProgramGraph) -> bool:
        draws = any(type(each.draw).__name__ == "permutation" for each in self.objective.draw.values())
        return draws or typed.mixes_examples

    def _check_batch(self, typed: ProgramGraph) -> None:
        """Report steps that are only possible for another batch size, such as a product along the wrong axis."""
        section = self.check.section
        if section is None:
            return
        for size in {type_.shape[0] for type_ in typed.graph.inputs.values()}:
            if isinstance(size, int) and size != section.batch_size:
                help = "is an axis mistaken, as in `u @ v` for `u @ transpose(v)`? Otherwise set `batch_size`"
                reason = f"the steps need a batch of {size} examples, and `batch_size` is {section.batch_size}"
                self.problems.append(p.WrongValue.at(*self.at("layers"), help=help, reason=reason))

    # --- what the program reads -----------------------------------------------------------------------------------------

    def _inputs(self) -> dict[str, Input]:
        """The fields and draws, with complete types."""
        found: dict[str, Input] = {}
        for name, given in self.written.fields.items():
            if given is not None:
                kind = given.type
                dtype = "int32" if kind.is_integer else kind.dtype
                name = self.written.renamed.get(name, name)
                found[name] = Input(name, replace(kind, shape=(BATCH_SIZE, *kind.shape), dtype=dtype), given.span, given.path)
        for name, draw in self.objective.draw.items():
            span, path = self.at("draw", name)
            taken = "a field" if name in self.fields else "a network" if name in self.check.spec.networks else None
            if self._is_defined and taken == "a network":  # an objective names the networks of a document by its params
                taken = None
            if taken is not None:
                reason, help = f"has the name of {taken}", "give it another name"
                self.problems.append(o.DrawDoesNotFit.at(span, path, help=help, name=name, reason=reason))
                continue
            try:
                found[name] = Input(name, draw.type(self.fields), span, path)
            except DrawError as error:
                self.problems.append(o.DrawDoesNotFit.at(span, path, help=error.help, name=name, reason=error.reason))
        return found

    def _outputs(self) -> MappingNode | None:
        """What the program returns, as the outputs of a network: its losses, then what it shows."""
        objective = self.check.tree.get("objective") if self.check.tree is not None else None
        own = objective.get("program") if isinstance(objective, MappingNode) else None
        assert isinstance(own, MappingNode)
        minimize, show = own.get("minimize"), own.get("show")
        found: list[tuple[Scalar, Tree]] = []
        for i, entry in enumerate(minimize.items if isinstance(minimize, SequenceNode) else ()):
            loss = entry.get("loss") if isinstance(entry, MappingNode) else None
            if isinstance(loss, Scalar):
                found.append((Scalar(str(i), loss.span, loss.place), loss))
        items: list[Tree] = []
        if isinstance(show, MappingNode):
            items = [value for _, value in show.items()]
        elif isinstance(show, SequenceNode):
            items = list(show.items)
        found += [(Scalar(str(len(found) + i), value.span, value.place), value) for i, value in enumerate(items)]
        if not found or len(found) != len(self.objective.minimize) + len(self.objective.show):
            return None
        if not self._are_known([value for _, value in found]):
            return None
        names = [*self._names(), *self._shown()]
        for i, name in enumerate(names):
            if name in names[:i] and not self._is_same_loss(i):
                at, is_shown = found[i][1], i >= len(self.objective.minimize)
                help = f"write `show: {{NAME: {at.plain()}}}`" if is_shown else "rename a result or step"
                self.problems.append(o.SameMetric.at(at.span, at.path, help=help, name=name))
        return MappingNode(found, own.span, own.place)

    def _are_known(self, names: list[Tree]) -> bool:
        """Whether losses and shown values name steps; reports those that do not."""
        known = [*(step.name for step in self.written.steps), *self.fields, *self.objective.draw]
        right = True
        for i, name in enumerate(names):
            step = str(name.plain()).partition(".")[0]
            if step not in known and not any(each.is_open for each in self.written.steps):
                key = "minimize" if i < len(self.objective.minimize) else "show"
                help = did_you_mean(step, known, f"the last steps are {listed(known[-8:])}")
                reason = f"names `{step}`, which is not a step"
                self.problems.append(o.MinimizeDoesNotFit.at(name.span, name.path, help=help, key=key, reason=reason))
                right = False
        return right

    def _is_same_loss(self, i: int) -> bool:
        """Whether an entry minimizes the loss of an earlier entry, for other networks."""
        minimize = self.objective.minimize
        return i < len(minimize) and minimize[i].loss in [entry.loss for entry in minimize[:i]]

    def _names(self) -> list[str]:
        """The names of the losses in the log."""
        return [_shown_as(entry.loss) for entry in self.objective.minimize]

    def _shown(self) -> list[str]:
        show = self.objective.show
        return list(show) if isinstance(show, dict) else [_shown_as(name) for name in show]

    def _warn_of_unread(self, typed: ProgramGraph, inputs: Mapping[str, Input]) -> None:
        """Warns of fields and draws that nothing reads."""
        model = self.check.model
        assert model is not None
        renamed = self.written.renamed
        read = {*typed.graph.inputs}
        if self.check.section is not None:
            metrics = [metric for _, metric in self.check.section.split_metrics]
            read |= {
                renamed.get(name, name) for metric in metrics for name in metric.found(self.columns, self.annotations).values()
            }
        read |= {renamed.get(name, name) for name in (model.networks["main"].inputs if "main" in model.networks else ())}
        read |= {str(name) for draw in self.objective.draw.values() if (name := draw.field) is not None}
        for name, given in inputs.items():
            if name not in read:
                help = "read it with `from` or in an expression, or remove it"
                self.problems.append(g.UnusedInput.at(given.span, given.path, help=help, name=name))

    # --- networks -------------------------------------------------------------------------------------------------------

    def _check_averages(self) -> None:
        known = [name for name in self.check.spec.networks if name not in self.written.averages]
        keys: tuple[str, ...]
        for name, average in self.objective.average.items():
            if average.of not in known:
                help = did_you_mean(average.of, known, f"the networks are {listed(known)}")
                reason, keys = f"is of `{average.of}`, which is not a network", ("average", name, "of")
            elif name in self.fields or name in self.objective.draw or name in self.check.spec.blocks:
                reason, help, keys = "has the name of a field, a draw or a block", "give it another name", ("average", name)
            elif self.check.spec.networks[name].span != self.check.spec.networks[average.of].span:  # not its copy
                reason, help, keys = "has the name of a network", "give it another name", ("average", name)
            else:
                continue
            self.problems.append(o.AverageDoesNotFit.at(*self.at(*keys), help=help, name=name, reason=reason))

    def _typed(self, inputs: Mapping[str, Input], outputs: MappingNode) -> ProgramGraph | None:
        model = self.check.model
        assert model is not None
        networks = {
            name: replace(network, inputs={port: network.inputs[port] for port in model.networks[name].inputs})
            for name, network in self.check.spec.networks.items()
        }
        name = default_name("program", set(networks), {})
        itself = Network(name, inputs, self.written.steps, outputs, self.written.span, reads_fields=True)
        passed: dict[str, dict[str, int]] = {each: {} for each in (*networks, name)}
        found = Collected(self.check.spec.limits)
        typed = ProgramBuilder({**networks, name: itself}, name, passed, found).build_program()
        # Problems of the steps of networks are reported where the networks are built.
        inside = {node.span for graph in model.networks.values() for node in graph.every_node()}
        reported = {(problem.code, problem.span) for problem in self.problems}
        self.problems.extend(
            problem
            for problem in once(found)
            if (problem.code, problem.span) not in reported and (problem.is_error or problem.span not in inside)
        )
        return None if typed.graph.gaps or any(problem.is_error for problem in found) else typed

    def _networks(self, typed: ProgramGraph) -> dict[str, Graph]:
        """The graphs of the networks that the program applies, with the masks that it feeds them, and of averaged ones."""
        model, spec = self.check.model, self.check.spec
        assert model is not None
        used = {unit.network for unit in typed.units.values() if unit.network is not None}
        used |= {*self.objective.average, *(average.of for average in self.objective.average.values())}
        found: dict[str, Graph] = {}
        for name in model.networks:
            if name not in used:
                continue
            graph, masked = model.networks[name], dict(typed.passed[name])
            if masked:
                passed: dict[str, dict[str, int]] = {other: {} for other in spec.networks}
                graph = Builder(spec.networks, name, passed, Collected(spec.limits)).build(masked)
            found[name] = _as_used(graph, typed)
        return found

    def _check_networks(self, plan: ProgramPlan) -> None:
        """Report networks that compute with weights that nothing trains, and averages that nothing uses."""
        model, averages = self.check.model, self.objective.average
        assert model is not None
        steps = {unit.network for unit in plan.typed.units.values() if unit.network is not None}
        exported = model.networks.get(plan.exported)
        if exported is None and plan.exported == "":
            sampling = check_sampler(self.check.spec, model, []) if describes_sampler(self.check.spec) else None
            exported = sampling.graph if sampling is not None else None
        read = {node.weights_at for node in exported.every_node()} if exported is not None else set()
        trained = _identities(graph for name, graph in plan.networks.items() if name in plan.trained)
        for name, graph in plan.networks.items():
            if name in averages:
                if name not in steps and not any(node.weights_at in read for node in graph.every_node() if node.weights):
                    help = f"use it in a step, write `export: {{network: {name}}}`, or remove it"
                    self.problems.append(o.AverageNotUsed.at(*self.at("average", name), help=help, name=name))
                continue
            own = [(identity, node) for identity, weight, node in graph.weights() if weight.trainable]
            starts = any(node.start is not None for _, node in own)
            if own and not starts and not any(identity in trained or node.frozen for identity, node in own):
                help = "add it to an `of` of `minimize`, give it `weights`, or write `freeze: true` where it is used"
                span, path = self._use_of(name, plan)
                self.problems.append(o.KeepsRandomWeights.at(span, path, help=help, name=name))
        if exported is not None:
            self._check_exported_inputs(exported)
        known = _identities(plan.networks.values())
        missing = [] if exported is None else sorted(_identities([exported]) - known)
        if missing:
            at = self.check.spec.section("export") or self.check.spec.section("generate")
            span, path = (at.span, at.path) if at is not None else self.at()
            help = f"the program uses {listed(sorted(steps))}"
            self.problems.append(
                o.UntrainedExport.at(span, path, help=help, name=exported.name if exported else "", weights=missing[0])
            )

    def _check_exported_inputs(self, exported: Graph) -> None:
        """Report inputs of the exported network that cannot take the transforms of the field that is named for them."""
        export = self.check.spec.section("export")
        inputs = export.get("inputs") if export is not None else None
        for key, value in inputs.items() if isinstance(inputs, MappingNode) else ():
            name, field = str(key.value), str(value.plain())
            if name not in exported.inputs or field not in self.columns:
                continue  # reported where the section is read
            if length_for(exported.inputs[name], self.columns[field]) is None:
                wanted, got = exported.inputs[name], self.columns[field]
                help = "remove it: the exported model then takes values of the input's own type"
                self.problems.append(
                    o.ExportedField.at(value.span, value.path, help=help, name=name, field=field, wanted=wanted, got=got)
                )

    def _use_of(self, network: str, plan: ProgramPlan) -> tuple[Span, str]:
        """The location of the first step that uses a network, else that of the averages."""
        found = next((unit.step for unit in plan.typed.units.values() if unit.network == network), None)
        return (found.span, found.path) if found is not None else self.at("average")

    def _exported(self) -> str:
        """The network that is exported by default; empty if the document does not state which."""
        spec, model = self.check.spec, self.check.model
        assert model is not None
        export = spec.section("export")
        named = export.get("network") if export is not None else None
        if isinstance(named, Scalar) and named.value in model.networks:
            return str(named.value)
        if "main" in model.networks:
            return "main"
        own = [name for name in model.networks if name not in self.written.averages]
        if len(own) == 1:
            return own[0]
        if not describes_sampler(spec):
            help = f"write `export: {{network: {own[0]}}}`"
            self.problems.append(o.NothingExported.at(*self.at(), help=help))
        return ""

    # --- losses ---------------------------------------------------------------------------------------------------------

    def _check_entries(self, plan: ProgramPlan) -> None:
        used = {unit.network for unit in plan.typed.units.values() if unit.network is not None}
        for i, entry in enumerate(plan.entries):
            kind = plan.typed.types[entry.loss]
            if not kind.dtype.startswith("float"):
                reason = f"takes a float loss, and `{entry.section.loss}` is {kind.dtype}"
                self._wrong(
                    reason, i, "loss", help="write `cast(…, 'float32')`, which has a gradient only where its operand has"
                )
            for network in entry.section.networks:
                help = did_you_mean(network, used, f"it uses {listed(sorted(used))}" if used else "use a network in a step")
                if network in self.written.averages:
                    help = f"name its network, `{self.written.averages[network]}`"
                    self._wrong(f"names `{network}`, an average, whose weights follow its network", i, "of", help=help)
                elif network not in used:
                    self._wrong(f"names `{network}`, which is not a network that the program uses", i, "of", help=help)
                else:
                    self._check_path(plan, entry, network, i)

    def _check_path(self, plan: ProgramPlan, entry: Entry, network: str, i: int) -> None:
        own = {identity for identity, weight, node in plan.networks[network].weights() if weight.trainable and not node.frozen}
        for node in reached_nodes(plan.typed, entry.loss):
            inner = [node, *node.body.every_node()] if node.body is not None else [node]
            if any(f"{each.weights_at}/{weight.name}" in own for each in inner for weight in each.weights):
                return
        help = "gradients do not pass `stop_gradient`, `argmax`, comparisons, rounding and casts to integers"
        if not own:
            help = f"`{network}` has no weights that are trained"
        span, path = self.at("minimize", i, "loss")
        self.problems.append(o.TrainsNothing.at(span, path, help=help, loss=entry.section.loss, network=network))

    def _wrong(self, reason: str, i: int, key: str, help: str) -> None:
        span, path = self.at("minimize", i, key)
        self.problems.append(o.MinimizeDoesNotFit.at(span, path, help=help, key="minimize", reason=reason))


def _identities(graphs: Iterable[Graph]) -> set[str]:
    """The weights of graphs, by identity."""
    return {identity for graph in graphs for identity, *_ in graph.weights()}


def _check_names(check: TrainingCheck, problems: list[Diagnostic]) -> None:
    """Report targets, which a program has not, and objectives with the names of others."""
    data, defined = check.spec.section("data"), check.spec.document.get("objectives")
    targets = data.get("targets") if data is not None else None
    for key, value in targets.items() if isinstance(targets, MappingNode) else ():
        help = f"declare it as a field, `inputs: {{{key.value}: …}}`, with its column under `data.inputs`"
        problems.append(o.TargetOfProgram.at(key.span, value.path, help=help, name=key.value))
    for key, value in defined.items() if isinstance(defined, MappingNode) else ():
        if key.value in OBJECTIVES or key.value in shipped_objectives():
            help = "give it another name"
            problems.append(o.ReplacesObjective.at(key.span, value.path, help=help, name=key.value))


def _check_phases(plan: ProgramPlan, phases: Sequence[PhasePlan], tree: MappingNode, problems: list[Diagnostic]) -> None:
    """Report entries whose weights every phase freezes, and phases that monitor one that they leave out."""
    for i, entry in enumerate(plan.entries):
        weights = [each for name in entry.section.networks for each in plan.networks[name].weights() if each[1].trainable]
        left_out = [all(node.frozen or node.weights_at in phase.frozen for *_, node in weights) for phase in phases]
        if all(left_out):
            span, path = locate(tree, "objective", "program", "minimize", i, "of")
            help = "remove the entry, or a name from `freeze`"
            named = listed(entry.section.networks)
            problems.append(o.NeverTrained.at(span, path, help=help, networks=named))
            continue
        for number, phase in enumerate(phases):
            monitors = [each for each in (phase.monitor, phase.plateau) if each is not None and each.name == entry.name]
            if left_out[number] and monitors:
                span, path = locate(tree, "phases", number)
                help = f"monitor `val_{entry.name}`, or a loss that the phase minimizes"
                problems.append(o.MonitorsNothing.at(span, path, help=help, name=entry.name))


def _as_used(graph: Graph, typed: ProgramGraph) -> Graph:
    """The graph of a network, frozen and with the initial weights as the steps of the program say."""
    used = [node for node in typed.graph.every_node() if node.weights]
    frozen = {node.weights_at for node in used if node.frozen}
    starts = {node.weights_at: node.start for node in used if node.start is not None}

    def change(node: Node) -> Node:
        start = starts.get(node.weights_at, node.start)
        return replace(node, frozen=node.frozen or node.weights_at in frozen, start=start)

    return replace(graph, nodes=changed(graph.nodes, change))


def _shown_as(name: str) -> str:
    """The name of a tensor in the log: that of its result or step."""
    return name.rpartition(".")[2]


def _check_optimizers(plan: ProgramPlan, section: TrainSection, tree: MappingNode, problems: list[Diagnostic]) -> None:
    """Reports entries of several networks whose optimizers are given by network."""
    for i, own in enumerate(section.phase_sections()):
        if not isinstance(own.optimizer, dict):
            continue
        for entry in plan.entries:
            if entry.section.optimizer is None and len(entry.section.networks) > 1:
                of = ", ".join(entry.section.networks)
                help = f"give the entry its own: `{{loss: {entry.section.loss}, of: [{of}], optimizer: Adam}}`"
                keys: tuple[str | int, ...] = ("phases", i, "optimizer") if section.phases else ("optimizer",)
                reason = f"is given by network, and the loss `{entry.section.loss}` trains several"
                problems.append(t.OptimizerNames.at(*locate(tree, *keys), help=help, reason=reason))
