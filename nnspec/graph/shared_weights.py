"""Weights that several steps share: `freeze` and `weights` of one use apply to all uses, as there is one copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from nnspec.diagnostics import Diagnostic, Note
from nnspec.graph import problems as g
from nnspec.graph.model import Node, Start, changed, every_node
from nnspec.spec import Step


@dataclass(frozen=True)
class Use:
    """Settings of a node's weights by the steps around it.

    Attributes:
        step: Step that uses the weights, of a network or a shared layer; None for the layer's own step.
        freezer: Step with `freeze: true`.
        starter: Step with `weights`.
    """

    step: Step | None = None
    freezer: Step | None = None
    starter: Step | None = None

    def at(self, step: Step, *, is_use: bool) -> Use:
        """Return the settings for a nested step."""
        return Use(
            step if is_use else self.step,
            step if step.freeze else self.freezer,
            step if step.weights is not None else self.starter,
        )


def freeze_shared(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """Return the nodes, with those frozen whose weights are frozen in any use."""
    frozen = {node.weights_at for node in every_node(nodes.values()) if node.frozen and node.weights}

    def freeze(node: Node) -> Node:
        return replace(node, frozen=True) if node.weights_at in frozen and not node.frozen else node

    return changed(nodes, freeze)


def start_shared(nodes: Mapping[str, Node], uses: Mapping[str, Use]) -> dict[str, Node]:
    """Return the nodes, each with the initial weights that any use of its weights declares."""
    starts = {node.weights_at: node.start for node in every_node(nodes.values()) if uses[node.name].starter}

    def start(node: Node) -> Node:
        found = starts.get(node.weights_at, node.start)
        return replace(node, start=found) if found != node.start else node

    return changed(nodes, start)


def _source(start: Start) -> tuple[object, ...]:
    return start.file, start.prefix, start.skip, start.names


def check_uses(nodes: Mapping[str, Node], uses: Mapping[str, Use]) -> Iterator[Diagnostic]:
    """Yield diagnostics of conflicting settings of the same weights."""
    first: dict[str, Node] = {}
    freezers = {node.weights_at: uses[node.name].freezer for node in every_node(nodes.values()) if node.weights and node.frozen}
    for node in every_node(nodes.values()):
        if not node.weights:
            continue
        use = uses[node.name]
        step = use.step
        span, path, name = (step.span, step.path, step.name) if step else (node.span, node.path, node.name)
        freezer = freezers.get(node.weights_at)
        if freezer is not None and not node.frozen:
            help = f"write `freeze: true` here, too, or remove it from `{freezer.name}`"
            notes = [Note(f"`{freezer.name}` freezes them here", freezer.span)]
            yield g.FrozenElsewhere.at(span, path, help=help, notes=notes, name=name, freezer=freezer.name)
        if use.starter is not None and node.start is not None:
            other = first.setdefault(node.weights_at, node)
            if other.start is not None and _source(other.start) != _source(node.start):
                notes = [Note("the other `weights` is here", other.start.span)]
                help = "use one file for all uses, or define a second network"
                yield g.SeveralStarts.at(node.start.span, node.start.path, help=help, notes=notes, name=name)
