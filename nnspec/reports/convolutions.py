"""The filters of the first convolution, and feature maps of some examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.graph import Graph
from nnspec.graph.model import Node, Ref
from nnspec.html_elements import Html, element, figure, section
from nnspec.layers.convolution import Convolution
from nnspec.reports.examples import draw_examples, image_input
from nnspec.reports.images import colored, image_tag, mosaic
from nnspec.reports.tensors import tensors_of
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.run.folder import Run

_MOST_FILTERS = 64
_MOST_MAPS = 16
_EXAMPLES = 3


def convolutions(run: Run, found: Evaluation | None) -> Html:
    """The filters and feature maps of a network with 2-D convolutions; empty for other networks."""
    graph = run.graph
    nodes = [node for node in graph.nodes.values() if isinstance(node.layer, Convolution) and len(node.output.shape) == 3]
    if not nodes:
        return Html()
    weights = run.weights()
    pieces = [_filters(nodes[0], weights)]
    if found is not None:
        ends = list({node.name: node for node in (nodes[0], nodes[-1])}.values())
        pieces += _maps(graph, ends, weights, found)
    return section("Filters and feature maps", *pieces)


def _filters(node: Node, weights: dict[str, NDArray[Any]]) -> Html:
    kernel = weights[f"{node.weights_at}/{node.weights[0].name}"]
    kept = np.moveaxis(kernel, -1, 0)[:_MOST_FILTERS]
    channels = kept.shape[-1]
    if channels == 3:
        note = "the weights for red, green and blue as a color, each filter scaled to its own range"
        low, high = kept.min((1, 2, 3), keepdims=True), kept.max((1, 2, 3), keepdims=True)
        share = (kept - low) / np.where(high > low, high - low, 1)
        planes = [np.concatenate([f, np.ones((*f.shape[:2], 1))], -1) for f in share]
    else:
        note = "red for positive weights, blue for negative ones" + (", averaged over the channels" if channels > 1 else "")
        planes = [colored(f.mean(-1), signed=True) for f in kept]
    many = f"{len(kept)} of {kernel.shape[-1]}" if len(kept) < kernel.shape[-1] else f"{kernel.shape[-1]}"
    image = image_tag(mosaic(planes, 16), f"filters of {node.name}", shown=min(16, len(planes)) * 40, largest=1000)
    return Html(element("h3", f"{node.name}: {many} filters") + figure(image, note[0].upper() + note[1:] + "."))


def _maps(graph: Graph, nodes: list[Node], weights: dict[str, NDArray[Any]], found: Evaluation) -> list[Html]:
    positions = np.linspace(0, len(found.examples) - 1, min(_EXAMPLES, len(found.examples))).astype(np.int64)
    batch = found.examples.only(positions).batch(slice(None))
    # Names of nodes may have characters that are invalid in names of Keras outputs.
    values = tensors_of(graph, weights, {f"map{i}": Ref(node.name) for i, node in enumerate(nodes)}, dict(batch.inputs))
    seen = image_input(found)
    rows = found.examples.rows[positions]
    labels = [f"row {row}" for row in rows]
    images = draw_examples(found, seen, positions, labels) if seen is not None else [Html()] * len(rows)
    pieces = []
    for i, node in enumerate(nodes):
        maps = values[f"map{i}"]
        count = min(_MOST_MAPS, maps.shape[-1])
        lines = [
            element("div", original, _map(maps[j], count, f"{node.name} of {labels[j]}"), class_="row")
            for j, original in enumerate(images)
        ]
        title = f"{node.name}: {count} of {maps.shape[-1]} feature maps"
        pieces.append(Html(element("h3", title) + element("div", *lines, class_="stack")))
    return pieces


def _map(values: NDArray[Any], count: int, label: str) -> Html:
    planes = [colored(values[..., channel]) for channel in range(count)]
    return image_tag(mosaic(planes, 8), label, shown=8 * 56, largest=1400)
