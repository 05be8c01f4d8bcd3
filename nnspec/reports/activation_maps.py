"""Class activation maps of images (Zhou et al. 2016) and series (Wang et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.graph import Graph
from nnspec.graph.activation_maps import NoMapError, map_name, with_activation_maps
from nnspec.html_elements import Html, element, figure, section
from nnspec.reports.errors import most_confident_errors
from nnspec.reports.examples import image_input
from nnspec.reports.images import image_tag, overlay, scaled
from nnspec.reports.plots import series_plot
from nnspec.reports.tensors import tensors_of
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.evaluation.predictions import ClassPredictions
from nnspec.training.run.folder import Run

_EACH = 4


def activation_maps(run: Run, found: Evaluation) -> Html:
    """Maps of some wrong and some correct predictions; empty if the network has another form."""
    seen = image_input(found)
    if seen is None:
        return Html()
    # A map can be drawn over the input if it has the same axes.
    axes = found.examples.inputs[seen].ndim - 1
    graph, weights, pieces = run.graph, run.weights(), []
    for name, predictions in found.predictions.items():
        if not isinstance(predictions, ClassPredictions) or predictions.each > 1:
            continue
        try:
            mapped = with_activation_maps(graph, [name])
        except NoMapError:
            continue
        if len(mapped.output_types[map_name(name)].shape) == axes:
            pieces += _of_output(mapped, weights, name, predictions, found, seen)
    note = "Bright positions are evidence for the class: the class score at each position, before global average pooling."
    return section("Class activation maps", element("p", note, class_="note"), *pieces) if pieces else Html()


def _of_output(
    graph: Graph,
    weights: Mapping[str, NDArray[Any]],
    name: str,
    predictions: ClassPredictions,
    found: Evaluation,
    seen: str,
) -> list[Html]:
    correct = np.flatnonzero(predictions.true == predictions.predicted)
    spread = correct[np.linspace(0, len(correct) - 1, min(_EACH, len(correct))).astype(int)] if len(correct) else correct
    places = np.concatenate([most_confident_errors(predictions, _EACH), spread])
    batch = found.examples.only(predictions.examples[places]).batch(slice(None))
    maps = tensors_of(graph, weights, {"maps": graph.outputs[map_name(name)]}, dict(batch.inputs))["maps"]
    values = batch.inputs[seen]
    examples = scaled(values) if values.ndim == 4 else values
    groups = []
    for example, map_, place in zip(examples, maps, places, strict=True):
        predicted, true = int(predictions.predicted[place]), int(predictions.true[place])
        labels = (
            {predicted: f"predicted {predictions.names[predicted]}", true: f"actual {predictions.names[true]}"}
            if predicted != true
            else {predicted: f"predicted and actual {predictions.names[predicted]}"}
        )
        shown = [figure(_drawn(example, "example"), f"row {found.examples.rows[predictions.examples[place]]}")]
        for class_, label in labels.items():
            shown.append(figure(_drawn(example, label, _class_map(map_, class_)), label))
        groups.append(element("div", *shown, class_="group"))
    return [element("h3", name), element("div", *groups, class_="row")]


def _drawn(example: NDArray[Any], label: str, heat: NDArray[Any] | None = None) -> Html:
    """An image with the map over it, or a series with the map behind it."""
    if example.ndim == 2:
        return series_plot(example, label, heat)
    return image_tag(example if heat is None else overlay(example, heat), label)


def _class_map(map_: NDArray[Any], class_: int) -> NDArray[Any]:
    """The map of a class; with a single unit, that of class 0 is negated."""
    if map_.shape[-1] == 1:
        return map_[..., 0] if class_ else -map_[..., 0]
    return map_[..., class_]
