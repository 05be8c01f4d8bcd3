"""Checks of losses and metrics against the network's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from nnspec.data.locations import locate
from nnspec.diagnostics import Advice, Diagnostic, Span
from nnspec.diagnostics.remedies import Respell
from nnspec.graph import Graph
from nnspec.spec import Spec
from nnspec.spec.tree import MappingNode, Resolved, SequenceNode
from nnspec.training import problems as t
from nnspec.training.catalogue.blocks import BlockLoss, BlockMetric
from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.metrics import METRICS
from nnspec.training.catalogue.metrics.accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from nnspec.training.catalogue.metrics.base import Metric
from nnspec.training.catalogue.targets import Compares, Expected, TargetKind, comparable
from nnspec.training.checks.blocks import BlockBuilder
from nnspec.training.plan import OutputPlan, need_of
from nnspec.training.section import TrainSection, WeightedLoss
from nnspec.types import Family, TensorType, closest, did_you_mean, listed, same_size, unknown

_DISTRIBUTION = frozenset({"softmax", "sparsemax"})
_PROBABILITY = frozenset({"sigmoid", "hard_sigmoid", "sparse_sigmoid"}) | _DISTRIBUTION

_TARGET_WORDS: Mapping[TargetKind, str] = {
    "class": "the class's index",
    "distribution": "a one-hot vector",
    "probability": "0 or 1 for each unit",
    "sign": "−1 or 1 for each unit",
    "number": "a number for each unit",
    "non_negative": "a non-negative number for each unit",
    "label": "a label for each example",
    "sequence": "a sequence of labels",
    "integer": "integers",
}
_INTEGERS = ("class", "label", "sequence", "integer")
_EXPECTED_WORDS: Mapping[Expected, str] = {
    "distribution": "probabilities that sum to 1",
    "probability": "probabilities",
    "logits": "logits",
    "number": "numbers",
    "class": "class indices",
}


def drop_unknown(tree: MappingNode, graph: Graph, problems: list[Diagnostic]) -> MappingNode | None:
    """The section without losses, weights and metrics of unknown outputs, which it reports.

    None if no loss is left.
    """
    entries = []
    for key, value in tree.items():
        family = {"loss": LOSSES, "loss_weights": None, "metrics": METRICS}.get(str(key.value), ...)
        if family is not ... and isinstance(value, MappingNode):
            kept = [entry for entry in value.items() if _is_known(str(entry[0].value), value, family, graph)]
            for name, inner in value.items():
                if name.value not in {k.value for k, _ in kept}:
                    problems.append(_unknown(str(name.value), name.span, inner.path, graph))
            if key.value == "loss" and not kept and len(value):
                return None
            value = MappingNode(kept, value.span, value.place)
        entries.append((key, value))
    return MappingNode(entries, tree.span, tree.place)


def _is_known(name: str, tree: MappingNode, family: Family | None, graph: Graph) -> bool:
    """Whether a key is an output; a single key may also be a loss with arguments, or a misspelled one."""
    if name in graph.output_names:
        return True
    if not graph.gaps.are_named and (family is None or name not in family):
        return True
    entries = [(key, value) for key, value in tree.items() if key.value != "weight" or family is not LOSSES]
    if family is None or len(entries) != 1:
        return False
    if isinstance(entries[0][1], Resolved) and entries[0][1].name == entries[0][0].value:
        return True
    name = str(entries[0][0].value)
    nearest = closest(name, [*graph.output_names, *family.names(), *dict(family.aliases)])
    return name in family or nearest in family or nearest in dict(family.aliases)


def _unknown(name: str, span: Span, path: str, graph: Graph) -> Diagnostic:
    help = did_you_mean(name, graph.output_names, f"its outputs are {listed(graph.output_names)}", defined=True)
    return t.UnknownOutput.at(span, path, help=help, name=name)


def check_outputs(
    spec: Spec, graph: Graph, section: TrainSection, tree: MappingNode, problems: list[Diagnostic]
) -> dict[str, OutputPlan] | None:
    """The plan of each output; None if a loss or metric does not name its output and there are several."""
    losses = _by_output(section.loss, "loss", graph, tree, problems)
    metrics = _by_output(section.output_metrics, "metrics", graph, tree, problems)
    if losses is None or metrics is None:
        return None
    plans: dict[str, OutputPlan] = {}
    read = _read_by_blocks(losses, metrics)
    for name in graph.output_names:
        type_ = graph.type_of(graph.outputs[name]) if name in graph.outputs else TensorType(())
        checked = _Output(BlockBuilder(spec, graph, problems), name, type_, tree, problems)
        terms = checked.check_losses(cast("list[WeightedLoss]", losses.get(name, [])))
        plan = OutputPlan(name, type_, terms, section.weight_of(name), {})
        given = cast("list[Metric]", metrics.get(name, []))
        if not losses.get(name) and not given and name not in graph.gaps.outputs and name not in read:
            checked.warn_of_no_loss()
        for i, metric in enumerate(given):
            resolved = checked.check_metric(metric, i, plan)
            # One that does not fit, which is reported, keeps its name: it may be monitored.
            plan = replace(plan, metrics={**plan.metrics, _logged(name, metric, plan.metrics): resolved or metric})
        plans[name] = plan
    return plans


def _by_output(
    given: object, key: str, graph: Graph, tree: MappingNode, problems: list[Diagnostic]
) -> dict[str, list[object]] | None:
    if isinstance(given, dict):
        return {name: _listed(value) for name, value in given.items()}
    names = graph.output_names
    if len(names) == 1:
        return {names[0]: _listed(given)}
    if not given:
        return {}
    if not graph.gaps.are_named or not names:
        return None
    first = names[0]
    listed = ", ".join(f"`{name}`" for name in names)
    span, path = locate(tree, key)
    problems.append(t.AmbiguousOutput.at(span, path, help=f"write `{key}: {{{first}: …}}`", outputs=listed, key=key))
    return None


def _read_by_blocks(losses: Mapping[str, list[object]], metrics: Mapping[str, list[object]]) -> frozenset[str]:
    """The outputs that blocks read as losses or metrics of other outputs."""
    compared = (
        one.loss if isinstance(one, WeightedLoss) else one for own in (*losses.values(), *metrics.values()) for one in own
    )
    return frozenset(name for one in compared if isinstance(one, BlockLoss | BlockMetric) for name in one.use.others)


def _listed(given: object) -> list[object]:
    listed = given if isinstance(given, list) else [] if given is None else [given]
    return [
        WeightedLoss(loss=one, weight=1.0) if isinstance(one, Loss) and not isinstance(one, Metric) else one for one in listed
    ]


def _logged(output: str, metric: Metric, others: Mapping[str, object]) -> str:
    """The name of a metric in the log; repeated kinds are numbered."""
    base = f"{output}_{metric.monitored()}"
    return next(name for name in (base, *(f"{base}_{i}" for i in range(1, len(others) + 1))) if name not in others)


@dataclass(frozen=True)
class _Output:
    """The check of one output's loss and metrics."""

    blocks: BlockBuilder
    name: str
    type: TensorType
    tree: MappingNode
    problems: list[Diagnostic]

    @property
    def graph(self) -> Graph:
        return self.blocks.graph

    def check_losses(self, terms: list[WeightedLoss]) -> tuple[WeightedLoss, ...]:
        """The resolved losses, without those that do not fit."""
        own = [term for term in terms if not isinstance(term.loss, BlockLoss)]
        for i, term in enumerate(terms):
            if term in own:
                self.check(cast("Loss", term.loss), "loss", i)
        if self.name in self.graph.gaps.outputs:
            return tuple(own)
        self._agree(terms, own)
        resolved: list[WeightedLoss] = []
        for term in terms:
            plan = OutputPlan(self.name, self.type, (*own, *resolved), 1.0, {})
            if isinstance(term.loss, BlockLoss):
                use = self.blocks.built(term.loss.use, self.name, _target_type(plan), loss=True)
                if use is not None:
                    resolved.append(term.model_copy(update={"loss": BlockLoss(use=use)}))
        return (*own, *resolved)

    def _agree(self, terms: list[WeightedLoss], own: list[WeightedLoss]) -> None:
        """Reports losses of the catalogue that take different targets."""
        plan = OutputPlan(self.name, self.type, tuple(own), 1.0, {})
        first, need = plan.loss, plan.need
        for i, term in enumerate(terms):
            loss = cast("Loss", term.loss)
            kind = loss.target_kind()
            if term not in own or first is None or need is None or kind is None or loss is first:
                continue
            if comparable(need.kind, kind) and loss.target_shape(self.type) == need.target:
                continue
            listed = {cast("Loss", term.loss).title for term in terms}
            others = (name for name in loss.instead if _of_kind(need.kind, LOSSES, name) and name not in listed)
            other = next(others, None)
            facts: dict[str, Any] = {"loss": loss.title, "wanted": _TARGET_WORDS[kind], "name": self.name}
            facts |= {"first": first.title, "got": _TARGET_WORDS[need.kind]}
            help = f"use `{other}`" if other else "list losses that take the same target"
            self.problems.append(t.LossesDisagree.at(*self._place("loss", i), help=help, **facts))

    def warn_of_no_loss(self) -> None:
        span, path = locate(self.tree, "loss")
        help = f"add `{self.name}: …`, or remove it from the network's `outputs`"
        self.problems.append(t.NoLossForOutput.at(span, path, help=help, name=self.name))

    def check(self, compares: Compares, key: str, position: int | None) -> None:
        """Reports a loss or metric that does not fit the output's shape or activation."""
        if self.name in self.graph.gaps.outputs:
            return
        place = self._place(key, position)
        word = compares.title
        axis = getattr(compares, "axis", -1)
        rank = self.type.rank
        reason = help = ""
        if compares.least_last_axis() > 1 and isinstance(axis, int):
            size = self.type.shape[axis] if rank and -rank - 1 <= axis < rank else 1
            if isinstance(size, int) and size < compares.least_last_axis():
                reason = "needs an axis of at least 2 classes"
                binary = next((name for name in compares.instead if name.startswith("Binary")), None)
                help = f"use `{binary}`, or one unit for each class" if binary else "use one unit for each class"
        if compares.target_kind() == "sequence" and rank != 2:
            reason, help = "needs (time, classes)", "return a sequence of logits"
        if compares.expected() == "class" and "float" in self.type.dtype:
            reason, help = (
                "expects class indices as output",
                "write `sparse_y_pred: false` if the output has one score per class",
            )
        reason, help = compares.misfit(self.type) or (reason, help)
        if reason:
            shape = str(self.type)
            self.problems.append(t.LossDoesNotFit.at(*place, help=help, loss=word, reason=reason, name=self.name, shape=shape))
        elif key == "loss":
            self._check_activation(compares, place)

    def _check_activation(self, loss: Compares, place: tuple[Span, str]) -> None:
        found = self._activation()
        wanted = loss.expected()
        if found is None:
            return
        can_switch = "from_logits" in type(loss).model_fields
        if wanted == "logits" and found in _PROBABILITY:
            help = "remove `from_logits` or the activation" if can_switch else "remove the activation"
            got = f"probabilities (`{found}`)"
        elif wanted == "distribution" and found not in _DISTRIBUTION:
            help = "add `activation: softmax` to its layer" + (", or write `from_logits: true`" if can_switch else "")
            got = "unbounded values" if found == "linear" else f"values of `{found}`"
        elif wanted == "probability" and found not in _PROBABILITY:
            help = "add `activation: sigmoid` to its layer" + (", or write `from_logits: true`" if can_switch else "")
            got = "unbounded values" if found == "linear" else f"values of `{found}`"
        elif loss.is_binary and found in _DISTRIBUTION and self.type.rank and self.type.shape[-1] != 1:
            help = "use `CategoricalCrossentropy`, or `activation: sigmoid` (for binary classification, with one unit)"
            got = f"{self.type.shape[-1]} probabilities that sum to 1 (`{found}`)"
        else:
            return
        words = (
            "an independent probability for each unit" if loss.is_binary and found in _DISTRIBUTION else _EXPECTED_WORDS[wanted]
        )
        facts: dict[str, Any] = {"loss": loss.title, "wanted": words, "name": self.name, "got": got}
        self.problems.append(t.ActivationMismatch.at(*place, help=help, **facts))

    def _activation(self) -> str | None:
        """The activation of the output; None if it has none, or it is unknown."""
        node = self.graph.nodes.get(self.graph.outputs[self.name].source)
        return None if node is None or node.name in self.graph.gaps.assumed else node.layer.activation_name

    def check_metric(self, metric: Metric, position: int, plan: OutputPlan) -> Metric | None:
        """The resolved metric; None if it does not fit.

        Args:
            metric: The metric.
            position: Its position in the list.
            plan: The plan of the output with its losses, and with the metrics before it.
        """
        if isinstance(metric, BlockMetric):
            if self.name in self.graph.gaps.outputs:
                return None
            use = self.blocks.built(metric.use, self.name, _target_type(plan), loss=False)
            return None if use is None else BlockMetric(use=use)
        place = self._place("metrics", position)
        word = metric.title
        compared = self._compared(plan, metric)
        kind = compared.target_kind() if compared is not None else metric.target_kind()
        if kind is None:
            help = f"add a loss with a target for `{self.name}`"
            if isinstance(metric, Accuracy):
                help += ", or write `SparseCategoricalAccuracy`, `CategoricalAccuracy` or `BinaryAccuracy`"
            self.problems.append(t.MetricWithoutTarget.at(*place, help=help, name=self.name, metric=word))
            return None
        logits = compared is not None and compared.expected() == "logits"
        meant = _accuracy(kind, logits) if isinstance(metric, Accuracy) else metric
        wanted = meant.target_kind() if meant is not None else "distribution"
        assert wanted is not None
        if meant is not None and comparable(kind, wanted) and compared is not None and not self._alike(compared, meant):
            self._report_shapes(metric, compared, meant, place)
            return None
        if meant is None or not comparable(kind, wanted):
            assert compared is not None
            other = next((name for name in metric.instead if _of_kind(kind, METRICS, name)), None)
            facts: dict[str, Any] = {
                "metric": word,
                "wanted": "classes" if meant is None else _TARGET_WORDS[wanted],
                "name": self.name,
                "loss": compared.title,
                "got": _TARGET_WORDS[kind],
            }
            help = Advice(f"use `{other}`", Respell(old=word, new=other)) if other else ""
            self.problems.append(t.MetricDoesNotFit.at(*place, help=help, **facts))
            return None
        if logits and compared is not None and meant.expected() in ("distribution", "probability"):
            fields = type(meant).model_fields
            switch = next((s for s in ("from_logits: true", "threshold: 0") if s.partition(":")[0] in fields), None)
            help = f"write `{switch}`" if switch else ""
            got = f"logits, according to `{compared.title}`"
            facts = {"loss": word, "wanted": _EXPECTED_WORDS[meant.expected()], "name": self.name, "got": got}
            self.problems.append(t.ActivationMismatch.at(*place, help=help, **facts))
        before = len(self.problems)
        self.check(meant, "metrics", position)
        return meant if len(self.problems) == before else None

    def _compared(self, plan: OutputPlan, metric: Metric) -> Compares | None:
        """What determines the target of a metric: a loss, a metric before it, or itself if those take any numbers."""
        before = plan.compared
        if before is None or not before.takes_any_numbers() or isinstance(metric, Accuracy):
            return before
        return replace(plan, metrics={**plan.metrics, "": metric}).compared

    def _report_shapes(self, metric: Metric, compared: Compares, meant: Metric, place: tuple[Span, str]) -> None:
        """Reports a metric that takes a target of another shape than the loss."""
        a, b = need_of(self.type, compared), need_of(self.type, meant)
        assert a is not None
        assert b is not None
        facts: dict[str, Any] = {
            "metric": metric.title,
            "wanted": f"numbers of shape {TensorType(b.shape)}",
            "name": self.name,
            "loss": compared.title,
            "got": f"numbers of shape {TensorType(a.shape)}",
        }
        help = "write the metric as a block with the inputs `target` and `output`"
        if len(a.shape) + 1 == self.type.rank:
            axes = [f"A{i}" for i in range(1, len(a.shape) + 1)]
            shapes = f"{{target: [{', '.join(axes)}], output: [{', '.join([*axes, 'Q'])}]}}"
            help = f"write the metric as a block, such as `inputs: {shapes}` with `Compute: abs(target - output[..., 0])`"
        self.problems.append(t.MetricDoesNotFit.at(*place, help=help, **facts))

    def _alike(self, compared: Compares, metric: Metric) -> bool:
        """Whether a metric takes a target of the shape that the loss takes."""
        a, b = need_of(self.type, compared), need_of(self.type, metric)
        if a is None or b is None or (a.target is None and b.target is None):
            return True
        return len(a.shape) == len(b.shape) and all(same_size(x, y) is not False for x, y in zip(a.shape, b.shape, strict=True))

    def _place(self, key: str, position: int | None) -> tuple[Span, str]:
        inner = self.tree.get(key)
        named = isinstance(inner, MappingNode) and (found := inner.get(self.name)) is not None
        is_list = isinstance(found if named else inner, SequenceNode)
        keys: list[str | int] = [
            key,
            *([self.name] if named else []),
            *([position] if is_list and position is not None else []),
        ]
        return locate(self.tree, *keys)


def _target_type(plan: OutputPlan) -> TensorType | None:
    """The type of the target that the losses and metrics of an output take; None if there are none."""
    need = plan.need
    if need is None:
        return None
    if need.kind == "sequence":
        return TensorType((unknown(),), "int32")
    return TensorType(() if need.kind == "label" else need.shape, "int32" if need.kind in _INTEGERS else "float32")


def _of_kind(kind: TargetKind, family: Family, name: str) -> bool:
    wanted = cast("type[Compares]", family.get(name)).target
    return wanted is not None and comparable(kind, wanted)


def _accuracy(kind: TargetKind, logits: bool) -> Metric | None:
    """The metric that `Accuracy` stands for with a target, as in Keras's `compile`."""
    match kind:
        case "class":
            return SparseCategoricalAccuracy()
        case "distribution":
            return CategoricalAccuracy()
        case "probability":
            return BinaryAccuracy(threshold=0.0 if logits else 0.5)
        case _:
            return None
