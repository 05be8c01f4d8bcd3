"""The check of the sections ``train`` and ``data`` of a GAN."""

from __future__ import annotations

from dataclasses import replace

from nnspec.data.check import check_data
from nnspec.graph import Model
from nnspec.graph.merge_graphs import merge_graphs
from nnspec.graph.model import Gaps
from nnspec.training.checks.monitors import EpochMetrics
from nnspec.training.checks.phases import check_phases
from nnspec.training.checks.readiness import check_ready
from nnspec.training.objectives.context import TrainingCheck
from nnspec.training.objectives.gan import gan
from nnspec.training.objectives.gan.check_networks import check_networks
from nnspec.training.plan import LAST, TrainingPlan


def check_gan(objective: gan, check: TrainingCheck) -> TrainingPlan | None:
    """Checks the sections ``train`` and ``data`` against the generator and the discriminator.

    Args:
        objective: The objective.
        check: The spec, its graphs, and where problems are reported.

    Returns:
        The plan; None if there are errors.
    """
    model, section, tree, problems = check.model, check.section, check.tree, check.problems
    assert model is not None
    assert section is not None
    assert tree is not None
    found = check_networks(objective, section, tree, model.networks)
    problems += found.problems
    plan = found.plan
    if plan is None:
        _check_sections_alone(objective, model, check)
        return None
    graph = merge_graphs(plan.networks.values())
    # The data feed the discriminator's inputs; noise is drawn.
    fed = replace(graph, inputs=plan.discriminator.inputs)
    data = check_data(check.spec, fed, {}, problems, require_data=check.require_data, parts=check.parts)
    if check.require_data:
        check_ready(check.spec, graph, data, section, tree, problems)
    names = [*plan.metrics, *(f"val_{name}" for name in plan.validated if data is None or data.validates)]
    networks = tuple(plan.networks)
    phases = check_phases(graph, section, tree, {}, EpochMetrics(dict.fromkeys(names), LAST), problems, networks=networks)
    if phases is None:
        return None
    return TrainingPlan(graph, section, tree, data, {}, phases[-1].monitor, phases, networks=plan.networks, own=plan)


def _check_sections_alone(objective: gan, model: Model, check: TrainingCheck) -> None:
    """Checks what does not need both networks: the names of inputs and layers, files and columns."""
    networks = [model.networks[name] for name in (objective.generator, objective.discriminator) if name in model.networks]
    graph = merge_graphs(networks)
    discriminator = model.networks.get(objective.discriminator)
    if discriminator is not None:
        # The networks may disagree about the types of conditions.
        inputs = {name: kind for name, kind in discriminator.inputs.items() if name not in objective.condition}
        gaps = replace(discriminator.gaps, inputs=discriminator.gaps.inputs | (set(discriminator.inputs) - set(inputs)))
        check_data(check.spec, replace(graph, inputs=inputs, gaps=gaps), {}, check.problems, certain=False)
    missing = {name for network in networks for name in network.gaps.layers}
    if len(networks) == 2:
        gaps = Gaps(layers=frozenset(missing), are_named=not missing)
        names = tuple(network.name for network in networks)
        assert check.section is not None
        assert check.tree is not None
        check_phases(replace(graph, gaps=gaps), check.section, check.tree, {}, None, check.problems, networks=names)
