"""The static check of the phases: their overrides, frozen layers and monitored metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph
from nnspec.graph.model import is_within
from nnspec.spec.tree import MappingNode, SequenceNode
from nnspec.training import problems as t
from nnspec.training.catalogue.optimizers.base import Optimizer
from nnspec.training.checks.monitors import EpochMetrics, check_monitor, check_plateau
from nnspec.training.plan import OutputPlan, PhasePlan
from nnspec.training.section import TrainSection
from nnspec.types import did_you_mean

_MOST_KEPT = 0.05
"""The largest share of the initial weights in a moving average that is not reported."""
_DECAYS = (0.9999, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9)


def check_phases(
    graph: Graph,
    section: TrainSection,
    tree: MappingNode,
    outputs: Mapping[str, OutputPlan],
    monitored: EpochMetrics | None,
    problems: list[Diagnostic],
    *,
    networks: Sequence[str] = (),
) -> tuple[PhasePlan, ...] | None:
    """Checks the phases of a training.

    Args:
        graph: The network.
        section: The section ``train``.
        tree: Its YAML tree.
        outputs: The plan of each output.
        monitored: The metrics of an epoch; None if they are not known.
        problems: Problems are appended here.
        networks: The networks that can each have an optimizer; empty if one network is trained.

    Returns:
            The phases, one if the section names none; None if one of them has errors.
    """
    plans, whole = [], True
    for i, own in enumerate(section.phase_sections()):
        written = _written(tree, i) if section.phases else tree
        check_optimizer(own, written, networks, problems)
        if outputs and graph.gaps.are_named:
            _check_loss_weights(own, written, outputs, problems)
        weighted = {name: replace(plan, weight=own.weight_of(name)) for name, plan in outputs.items()}
        monitor = check_monitor(own, written, monitored, problems) if monitored is not None else None
        plateau = check_plateau(own, written, monitored, problems) if monitored is not None else None
        frozen = _check_freeze(graph, own, written, problems)
        if monitor is None or frozen is None or (own.reduce_on_plateau is not None and plateau is None):
            whole = False
            continue
        plans.append(PhasePlan(own, weighted, monitor, plateau, frozen))
    return tuple(plans) if whole else None


def _written(tree: MappingNode, phase: int) -> MappingNode:
    """The YAML tree of a phase: its keys, then the keys of the section that it does not override."""
    phases = tree.get("phases")
    assert isinstance(phases, SequenceNode)
    own = phases.items[phase]
    if not isinstance(own, MappingNode):
        return tree
    given = {key.value for key, _ in own.items()}
    rest = [(key, value) for key, value in tree.items() if key.value not in given]
    return MappingNode([*own.items(), *rest], own.span, own.place)


def _check_loss_weights(
    section: TrainSection, tree: MappingNode, outputs: Mapping[str, OutputPlan], problems: list[Diagnostic]
) -> None:
    for name in section.loss_weights:
        if name not in outputs:
            help = did_you_mean(name, outputs, f"its outputs are {', '.join(f'`{o}`' for o in outputs)}")
            problems.append(t.UnknownOutput.at(*locate(tree, "loss_weights", name), help=help, name=name))


def _check_freeze(graph: Graph, section: TrainSection, tree: MappingNode, problems: list[Diagnostic]) -> tuple[str, ...] | None:
    """The weight scopes that `freeze` names."""
    frozen: dict[str, None] = {}
    before = len(problems)
    for i, path in enumerate(section.freeze):
        found = [
            node.weights_at for node in graph.every_node() if is_within(node.name, path) or is_within(node.weights_at, path)
        ]
        if not found and path not in graph.gaps.layers:
            help = did_you_mean(path, [*_paths(graph), *graph.gaps.layers], "`nnspec inspect` lists the layers by their paths")
            problems.append(t.UnknownFrozenLayer.at(*locate(tree, "freeze", i), help=help, layer=path))
        frozen |= dict.fromkeys(found)
    trains = any(weight.trainable and not node.frozen and node.weights_at not in frozen for _, weight, node in graph.weights())
    if section.freeze and not trains and graph.trainable_parameters and not graph.gaps.layers:
        problems.append(t.AllFrozen.at(*locate(tree, "freeze"), help="remove the layers to train from `freeze`"))
    return None if len(problems) > before else tuple(frozen)


def _paths(graph: Graph) -> list[str]:
    """Every path that `freeze` can name: nodes and their enclosing scopes."""
    found: dict[str, None] = {}
    for node in graph.every_node():
        for name in (node.name, node.weights_at):
            parts = name.split("/")
            found |= dict.fromkeys("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    return list(found)


def check_optimizer(section: TrainSection, tree: MappingNode, networks: Sequence[str], problems: list[Diagnostic]) -> None:
    """Reports optimizers of unknown networks, and arguments that repeat another key.

    Args:
        section: The section ``train`` of a phase.
        tree: Its YAML tree.
        networks: The networks that can each have an optimizer; empty if one network is trained.
        problems: Problems are appended here.
    """
    if isinstance(section.optimizer, dict):
        _check_names(section.optimizer, tree, networks, problems)
    given = section.optimizer.values() if isinstance(section.optimizer, dict) else [section.optimizer]
    for optimizer in given:
        assert isinstance(optimizer, Optimizer)
        clip, ema = tree.get("clip"), tree.get("ema")
        own = next(
            (name for name in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(optimizer, name) is not None), None
        )
        if section.clip is not None and clip is not None and own is not None:
            problems.append(t.ClippedTwice.at(clip.span, clip.path, help="remove one of the two", first="clip", second=own))
        if section.ema is not None and ema is not None and optimizer.use_ema:
            problems.append(t.AveragedTwice.at(ema.span, ema.path, help="remove one of the two"))
    _check_average(section, tree, problems)


def _check_average(section: TrainSection, tree: MappingNode, problems: list[Diagnostic]) -> None:
    """Warns if the moving average of the weights mostly keeps what they began with."""
    if section.ema is None or section.steps is None:
        return
    share = section.ema**section.steps
    if share > _MOST_KEPT:
        better = next((decay for decay in _DECAYS if decay**section.steps <= _MOST_KEPT), None)
        help = "train longer" if better is None else f"write `ema: {better}`, or train longer"
        problems.append(t.SlowAverage.at(*locate(tree, "ema"), help=help, share=f"{share:.0%}", steps=section.steps))


def _check_names(given: Mapping[str, object], tree: MappingNode, networks: Sequence[str], problems: list[Diagnostic]) -> None:
    listed = " and ".join(f"`{name}`" for name in networks)
    for name in given:
        if name in networks:
            continue
        help = did_you_mean(name, networks, f"name {listed}" if networks else "write `optimizer: Adam`")
        reason = f"names `{name}`, and the training is of {listed or 'one network'}"
        problems.append(t.OptimizerNames.at(*locate(tree, "optimizer", name), help=help, reason=reason))
    for name in networks:
        if name not in given:
            help = f"add `{name}: Adam`"
            problems.append(t.OptimizerNames.at(*locate(tree, "optimizer"), help=help, reason=f"names none for `{name}`"))
