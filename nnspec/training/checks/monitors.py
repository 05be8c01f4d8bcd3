"""Checks of monitored metrics, class weights and noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan
from nnspec.diagnostics import Advice, Diagnostic
from nnspec.diagnostics.remedies import Respell
from nnspec.graph import Graph
from nnspec.layers.masking import Masking
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.catalogue.schedules import Schedule
from nnspec.training.plan import Monitor, OutputPlan, SplitMetricPlan
from nnspec.training.section import EarlyStopping, ReduceOnPlateau, TrainSection
from nnspec.types import closest, did_you_mean, listed, suggested

_WEIGHTED = ("class", "distribution", "probability")


Direction = Literal["min", "max"]


@dataclass(frozen=True)
class EpochMetrics:
    """The metrics of an epoch.

    Attributes:
        modes: Whether each metric is to be minimized or maximized, by its name in the log; None if that cannot be inferred.
        monitor: The metric that selects the best weights by default.
    """

    modes: Mapping[str, Direction | None]
    monitor: Monitor

    @classmethod
    def with_loss(cls, metrics: Mapping[str, Direction | None], data: DataPlan | None) -> EpochMetrics:
        """Metrics that training and validation both have, monitored by `loss`.

        Args:
            metrics: The metrics of training, `loss` among them, with their better directions.
            data: The data; None if they are not known, and may have validation data.
        """
        validated = {f"val_{name}": better for name, better in metrics.items()} if data is None or data.validates else {}
        monitored = "val_loss" if data is not None and data.validates else "loss"
        return cls({**metrics, **validated}, Monitor(monitored, "min"))


def epoch_metrics(outputs: Mapping[str, OutputPlan], data: DataPlan | None) -> EpochMetrics:
    """The metrics of outputs with losses; those of validation data have the prefix `val_`."""
    losses = [name for name, output in outputs.items() if output.losses]
    found: dict[str, Direction | None] = {"loss": "min"}
    if len(losses) > 1:
        found |= {f"{name}_loss": "min" for name in losses}
    for output in outputs.values():
        found |= {name: metric.better for name, metric in output.metrics.items()}
    return EpochMetrics.with_loss(found, data)


def with_split_metrics(found: EpochMetrics, metrics: Iterable[SplitMetricPlan], data: DataPlan | None) -> EpochMetrics:
    """The metrics of an epoch with those of the whole validation split."""
    if data is not None and not data.validates:
        return found
    own = {f"val_{name}": better for each in metrics for name, better in each.metric.logged().items()}
    return replace(found, modes={**found.modes, **own})


def check_monitor(
    section: TrainSection, tree: MappingNode, monitored: EpochMetrics, problems: list[Diagnostic]
) -> Monitor | None:
    """The metric that selects the best weights; None if the section names an unknown one."""
    if section.early_stopping is None:
        return monitored.monitor
    return _monitor(section.early_stopping, "early_stopping", tree, monitored, problems)


def check_plateau(
    section: TrainSection, tree: MappingNode, monitored: EpochMetrics, problems: list[Diagnostic]
) -> Monitor | None:
    """The metric that lowers the learning rate; None if there is none, or it is unknown."""
    if section.reduce_on_plateau is None:
        return None
    if isinstance(getattr(section.optimizer, "learning_rate", None), Schedule):
        help = "make `learning_rate` a number, or remove `reduce_on_plateau`"
        problems.append(t.ScheduleAndPlateau.at(*locate(tree, "reduce_on_plateau"), help=help))
    return _monitor(section.reduce_on_plateau, "reduce_on_plateau", tree, monitored, problems)


def _monitor(
    rule: EarlyStopping | ReduceOnPlateau, key: str, tree: MappingNode, monitored: EpochMetrics, problems: list[Diagnostic]
) -> Monitor | None:
    place = locate(tree, key, "monitor")
    if "monitor" in rule.wrong_arguments:
        return None
    known, name = monitored.modes, rule.monitor
    of_training = name.removeprefix("val_")
    if name not in known and of_training in known and not any(metric.startswith("val_") for metric in known):
        help = f"write `validation: 0.1` under `data`, or `monitor: {of_training}`"
        problems.append(t.NothingToMonitor.at(*place, help=help, name=name))
        return None
    if name not in known:
        problems.append(t.UnknownMonitor.at(*place, help=_suggest_metric(name, known), name=name))
        return None
    mode = known[name] if rule.mode == "auto" else rule.mode
    if mode is None and "mode" in rule.wrong_arguments:
        return None
    if mode is None:
        help = "write `mode: max` or `mode: min`"
        problems.append(t.AmbiguousMode.at(*locate(tree, key), help=help, name=name))
        return None
    return Monitor(name, mode)


def _suggest_metric(name: str, known: Mapping[str, Direction | None]) -> str:
    """What to write instead of an unknown metric."""
    validates = any(metric.startswith("val_") for metric in known)
    validated = {f"val_{metric}": metric for metric in known} if name.startswith("val") and not validates else {}
    meant = closest(name, validated or known)
    if meant in validated:
        needed = f"it needs `validation: 0.1` under `data`; without validation data there is `{validated[meant]}`"
        return f"did you mean `{meant}`? {needed}"
    if meant:
        return suggested(name, meant, known)
    metrics = ", ".join(f"`{metric}`" for metric in [*known, *validated])
    return f"use {metrics}" + ("; those that begin with `val_` need `validation: 0.1` under `data`" if validated else "")


def check_class_weight(
    section: TrainSection, tree: MappingNode, outputs: Mapping[str, OutputPlan], problems: list[Diagnostic]
) -> None:
    """Reports class weights without exactly one output whose target is a class."""
    if section.class_weight is None:
        return
    losses = [loss for output in outputs.values() if (loss := output.loss) is not None and loss.target_kind() is not None]
    reason = ""
    if len(losses) != 1:
        reason = "needs exactly one output with a target"
    elif losses[0].target_kind() not in _WEIGHTED:
        reason = f"needs a target that is a class, and `{losses[0].title}` takes none"
    if reason:
        help = "weight outputs with `loss_weights`, or examples with `weight` under `data.targets`"
        problems.append(t.ClassWeightDoesNotFit.at(*locate(tree, "class_weight"), help=help, reason=reason))


def check_input_noise(section: TrainSection, tree: MappingNode, graph: Graph, problems: list[Diagnostic]) -> None:
    """Reports noise on unknown inputs, on inputs that are not floats, and on those that are masked by value."""
    inputs = graph.inputs
    for name in section.input_noise_of(inputs):
        if name in graph.gaps.inputs:
            continue
        if name not in inputs:
            _does_not_fit("input_noise", name, "names `{name}`, which is not an input", inputs, tree, problems)
        elif not inputs[name].dtype.startswith("float"):
            reason = f"needs a float input, and `{{name}}` is {inputs[name].dtype}"
            _does_not_fit("input_noise", name, reason, (), tree, problems)
        elif any(isinstance(node.layer, Masking) and node.inputs["x"].source == name for node in graph.nodes.values()):
            reason = f"would change the steps of `{name}` that `Masking` looks for, so that none is masked in training"
            help = "remove it, and write `- GaussianNoise: 0.1` after `Masking`"
            place = locate(tree, "input_noise", name)
            problems.append(t.NoiseDoesNotFit.at(*place, help=help, key="input_noise", reason=reason))


def check_noise(
    section: TrainSection,
    tree: MappingNode,
    graph: Graph,
    outputs: Mapping[str, OutputPlan],
    problems: list[Diagnostic],
) -> None:
    """Reports noise on inputs and labels that cannot have any."""
    check_input_noise(section, tree, graph, problems)
    labelled = {name: output for name, output in outputs.items() if output.losses and output.needs_target}
    for name in section.label_noise_of(labelled):
        if name not in labelled:
            _does_not_fit("label_noise", name, "names `{name}`, which is not an output with a target", labelled, tree, problems)
            continue
        loss = labelled[name].loss
        assert loss is not None
        kind, axis = loss.target_kind(), getattr(loss, "axis", -1)
        if kind not in _WEIGHTED:
            reason = f"needs targets that are classes, and `{loss.title}` of `{{name}}` takes none"
            _does_not_fit("label_noise", name, reason, (), tree, problems)
        elif name not in graph.gaps.outputs and kind != "probability" and not isinstance(labelled[name].type.shape[axis], int):
            _does_not_fit("label_noise", name, "needs a known number of classes of `{name}`", (), tree, problems)


def _does_not_fit(
    key: str, name: str, reason: str, known: Iterable[str], tree: MappingNode, problems: list[Diagnostic]
) -> None:
    known = list(known)
    help = did_you_mean(name, known, f"use {listed(known)}" if known else "remove it")
    if len(known) == 1:
        help = Advice(help, Respell(old=name, new=known[0]))
    problems.append(t.NoiseDoesNotFit.at(*locate(tree, key, name), help=help, key=key, reason=reason.format(name=name)))
