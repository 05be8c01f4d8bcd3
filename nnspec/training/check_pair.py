"""The static check of a training of two networks against each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

from nnspec.data.check import check_data
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Model
from nnspec.graph.merge_graphs import merge_graphs
from nnspec.graph.model import Gaps
from nnspec.spec import Spec
from nnspec.spec.tree import MappingNode
from nnspec.training.check_gan import check_gan
from nnspec.training.check_phases import check_phases
from nnspec.training.check_ready import check_ready
from nnspec.training.check_watch import Watched
from nnspec.training.objectives.gan import gan
from nnspec.training.plan import Monitor, TrainingPlan
from nnspec.training.section import TrainSection

__all__ = ["check_pair"]

_LAST = Monitor("epoch", "max")
"""No figure of a pair says which weights are best: the last ones are kept."""


def check_pair(
    spec: Spec,
    model: Model,
    section: TrainSection,
    tree: MappingNode,
    problems: list[Diagnostic],
    *,
    require_data: bool,
    parts: Collection[str],
) -> TrainingPlan | None:
    """Checks the sections ``train`` and ``data`` against the two networks.

    Args:
        spec: The spec.
        model: Its graphs.
        section: The section ``train``.
        tree: The same as it was written.
        problems: What is wrong is appended here.
        require_data: Whether the training is to begin.
        parts: The sets of data whose files are looked at.

    Returns:
        The plan; None where the two are no pair, or something else is wrong with it.
    """
    found = check_gan(cast("gan", section.objective), section, tree, model.networks)
    problems += found.problems
    pair = found.pair
    if pair is None:
        _check_sections_alone(spec, cast("gan", section.objective), model, section, tree, problems)
        return None
    graph = merge_graphs(pair.networks.values())
    # What the data feed, and no more: noise is drawn.
    fed = replace(graph, inputs=pair.discriminator.inputs)
    data = check_data(spec, fed, {}, problems, require_data=require_data, parts=parts)
    if require_data:
        check_ready(spec, graph, data, section, tree, problems)
    watched = [*pair.figures, *(f"val_{name}" for name in pair.validated if data is None or data.validates)]
    phases = check_phases(
        graph, section, tree, {}, Watched(dict.fromkeys(watched), _LAST), problems, networks=tuple(pair.networks)
    )
    if phases is None:
        return None
    return TrainingPlan(graph, section, tree, data, {}, phases[-1].monitor, phases, pair=pair)


def _check_sections_alone(
    spec: Spec, objective: gan, model: Model, section: TrainSection, tree: MappingNode, problems: list[Diagnostic]
) -> None:
    """What can be checked without a pair: the names of inputs and layers, files and columns."""
    networks = [model.networks[name] for name in (objective.generator, objective.discriminator) if name in model.networks]
    graph = merge_graphs(networks)
    judged = model.networks.get(objective.discriminator)
    if judged is not None:
        # Conditions that the two networks do not share have no one type.
        inputs = {name: kind for name, kind in judged.inputs.items() if name not in objective.condition}
        gaps = replace(judged.gaps, inputs=judged.gaps.inputs | (set(judged.inputs) - set(inputs)))
        check_data(spec, replace(graph, inputs=inputs, gaps=gaps), {}, problems, certain=False)
    missing = {name for network in networks for name in network.gaps.layers}
    if len(networks) == 2:
        gaps = Gaps(layers=frozenset(missing), are_named=not missing)
        names = tuple(network.name for network in networks)
        check_phases(replace(graph, gaps=gaps), section, tree, {}, None, problems, networks=names)
