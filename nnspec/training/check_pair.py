"""The static check of a training of two networks against each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

from nnspec.data.check import check_data
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Model
from nnspec.graph.side_by_side import side_by_side
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
        return None
    graph = side_by_side(pair.networks.values())
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
