"""The static check of a training's phases: what each overrides, freezes and watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph
from nnspec.spec.tree import MappingNode, SequenceNode
from nnspec.training import problems as t
from nnspec.training.checks.monitors import Watched, check_monitor, check_plateau
from nnspec.training.checks.optimizers import check_optimizer
from nnspec.training.plan import OutputPlan, PhasePlan
from nnspec.training.section import TrainSection
from nnspec.types import closest

__all__ = ["check_phases"]


def check_phases(
    graph: Graph,
    section: TrainSection,
    tree: MappingNode,
    outputs: Mapping[str, OutputPlan],
    watched: Watched | None,
    problems: list[Diagnostic],
    *,
    networks: Sequence[str] = (),
) -> tuple[PhasePlan, ...] | None:
    """The phases; one where the section names none, and None where something is wrong with one.

    Args:
        graph: The network.
        section: The section ``train``.
        tree: The same as it was written.
        outputs: What is done with each output.
        watched: What can be watched of it; None where that is not known.
        problems: What is wrong is appended here.
        networks: The networks that have an optimizer each; none where one is trained.
    """
    plans, whole = [], True
    for i, own in enumerate(section.in_phases()):
        written = _written(tree, i) if section.phases else tree
        check_optimizer(own, written, networks, problems)
        if outputs and graph.gaps.are_named:
            _check_loss_weights(own, written, outputs, problems)
        weighted = {name: replace(plan, weight=own.loss_weights.get(name, 1.0)) for name, plan in outputs.items()}
        monitor = check_monitor(own, written, watched, problems) if watched is not None else None
        plateau = check_plateau(own, written, watched, problems) if watched is not None else None
        frozen = _check_freeze(graph, own, written, problems)
        if monitor is None or frozen is None or (own.reduce_on_plateau is not None and plateau is None):
            whole = False
            continue
        plans.append(PhasePlan(own, weighted, monitor, plateau, frozen))
    return tuple(plans) if whole else None


def _written(tree: MappingNode, phase: int) -> MappingNode:
    """The section with a phase's keys in place of its own, each where it was written."""
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
            suggestion = closest(name, outputs)
            help = f"did you mean `{suggestion}`?" if suggestion else f"its outputs are {', '.join(f'`{o}`' for o in outputs)}"
            problems.append(t.UnknownOutput.at(*locate(tree, "loss_weights", name), help=help, name=name))


def _check_freeze(graph: Graph, section: TrainSection, tree: MappingNode, problems: list[Diagnostic]) -> tuple[str, ...] | None:
    """Where the weights stand that `freeze` names."""
    frozen: dict[str, None] = {}
    before = len(problems)
    for i, path in enumerate(section.freeze):
        found = [node.weights_at for node in graph.nodes.values() if _within(node.name, path) or _within(node.weights_at, path)]
        if not found and path not in graph.gaps.layers:
            suggestion = closest(path, [*_paths(graph), *graph.gaps.layers])
            help = f"did you mean `{suggestion}`?" if suggestion else "`nnspec inspect` lists the layers by their paths"
            problems.append(t.UnknownFrozen.at(*locate(tree, "freeze", i), help=help, layer=path))
        frozen |= dict.fromkeys(found)
    trains = any(weight.trainable and not node.frozen and node.weights_at not in frozen for _, weight, node in graph.weights())
    if section.freeze and not trains and graph.trainable_parameters and not graph.gaps.layers:
        problems.append(t.AllFrozen.at(*locate(tree, "freeze"), help="leave out of `freeze` what is to learn"))
    return None if len(problems) > before else tuple(frozen)


def _within(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}/")


def _paths(graph: Graph) -> list[str]:
    """Every path that `freeze` can name: nodes, and what they stand in."""
    found: dict[str, None] = {}
    for node in graph.nodes.values():
        for name in (node.name, node.weights_at):
            parts = name.split("/")
            found |= dict.fromkeys("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    return list(found)
