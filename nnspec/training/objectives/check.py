"""The check of a training of the main network, whose outputs have losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnspec.data import problems as d
from nnspec.data.check import check_data
from nnspec.data.plan import DataPlan, Need
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.checks.monitors import (
    check_class_weight,
    check_input_noise,
    check_noise,
    epoch_metrics,
    with_split_metrics,
)
from nnspec.training.checks.outputs import check_outputs
from nnspec.training.checks.phases import check_phases
from nnspec.training.checks.readiness import check_ready
from nnspec.training.checks.split_metrics import check_split_metrics
from nnspec.training.objectives.context import ObjectiveContext, Targets
from nnspec.training.objectives.plugin import guarded
from nnspec.training.plan import OutputPlan, TrainingPlan, fitted_layers, inverted_output
from nnspec.training.section import TrainSection
from nnspec.types import TensorType

if TYPE_CHECKING:
    from nnspec.training.objectives.context import TrainingCheck


def check_network(check: TrainingCheck) -> TrainingPlan | None:
    """Checks the sections ``train`` and ``data`` against the main network.

    Args:
        check: The spec, its graphs, and where problems are reported. If its section ``train`` is missing or has errors,
            the rest is checked as far as possible.

    Returns:
        The plan; None if something is missing or wrong.
    """
    graph, section, tree, problems = check.graph, check.section, check.tree, check.problems
    if graph is None:
        if check.model is not None and check.require_data and section is not None and tree is not None:
            help = "add `inputs` and `layers` to the document"
            problems.append(t.NotTrainable.at(tree.span, tree.path, help=help))
        return None
    outputs = None
    if section is not None and tree is not None and not check.wrong & {"loss", "objective"}:
        outputs = check_outputs(check.spec, graph, section, tree, problems)
    targets = _targets(check, graph, outputs)
    data = _data(check, graph, targets)
    if check.require_data:
        check_ready(check.spec, graph, data, section, tree, problems)
    if section is None or tree is None:
        return None
    outputs = targets.outputs if targets is not None else outputs
    _check_rest(graph, section, tree, outputs, problems)
    named = graph.gaps.are_named and "metrics" not in check.wrong
    split = check_split_metrics(section, tree, graph, _fields(graph, outputs), data, problems)
    monitored = epoch_metrics(outputs, data) if outputs is not None and targets is not None and named else None
    monitored = with_split_metrics(monitored, split, data) if monitored is not None else None
    phases = check_phases(graph, section, tree, outputs or {}, monitored, problems)
    if phases is None or targets is None or check.known is None or not check.known.is_right or graph.gaps:
        return None
    if len(split) < len(section.split_metrics):
        return None
    return TrainingPlan(
        graph, section, tree, data, targets.outputs, phases[-1].monitor, phases, targets.sources, split_metrics=split
    )


def _fields(graph: Graph, outputs: Mapping[str, OutputPlan] | None) -> dict[str, TensorType]:
    """The types of the data fields that metrics may read: the inputs and the targets."""
    needs = {name: need for name, output in (outputs or {}).items() if (need := output.need) is not None}
    integer = ("class", "label", "sequence", "integer")
    targets = {name: TensorType(need.shape, "int32" if need.kind in integer else "float32") for name, need in needs.items()}
    return {**targets, **graph.inputs}


def _targets(check: TrainingCheck, graph: Graph, outputs: dict[str, OutputPlan] | None) -> Targets | None:
    """The sources of the targets; None if errors leave them unknown."""
    objective, tree = check.objective, check.tree
    if outputs is None or objective is None or tree is None or (objective.reads_whole_graph and graph.gaps):
        return None
    return guarded(
        objective, objective.targets, ObjectiveContext(type(objective).__name__, tree, graph, outputs, check.problems)
    )


def _data(check: TrainingCheck, graph: Graph, targets: Targets | None) -> DataPlan | None:
    needs: dict[str, Need] = {}
    for name, output in (targets.outputs if targets is not None else {}).items():
        need = None if name in graph.gaps.outputs else output.need
        if need is not None:
            needs[name] = need
    return check_data(
        check.spec,
        graph,
        needs,
        check.problems,
        target_sources=targets.sources if targets is not None else {},
        require_data=check.require_data,
        certain=check.tree is None or targets is not None,
        parts=check.parts,
    )


def _check_rest(
    graph: Graph,
    section: TrainSection,
    tree: MappingNode,
    outputs: dict[str, OutputPlan] | None,
    problems: list[Diagnostic],
) -> None:
    """Checks the rest of the section, as far as the losses are known."""
    if outputs is None:
        check_input_noise(section, tree, graph, problems)
        return
    check_class_weight(section, tree, outputs, problems)
    if not graph.gaps:
        _check_fitted_layers(graph, outputs, problems)
    check_noise(section, tree, graph, outputs, problems)


def _check_fitted_layers(graph: Graph, outputs: Mapping[str, OutputPlan], problems: list[Diagnostic]) -> None:
    """Reports layers with ``invert`` that have no targets to take statistics of."""
    for node, layer in fitted_layers(graph):
        if layer.invert and inverted_output(node, graph, outputs) is None:
            help = "set `mean` and `variance`, or use the layer at an output whose loss has numeric targets"
            problems.append(d.NoStatistics.at(node.span, node.path, help=help, name=node.name))
