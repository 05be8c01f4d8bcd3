"""What is watched during training, and what of the classes is weighted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from nnspec.data.places import locate
from nnspec.data.plan import DataPlan
from nnspec.diagnostics import Diagnostic
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.metrics.base import Metric
from nnspec.training.plan import Monitor, OutputPlan
from nnspec.training.section import TrainSection
from nnspec.types import closest

__all__ = ["check_class_weight", "check_monitor", "figures"]

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
    stopping = section.early_stopping
    if stopping is None:
        return Monitor("val_loss" if data is not None and data.validates else "loss", "min")
    place = locate(tree, "early_stopping", "monitor")
    known = figures(outputs)
    name = stopping.monitor.removeprefix("val_")
    if name not in known:
        every = [*(known), *(f"val_{figure}" for figure in known if validates)]
        suggestion = closest(stopping.monitor, every)
        help = f"did you mean `{suggestion}`?" if suggestion else f"it can be {', '.join(f'`{figure}`' for figure in every)}"
        problems.append(t.UnknownMonitor.at(*place, help=help, name=stopping.monitor))
        return None
    if name != stopping.monitor and not validates:
        help = f"write `validation: 0.1` under `data`, or `monitor: {name}`"
        problems.append(t.NothingToMonitor.at(*place, help=help, name=stopping.monitor))
        return None
    metric = known[name]
    mode: Literal["min", "max"] | None = "min" if metric is None else metric.better
    if stopping.mode != "auto":
        mode = stopping.mode
    if mode is None:
        help = "write `mode: max` or `mode: min`"
        problems.append(t.WhichWay.at(*locate(tree, "early_stopping"), help=help, name=stopping.monitor))
        return None
    return Monitor(stopping.monitor, mode)


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
