"""What is watched during training, and what of the classes is weighted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from nnspec.data.places import locate
from nnspec.data.plan import DataPlan
from nnspec.diagnostics import Diagnostic
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.metrics.base import Metric
from nnspec.training.plan import Monitor, OutputPlan
from nnspec.training.schedules import Schedule
from nnspec.training.section import EarlyStopping, ReduceOnPlateau, TrainSection
from nnspec.types import TensorType, closest

__all__ = ["check_class_weight", "check_monitor", "check_noise", "check_plateau", "figures"]

_WEIGHTED = ("class", "distribution", "probability")


def figures(outputs: Mapping[str, OutputPlan]) -> dict[str, Metric | None]:
    """The figures of an epoch by their names in the log, None for a loss; those of validation have `val_` before them."""
    losses = [name for name, output in outputs.items() if output.loss is not None]
    found: dict[str, Metric | None] = {"loss": None}
    if len(losses) > 1:
        found |= {f"{name}_loss": None for name in losses}
    for output in outputs.values():
        found |= output.metrics
    return found


def check_monitor(
    section: TrainSection,
    tree: MappingNode,
    outputs: Mapping[str, OutputPlan],
    data: DataPlan | None,
    problems: list[Diagnostic],
) -> Monitor | None:
    """The figure that says which weights are best; None where what is asked for is none."""
    validates = data is None or data.validates
    if section.early_stopping is None:
        return Monitor("val_loss" if data is not None and data.validates else "loss", "min")
    return _monitor(section.early_stopping, "early_stopping", tree, outputs, validates, problems)


def check_plateau(
    section: TrainSection,
    tree: MappingNode,
    outputs: Mapping[str, OutputPlan],
    data: DataPlan | None,
    problems: list[Diagnostic],
) -> Monitor | None:
    """The figure that lowers the learning rate; None where none does, or where what is asked for is none."""
    if section.reduce_on_plateau is None:
        return None
    if isinstance(getattr(section.optimizer, "learning_rate", None), Schedule):
        help = "give `learning_rate` a number, or take `reduce_on_plateau` away"
        problems.append(t.ScheduleAndPlateau.at(*locate(tree, "reduce_on_plateau"), help=help))
    validates = data is None or data.validates
    return _monitor(section.reduce_on_plateau, "reduce_on_plateau", tree, outputs, validates, problems)


def _monitor(
    rule: EarlyStopping | ReduceOnPlateau,
    key: str,
    tree: MappingNode,
    outputs: Mapping[str, OutputPlan],
    validates: bool,
    problems: list[Diagnostic],
) -> Monitor | None:
    place = locate(tree, key, "monitor")
    known = figures(outputs)
    name = rule.monitor.removeprefix("val_")
    if name not in known:
        every = [*(known), *(f"val_{figure}" for figure in known if validates)]
        suggestion = closest(rule.monitor, every)
        help = f"did you mean `{suggestion}`?" if suggestion else f"it can be {', '.join(f'`{figure}`' for figure in every)}"
        problems.append(t.UnknownMonitor.at(*place, help=help, name=rule.monitor))
        return None
    if name != rule.monitor and not validates:
        help = f"write `validation: 0.1` under `data`, or `monitor: {name}`"
        problems.append(t.NothingToMonitor.at(*place, help=help, name=rule.monitor))
        return None
    metric = known[name]
    mode: Literal["min", "max"] | None = "min" if metric is None else metric.better
    if rule.mode != "auto":
        mode = rule.mode
    if mode is None:
        help = "write `mode: max` or `mode: min`"
        problems.append(t.WhichWay.at(*locate(tree, key), help=help, name=rule.monitor))
        return None
    return Monitor(rule.monitor, mode)


def check_class_weight(
    section: TrainSection, tree: MappingNode, outputs: Mapping[str, OutputPlan], problems: list[Diagnostic]
) -> None:
    """Says where the classes that are weighted are none."""
    if section.class_weight is None:
        return
    losses = [output.loss for output in outputs.values() if output.loss is not None and output.needs_target]
    reason = ""
    if len(losses) != 1:
        reason = "is for one output alone"
    elif losses[0].target_kind() not in _WEIGHTED:
        reason = f"is for a target that is a class, and `{type(losses[0]).__name__}` takes none"
    if reason:
        help = "weight the outputs with `loss_weights`, or the examples with `weight` under `data.targets`"
        problems.append(t.ClassWeightDoesNotFit.at(*locate(tree, "class_weight"), help=help, reason=reason))


def check_noise(
    section: TrainSection,
    tree: MappingNode,
    inputs: Mapping[str, TensorType],
    outputs: Mapping[str, OutputPlan],
    problems: list[Diagnostic],
) -> None:
    """Says where noise is to be put on what can have none."""
    for name in section.input_noise_of(inputs):
        if name not in inputs:
            _does_not_fit("input_noise", name, "names `{name}`, which is no input", inputs, tree, problems)
        elif not inputs[name].dtype.startswith("float"):
            reason = f"is added to floats, and `{{name}}` is {inputs[name].dtype}"
            _does_not_fit("input_noise", name, reason, (), tree, problems)
    labelled = {name: output for name, output in outputs.items() if output.needs_target}
    for name in section.label_noise_of(labelled):
        if name not in labelled:
            _does_not_fit("label_noise", name, "names `{name}`, which is no output with a target", labelled, tree, problems)
            continue
        loss = labelled[name].loss
        assert loss is not None
        kind, axis = loss.target_kind(), getattr(loss, "axis", -1)
        if kind not in _WEIGHTED:
            reason = f"is for targets that are classes, and `{type(loss).__name__}` of `{{name}}` takes none"
            _does_not_fit("label_noise", name, reason, (), tree, problems)
        elif kind != "probability" and not isinstance(labelled[name].type.shape[axis], int):
            _does_not_fit("label_noise", name, "needs to know how many classes `{name}` has", (), tree, problems)


def _does_not_fit(
    key: str, name: str, reason: str, known: Iterable[str], tree: MappingNode, problems: list[Diagnostic]
) -> None:
    suggestion = closest(name, known)
    listed = ", ".join(f"`{other}`" for other in known)
    help = f"did you mean `{suggestion}`?" if suggestion else f"it can be {listed}" if listed else "leave it out"
    problems.append(t.NoiseDoesNotFit.at(*locate(tree, key, name), help=help, key=key, reason=reason.format(name=name)))
