"""The check of the sections ``train`` and ``data`` for an objective that needs inputs alone."""

from __future__ import annotations

from nnspec.data.check import check_data
from nnspec.training import problems as t
from nnspec.training.checks.monitors import EpochMetrics, check_input_noise
from nnspec.training.checks.phases import check_phases
from nnspec.training.checks.readiness import check_ready
from nnspec.training.objectives.context import OWN_LOSSES, ObjectiveContext, TrainingCheck, refuse_keys
from nnspec.training.objectives.own_loss import OwnLoss
from nnspec.training.plan import TrainingPlan

_NOT_USED = {**OWN_LOSSES, "label_noise": "there are no labels: remove it"}


def check_own_loss(objective: OwnLoss, check: TrainingCheck) -> TrainingPlan | None:
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
    name = type(objective).__name__
    refuse_keys(tree, name, _NOT_USED, problems)
    if graph is None:
        problems.append(t.NotTrainable.at(tree.span, tree.path, help="add `inputs` and `layers` to the document"))
        return None
    before = len(problems)
    own = None if graph.gaps else objective.own_plan(ObjectiveContext(name, tree, graph, {}, problems))
    data = check_data(check.spec, graph, {}, problems, require_data=check.require_data, parts=check.parts)
    if check.require_data:
        check_ready(check.spec, graph, data, section, tree, problems)
    check_input_noise(section, tree, graph, problems)
    phases = check_phases(graph, section, tree, {}, EpochMetrics.with_loss(objective.metrics, data), problems)
    if own is None or phases is None or any(problem.is_error for problem in problems[before:]):
        return None
    return TrainingPlan(graph, section, tree, data, {}, phases[-1].monitor, phases, own=own)
