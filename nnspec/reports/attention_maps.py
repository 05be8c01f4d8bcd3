"""Maps of attention weights (Bahdanau et al. 2015, figure 3)."""

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
from nnspec.html_elements import Html, element, figure, section
from nnspec.layers.heads import SCORES
from nnspec.reports.plots import plot
from nnspec.reports.tensors import tensors_of
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.run.folder import Run
from nnspec.types import Dim

_EXAMPLES = 4
_MOST_NODES = 3
_MOST_STEPS = 40
_RETURNS_SCORES = "return_attention_scores"


@dataclass(frozen=True)
class AttentionNode:
    """An attention node whose weights can be shown.

    Attributes:
        graph: The network, with the attention weights as a further output of the node.
        node: The name of the node.
        queries: The size of the query axis.
        keys: The size of the key axis.
    """

    graph: Graph
    node: str
    queries: int | Dim
    keys: int | Dim

    @property
    def weights(self) -> Ref:
        """The attention weights: (queries, keys) or (heads, queries, keys)."""
        return Ref(self.node, SCORES)


def attention_nodes(graph: Graph) -> list[AttentionNode]:
    """The last attention nodes of a network, at most three; only cross-attention if there is any."""
    found = [attention for node in graph.nodes.values() if (attention := _attention_node(graph, node))]
    cross = [attention for attention in found if attention.queries != attention.keys]
    return (cross or found)[-_MOST_NODES:]


def _attention_node(graph: Graph, node: Node) -> AttentionNode | None:
    if _RETURNS_SCORES not in type(node.layer).model_fields:
        return None
    layer = node.layer.model_copy(update={_RETURNS_SCORES: True})
    outputs = layer.infer(node.input_types)
    shape = outputs[SCORES].shape
    is_supported = len(shape) - len(node.output.shape) == 1 or len(shape) == 2
    if not is_supported or len(node.output.shape) != 2:
        return None
    opened = replace(node, layer=layer, outputs={**outputs, **node.outputs})
    return AttentionNode(replace(graph, nodes={**graph.nodes, node.name: opened}), node.name, *shape[-2:])


def attention_maps(run: Run, found: Evaluation) -> Html:
    """Maps of some examples; empty if no attention is over tokens."""
    graph = run.model.main
    nodes = attention_nodes(graph)
    places = np.linspace(0, len(found.examples) - 1, min(_EXAMPLES, len(found.examples))).astype(np.int64)
    batch = found.examples.only(np.unique(places)).batch(slice(None))
    inputs, weights, pieces = dict(batch.inputs), run.weights(), []
    for attention in nodes:
        labels = [_labels(run, found, inputs, size) for size in (attention.queries, attention.keys)]
        scores = tensors_of(attention.graph, weights, {"weights": attention.weights}, inputs)["weights"]
        maps = scores.mean(1) if scores.ndim == 4 else scores
        shown = [
            figure(_drawn(map_[: len(rows), : len(columns)], rows, columns, attention.node))
            for map_, rows, columns in zip(maps, *labels, strict=True)
            if rows and columns
        ]
        if shown:
            pieces += [element("h3", attention.node), element("div", *shown, class_="row")]
    note = (
        "Rows are queries, columns are keys; dark is a large attention weight, averaged over the heads. Decoders read the true "
        "tokens; their rows are labeled with the next token."
    )
    return section("Attention maps", element("p", note, class_="note"), *pieces) if pieces else Html()


def _labels(run: Run, found: Evaluation, inputs: Mapping[str, NDArray[Any]], size: int | Dim) -> list[list[str]]:
    """The tokens at each position along an axis of each example, without padding; empty if the axis has no tokens."""
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
    """The length without padding."""
    tokens = np.flatnonzero(row)
    return min(int(tokens[-1]) + 1, _MOST_STEPS) if len(tokens) else 0


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
    return plot(draw, f"attention weights of {label}", width=max(width, 1.8), height=max(height, 1.4))
