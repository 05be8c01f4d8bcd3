"""Checks of losses and metrics against the network's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph import Graph
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.batches.targets import Compares, Expected, TargetKind, comparable
from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.metrics import METRICS
from nnspec.training.catalogue.metrics.accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from nnspec.training.catalogue.metrics.base import Metric
from nnspec.training.plan import OutputPlan
from nnspec.training.section import TrainSection
from nnspec.types import Family, TensorType, closest, did_you_mean, listed

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
}
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
    if family is None or len(tree) != 1:
        return False
    nearest = closest(name, [*graph.output_names, *family.names(), *dict(family.aliases)])
    return name in family or nearest in family or nearest in dict(family.aliases)


def _unknown(name: str, span: Span, path: str, graph: Graph) -> Diagnostic:
    help = did_you_mean(name, graph.output_names, f"its outputs are {listed(graph.output_names)}")
    return t.UnknownOutput.at(span, path, help=help, name=name)


def check_outputs(
    graph: Graph, section: TrainSection, tree: MappingNode, problems: list[Diagnostic]
) -> dict[str, OutputPlan] | None:
    """The plan of each output; None if a loss or metric does not name its output and there are several."""
    losses = _by_output(section.loss, "loss", graph, tree, problems)
    metrics = _by_output(section.metrics, "metrics", graph, tree, problems)
    if losses is None or metrics is None:
        return None
    plans: dict[str, OutputPlan] = {}
    for name in graph.output_names:
        type_ = graph.type_of(graph.outputs[name]) if name in graph.outputs else TensorType(())
        loss = cast("Loss | None", losses.get(name))
        given = metrics.get(name, [])
        listed = cast("list[Metric]", given if isinstance(given, list) else [given])
        checked = _Output(graph, name, type_, loss, tree, problems)
        if loss is None and name not in graph.gaps.outputs:
            checked.warn_of_no_loss()
        elif loss is not None:
            checked.check(loss, "loss", None)
        resolved = [checked.check_metric(metric, i) for i, metric in enumerate(listed)]
        plans[name] = OutputPlan(name, type_, loss, section.loss_weights.get(name, 1.0), _named(name, listed, resolved))
    return plans


def _by_output(
    given: object, key: str, graph: Graph, tree: MappingNode, problems: list[Diagnostic]
) -> dict[str, object] | None:
    if isinstance(given, dict):
        return given
    names = graph.output_names
    if len(names) == 1:
        return {names[0]: given}
    if not given:
        return {}
    if not graph.gaps.are_named or not names:
        return None
    first = names[0]
    listed = ", ".join(f"`{name}`" for name in names)
    span, path = locate(tree, key)
    problems.append(t.AmbiguousOutput.at(span, path, help=f"write `{key}: {{{first}: …}}`", outputs=listed, key=key))
    return None


def _named(output: str, given: list[Metric], resolved: list[Metric | None]) -> dict[str, Metric]:
    """The metrics by their names in the log; repeated kinds are numbered."""
    names: dict[str, Metric] = {}
    for metric, built in zip(given, resolved, strict=True):
        if built is not None:
            base = f"{output}_{metric.monitored()}"
            name = next(n for n in (base, *(f"{base}_{i}" for i in range(1, len(given) + 1))) if n not in names)
            names[name] = built
    return names


@dataclass(frozen=True)
class _Output:
    """The check of one output's loss and metrics."""

    graph: Graph
    name: str
    type: TensorType
    loss: Loss | None
    tree: MappingNode
    problems: list[Diagnostic]

    def warn_of_no_loss(self) -> None:
        span, path = locate(self.tree, "loss")
        help = f"add `{self.name}: …`, or remove it from the network's `outputs`"
        self.problems.append(t.NoLossForOutput.at(span, path, help=help, name=self.name))

    def check(self, compares: Compares, key: str, position: int | None) -> None:
        """Reports a loss or metric that does not fit the output's shape or activation."""
        if self.name in self.graph.gaps.outputs:
            return
        place = self._place(key, position)
        word = type(compares).__name__
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
        facts: dict[str, Any] = {"loss": type(loss).__name__, "wanted": words, "name": self.name, "got": got}
        self.problems.append(t.ActivationMismatch.at(*place, help=help, **facts))

    def _activation(self) -> str | None:
        """The activation of the output; None if it has none, or it is unknown."""
        node = self.graph.nodes.get(self.graph.outputs[self.name].source)
        return None if node is None or node.name in self.graph.gaps.assumed else node.layer.activation_name

    def check_metric(self, metric: Metric, position: int) -> Metric | None:
        """The resolved metric; None if it does not fit."""
        place = self._place("metrics", position)
        word = type(metric).__name__
        kind = self.loss.target_kind() if self.loss is not None else None
        if self.loss is None or kind is None:
            help = f"add a loss with a target for `{self.name}`"
            self.problems.append(t.MetricWithoutTarget.at(*place, help=help, name=self.name, metric=word))
            return None
        logits = self.loss.expected() == "logits"
        meant = _accuracy(kind, logits) if isinstance(metric, Accuracy) else metric
        wanted = meant.target_kind() if meant is not None else "distribution"
        assert wanted is not None
        if meant is None or not comparable(kind, wanted):
            other = next((n for n in metric.instead if _serves(kind, n)), None)
            facts: dict[str, Any] = {
                "metric": word,
                "wanted": "classes" if meant is None else _TARGET_WORDS[wanted],
                "name": self.name,
                "loss": type(self.loss).__name__,
                "got": _TARGET_WORDS[kind],
            }
            self.problems.append(t.MetricDoesNotFit.at(*place, help=f"use `{other}`" if other else "", **facts))
            return None
        if logits and meant.expected() in ("distribution", "probability"):
            fields = type(meant).model_fields
            switch = next((s for s in ("from_logits: true", "threshold: 0") if s.partition(":")[0] in fields), None)
            help = f"write `{switch}`" if switch else ""
            got = f"logits, according to `{type(self.loss).__name__}`"
            facts = {"loss": word, "wanted": _EXPECTED_WORDS[meant.expected()], "name": self.name, "got": got}
            self.problems.append(t.ActivationMismatch.at(*place, help=help, **facts))
        before = len(self.problems)
        self.check(meant, "metrics", position)
        return meant if len(self.problems) == before else None

    def _place(self, key: str, position: int | None) -> tuple[Span, str]:
        inner = self.tree.get(key)
        named = isinstance(inner, MappingNode) and inner.get(self.name) is not None
        keys: list[str | int] = [key, *([self.name] if named else []), *([position] if position is not None else [])]
        return locate(self.tree, *keys)


def _serves(kind: TargetKind, metric: str) -> bool:
    wanted = cast("type[Metric]", METRICS.get(metric)).target
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
