"""The static check of the section ``train`` against the graph and the data. No framework is loaded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

from nnspec.data.check import PARTS, without_later
from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Model
from nnspec.graph import problems as g
from nnspec.spec import Spec
from nnspec.spec import problems as p
from nnspec.spec.checked import Known, check_known
from nnspec.spec.tree import MappingNode
from nnspec.training.checks.blocks import with_blocks
from nnspec.training.checks.class_batches import check_batch_sizes
from nnspec.training.checks.int8_bounds import check_int8_bounds
from nnspec.training.checks.outputs import drop_unknown
from nnspec.training.checks.sampler import check_sampler_weights
from nnspec.training.objectives import OBJECTIVES, objective_named
from nnspec.training.objectives.base import Objective
from nnspec.training.objectives.check import check_network
from nnspec.training.objectives.context import TrainingCheck
from nnspec.training.objectives.plugin import guarded
from nnspec.training.plan import TrainingPlan
from nnspec.training.section import TrainSection
from nnspec.types import PluginError


def check_training(
    spec: Spec,
    model: Model | None,
    problems: list[Diagnostic],
    *,
    require_data: bool = False,
    parts: Collection[str] = PARTS,
) -> TrainingPlan | None:
    """Checks the sections ``train`` and ``data`` against the network.

    Args:
        spec: The spec.
        model: Its graphs; None if they have errors, and the sections are checked without them.
        problems: Problems are appended here.
        require_data: Whether both sections and the data files must exist, because a training starts.
        parts: The splits of the data whose files are read.

    Returns:
        The plan; None if there is no section ``train``, or it has errors.
    """
    before = len(problems)
    known, tree = _section(spec, model, problems)
    plan = _check(TrainingCheck(spec, model, known, tree, problems, require_data, parts))
    if plan is not None:
        problems.extend(check_batch_sizes(plan))
        check_int8_bounds(spec, plan, problems)
    if plan is not None and model is not None:
        check_sampler_weights(spec, model, plan, problems, starts=require_data)
    if not require_data:
        # The network can still be built and exported.
        problems[before:] = [replace(x, severity="warning") if x.code == p.NotYet.code else x for x in problems[before:]]
    return None if any(problem.is_error for problem in problems[before:]) else plan


def _check(check: TrainingCheck) -> TrainingPlan | None:
    if check.objective is not None and (check.model is not None or not check.objective.has_own_losses):
        try:
            return guarded(check.objective, check.objective.check, check)
        except PluginError as error:
            assert check.tree is not None
            help = "tell the authors of the package, with this spec"
            check.problems.append(g.FailedPlugin.at(*locate(check.tree, "objective"), help=help, reason=str(error)))
            return None
    # If an objective that defines the losses has errors, the outputs cannot be checked.
    return None if check.tree is not None and _has_own_losses(check.tree) else check_network(check)


def _section(
    spec: Spec, model: Model | None, problems: list[Diagnostic]
) -> tuple[Known[TrainSection] | None, MappingNode | None]:
    tree = spec.section("train")
    if tree is None:
        return None, None
    resolved = without_later(tree, TrainSection.later, problems)
    kept: MappingNode | None = resolved
    missing = False
    if not _has_own_losses(tree):
        missing = tree.get("loss") is None
        if missing:
            problems.append(p.MissingKey.at(tree.span, tree.path, help="write `train: {loss: …}`", where="`train`", key="loss"))
        main = model.networks.get("main") if model is not None else None
        resolved = with_blocks(resolved, spec.blocks, main.output_names if main is not None else (), problems)
        kept = resolved if main is None else drop_unknown(resolved, main, problems)
    without_loss = kept is None
    if kept is None:
        rest = [(key, value) for key, value in resolved.items() if key.value != "loss"]
        kept = MappingNode(rest, tree.span, tree.place)
    known = check_known(TrainSection, kept, problems, name="train", instead={"epochs": 1, "steps": 1})
    if missing or without_loss:
        known = Known(known.value, known.wrong | {"loss"}, False)
    return known, tree


def _has_own_losses(tree: MappingNode) -> bool:
    """Whether the section names an objective that defines the losses."""
    name = objective_named(tree)
    try:
        return name in OBJECTIVES and cast("type[Objective]", OBJECTIVES.get(name)).has_own_losses
    except PluginError:  # it is reported where the section is read
        return True
