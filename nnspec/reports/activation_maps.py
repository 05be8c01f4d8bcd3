"""Where in a picture or a series the class is: class activation maps (Zhou et al. 2016; of series, Wang et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.graph import Graph
from nnspec.graph.model import Node, Ref
from nnspec.layers.activations import Activation, Softmax
from nnspec.layers.core import Dense
from nnspec.layers.pooling import GlobalAveragePooling1D, GlobalAveragePooling2D
from nnspec.layers.regularization import InTrainingAlone
from nnspec.reports.elements import Html, element, figure, section
from nnspec.reports.errors import surest_errors
from nnspec.reports.examples import picture_input
from nnspec.reports.pictures import overlay, picture, scaled
from nnspec.reports.plots import line
from nnspec.reports.tensors import tensors_of
from nnspec.training.evaluation import Evaluated
from nnspec.training.judged import Classified
from nnspec.training.run import Run

__all__ = ["Ending", "activation_maps", "ending_of"]

_EACH = 4


@dataclass(frozen=True)
class Ending:
    """The end of a network that a class activation map can be read from.

    Attributes:
        maps: The feature maps that are averaged.
        kernel: The identity of the weights of the layer after, (channels, classes).
    """

    maps: Ref
    kernel: str


def ending_of(graph: Graph, output: str) -> Ending | None:
    """The end of an output's way, where it is global average pooling and one Dense layer; else None."""
    dense = _before(graph, graph.outputs[output], (Activation, Softmax, InTrainingAlone))
    if dense is None or not isinstance(dense.layer, Dense):
        return None
    pooling = _before(graph, next(iter(dense.inputs.values())), (InTrainingAlone,))
    if pooling is None or not isinstance(pooling.layer, (GlobalAveragePooling1D, GlobalAveragePooling2D)):
        return None
    return Ending(next(iter(pooling.inputs.values())), f"{dense.weights_at}/kernel")


def _before(graph: Graph, ref: Ref, passing: tuple[type, ...]) -> Node | None:
    """The node that gives a tensor, those that only pass it on left out."""
    node = graph.nodes.get(ref.source)
    while node is not None and isinstance(node.layer, passing):
        node = graph.nodes.get(next(iter(node.inputs.values())).source)
    return node


def activation_maps(run: Run, found: Evaluated) -> Html:
    """Maps of some errors and of some that are right; nothing for a net of another form."""
    seen = picture_input(found)
    if seen is None:
        return Html()
    # A map lies over what is seen where it has the same axes.
    axes = found.examples.inputs[seen].ndim - 1
    graph, weights, pieces = run.graph, run.weights(), []
    for name, judged in found.judged.items():
        ending = ending_of(graph, name)
        over = ending is not None and len(graph.type_of(ending.maps).shape) == axes
        if ending is not None and over and isinstance(judged, Classified) and judged.each == 1:
            pieces += _of_output(graph, weights, name, ending, judged, found, seen)
    note = "Bright is what spoke for the class: the feature maps before the pooling, weighted as the last layer weights them."
    return section("Class activation maps", element("p", note, class_="note"), *pieces) if pieces else Html()


def _of_output(
    graph: Graph,
    weights: Mapping[str, NDArray[Any]],
    name: str,
    ending: Ending,
    judged: Classified,
    found: Evaluated,
    seen: str,
) -> list[Html]:
    right = np.flatnonzero(judged.true == judged.said)
    spread = right[np.linspace(0, len(right) - 1, min(_EACH, len(right))).astype(int)] if len(right) else right
    places = np.concatenate([surest_errors(judged, _EACH), spread])
    batch = found.examples.only(judged.examples[places]).batch(slice(None))
    maps = tensors_of(graph, weights, {"maps": ending.maps}, dict(batch.inputs))["maps"]
    values = batch.inputs[seen]
    examples = scaled(values) if values.ndim == 4 else values
    kernel = weights[ending.kernel]
    groups = []
    for example, map_, place in zip(examples, maps, places, strict=True):
        said, true = int(judged.said[place]), int(judged.true[place])
        labels = (
            {said: f"said {judged.names[said]}", true: f"true {judged.names[true]}"}
            if said != true
            else {said: f"said {judged.names[said]}, and it is"}
        )
        shown = [figure(_drawn(example, "the example"), f"row {found.examples.rows[judged.examples[place]]}")]
        for class_, label in labels.items():
            shown.append(figure(_drawn(example, label, map_ @ _toward(kernel, class_)), label))
        groups.append(element("div", *shown, class_="group"))
    return [element("h3", name), element("div", *groups, class_="row")]


def _drawn(example: NDArray[Any], label: str, heat: NDArray[Any] | None = None) -> Html:
    """A picture or a series, with the map over it or behind it."""
    if example.ndim == 2:
        return line(example, label, heat)
    return picture(example if heat is None else overlay(example, heat), label)


def _toward(kernel: NDArray[Any], class_: int) -> NDArray[Any]:
    """The weights of the channels for a class; a single unit speaks for 1, and against 0."""
    if kernel.shape[-1] == 1:
        weights: NDArray[Any] = kernel[:, 0] if class_ else -kernel[:, 0]
        return weights
    found: NDArray[Any] = kernel[:, class_]
    return found
