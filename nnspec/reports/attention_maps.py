"""What attention looked at: the shares each query gave to each key, as pictures (Bahdanau et al. 2015, figure 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnspec.generation.vocabulary import vocabulary_of
from nnspec.graph import Graph
from nnspec.graph.model import Node, Ref
from nnspec.layers.heads import SCORES
from nnspec.reports.elements import Html, element, figure, section
from nnspec.reports.plots import plot
from nnspec.reports.tensors import tensors_of
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.run.folder import Run
from nnspec.types import Dim

__all__ = ["AttentionNode", "attention_maps", "attention_nodes"]

_EXAMPLES = 4
_MOST_NODES = 3
_MOST_STEPS = 40
_GIVES_SCORES = "return_attention_scores"


@dataclass(frozen=True)
class AttentionNode:
    """A node from which the shares of attention can be read.

    Attributes:
        graph: The network, the node giving its shares beside what it gave before.
        node: The node's name.
        queries: The size of the axis that looks.
        keys: The size of the axis that is looked at.
    """

    graph: Graph
    node: str
    queries: int | Dim
    keys: int | Dim

    @property
    def shares(self) -> Ref:
        """The shares: queries, keys, or heads, queries, keys."""
        return Ref(self.node, SCORES)


def attention_nodes(graph: Graph) -> list[AttentionNode]:
    """The attentions of a network, at most three: those from one sequence into another where there are such, the last ones."""
    found = [attention for node in graph.nodes.values() if (attention := _looking(graph, node))]
    across = [attention for attention in found if attention.queries != attention.keys]
    return (across or found)[-_MOST_NODES:]


def _looking(graph: Graph, node: Node) -> AttentionNode | None:
    if _GIVES_SCORES not in type(node.layer).model_fields:
        return None
    layer = node.layer.model_copy(update={_GIVES_SCORES: True})
    outputs = layer.infer(node.input_types)
    shape = outputs[SCORES].shape
    own = len(shape) - len(node.output.shape) == 1 or len(shape) == 2
    if not own or len(node.output.shape) != 2:
        return None
    opened = replace(node, layer=layer, outputs={**outputs, **node.outputs})
    return AttentionNode(replace(graph, nodes={**graph.nodes, node.name: opened}), node.name, *shape[-2:])


def attention_maps(run: Run, found: Evaluation) -> Html:
    """Maps of some examples; nothing for a net without attention over what can be named."""
    graph = run.model.main
    nodes = attention_nodes(graph)
    places = np.linspace(0, len(found.examples) - 1, min(_EXAMPLES, len(found.examples))).astype(np.int64)
    batch = found.examples.only(np.unique(places)).batch(slice(None))
    inputs, weights, pieces = dict(batch.inputs), run.weights(), []
    for attention in nodes:
        labels = [_labels(run, found, inputs, size) for size in (attention.queries, attention.keys)]
        shares = tensors_of(attention.graph, weights, {"shares": attention.shares}, inputs)["shares"]
        maps = shares.mean(1) if shares.ndim == 4 else shares
        shown = [
            figure(_drawn(map_[: len(rows), : len(columns)], rows, columns, attention.node))
            for map_, rows, columns in zip(maps, *labels, strict=True)
            if rows and columns
        ]
        if shown:
            pieces += [element("h3", attention.node), element("div", *shown, class_="row")]
    note = (
        "A row for each position that looks, a column for each it looks at; dark is a large share, the mean of all heads where "
        "there are several. A decoder was given the true tokens: its rows are named after the token that comes next."
    )
    return section("Attention maps", element("p", note, class_="note"), *pieces) if pieces else Html()


def _labels(run: Run, found: Evaluation, inputs: Mapping[str, NDArray[Any]], size: int | Dim) -> list[list[str]]:
    """What stands at each position along an axis, in each example, as far as there is something: the tokens of an input."""
    graph = run.model.main
    name = next((name for name, type in graph.inputs.items() if type.rank == 1 and type.shape[0] == size), None)
    if name is None or inputs[name].dtype.kind not in "iu":
        return [[]] * len(next(iter(inputs.values())))
    tokens = inputs[name]
    for source in found.plan.target_sources.values():
        if source.input == name:
            tokens = source.aligned(tokens)
    vocabulary = vocabulary_of(run.recipe(), name)
    return [[_text(token, vocabulary) for token in row[: _end(row)]] for row in tokens]


def _end(row: NDArray[Any]) -> int:
    """Where the filling begins."""
    there = np.flatnonzero(row)
    return min(int(there[-1]) + 1, _MOST_STEPS) if len(there) else 0


def _text(token: int, vocabulary: Sequence[str] | None) -> str:
    return vocabulary[token] if vocabulary is not None and token < len(vocabulary) else str(token)


def _drawn(map_: NDArray[Any], rows: list[str], columns: list[str], label: str) -> Html:
    def draw(axes: Axes) -> None:
        axes.imshow(map_, cmap="Blues", vmin=0, vmax=max(float(map_.max()), 1e-9), aspect="auto", interpolation="nearest")
        axes.grid(visible=False)
        axes.set_xticks(range(len(columns)), columns, rotation=90 if max(map(len, columns)) > 2 else 0)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0, labelsize=7)

    width, height = (min(7.0, 0.9 + 0.19 * len(names)) for names in (columns, rows))
    return plot(draw, f"what {label} looked at", width=max(width, 1.8), height=max(height, 1.4))
