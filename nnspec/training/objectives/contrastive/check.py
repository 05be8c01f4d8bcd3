"""The check of the sections ``train`` and ``data`` of contrastive learning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from nnspec.data.check import check_data
from nnspec.graph import Graph
from nnspec.layers.base import Layer, LayerError
from nnspec.training import problems as t
from nnspec.training.checks.monitors import Direction, EpochMetrics, check_input_noise
from nnspec.training.checks.phases import check_phases
from nnspec.training.checks.readiness import check_ready
from nnspec.training.checks.training import TrainingCheck
from nnspec.training.objectives.context import OWN_LOSSES, ObjectiveContext, refuse_keys
from nnspec.training.objectives.contrastive import contrastive
from nnspec.training.plan import Monitor, TrainingPlan

__all__ = ["METRICS", "ContrastivePlan", "check_contrastive"]

METRICS: Mapping[str, Direction] = {"loss": "min", "contrastive_accuracy": "max"}
"""The metrics of an epoch, each with its better direction."""

_NOT_USED = {**OWN_LOSSES, "label_noise": "there are no labels: remove it"}


@dataclass(frozen=True)
class ContrastivePlan:
    """The checked objective.

    Attributes:
        objective: The objective.
        input: The input to make views of.
        output: The output to compare.
    """

    objective: contrastive
    input: str
    output: str


def check_contrastive(objective: contrastive, check: TrainingCheck) -> TrainingPlan | None:
    """Checks the sections against the main network.

    Args:
        objective: The objective.
        check: The spec, its graphs, and where problems are reported.

    Returns:
        The plan; None if there are errors.
    """
    graph, section, tree, problems = check.graph, check.section, check.tree, check.problems
    assert section is not None
    assert tree is not None
    refuse_keys(tree, "contrastive", _NOT_USED, problems)
    if graph is None:
        problems.append(t.NotTrainable.at(tree.span, tree.path, help="add `inputs` and `layers` to the document"))
        return None
    before = len(problems)
    own = None if graph.gaps else _plan(objective, ObjectiveContext("contrastive", tree, graph, {}, problems))
    data = check_data(check.spec, graph, {}, problems, require_data=check.require_data, parts=check.parts)
    if check.require_data:
        check_ready(check.spec, graph, data, section, tree, problems)
    check_input_noise(section, tree, graph, problems)
    validates = data is None or data.validates
    known = {**METRICS, **({f"val_{name}": better for name, better in METRICS.items()} if validates else {})}
    monitor = Monitor("val_loss" if data is not None and data.validates else "loss", "min")
    phases = check_phases(graph, section, tree, {}, EpochMetrics(known, monitor), problems)
    if own is None or phases is None or any(problem.is_error for problem in problems[before:]):
        return None
    return TrainingPlan(graph, section, tree, data, {}, phases[-1].monitor, phases, own=own)


def _plan(objective: contrastive, context: ObjectiveContext) -> ContrastivePlan | None:
    graph = context.graph
    input_ = _named(objective.input, "input", graph.inputs, context)
    output = _named(objective.output, "output", graph.outputs, context)
    if input_ is not None:
        _check_views(objective, input_, context)
    if output is not None:
        _check_vector(graph, output, context)
    return ContrastivePlan(objective, input_, output) if input_ is not None and output is not None else None


def _named(name: str | None, key: str, names: Iterable[str], context: ObjectiveContext) -> str | None:
    known = list(names)
    if name is None:
        if len(known) == 1:
            return known[0]
        context.unclear(f"which {key}", f"write `{key}: {known[0]}`" if known else "")
        return None
    found = context.knows_input(name, key) if key == "input" else context.knows_output(name, key)
    return name if found else None


def _check_views(objective: contrastive, input_: str, context: ObjectiveContext) -> None:
    for i, layer in enumerate(objective.views):
        try:
            cast("Layer", layer).output_types({"x": context.graph.inputs[input_]})
        except LayerError as error:
            context.does_not_fit(f"cannot make views of `{input_}`: {error.message}", "views", i, help=error.help)


def _check_vector(graph: Graph, output: str, context: ObjectiveContext) -> None:
    found = graph.output_types[output]
    if found.rank != 1 or not found.dtype.startswith("float"):
        reason = f"compares one vector of floats for each example, and `{output}` is {found} ({found.dtype})"
        context.does_not_fit(reason, "output", help="end the network with `GlobalAveragePooling2D` or `Flatten`, and `Dense`")
