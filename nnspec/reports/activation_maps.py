"""Where in a picture or a series the class is: class activation maps (Zhou et al. 2016; of series, Wang et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.graph import Graph
from nnspec.graph.activation_maps import NoMapError, map_name, with_activation_maps
from nnspec.reports.elements import Html, element, figure, section
from nnspec.reports.errors import surest_errors
from nnspec.reports.examples import picture_input
from nnspec.reports.pictures import overlay, picture, scaled
from nnspec.reports.plots import line
from nnspec.reports.tensors import tensors_of
from nnspec.training.evaluation.evaluate import Evaluated
from nnspec.training.evaluation.predictions import ClassPredictions
from nnspec.training.run.folder import Run

__all__ = ["activation_maps"]

_EACH = 4


def activation_maps(run: Run, found: Evaluated) -> Html:
    """Maps of some errors and of some that are right; nothing for a net of another form."""
    seen = picture_input(found)
    if seen is None:
        return Html()
    # A map lies over what is seen where it has the same axes.
    axes = found.examples.inputs[seen].ndim - 1
    graph, weights, pieces = run.graph, run.weights(), []
    for name, judged in found.judged.items():
        if not isinstance(judged, ClassPredictions) or judged.each > 1:
            continue
        try:
            mapped = with_activation_maps(graph, [name])
        except NoMapError:
            continue
        if len(mapped.output_types[map_name(name)].shape) == axes:
            pieces += _of_output(mapped, weights, name, judged, found, seen)
    note = "Bright is what spoke for the class: what the last layer gives at each position, before the mean over all of them."
    return section("Class activation maps", element("p", note, class_="note"), *pieces) if pieces else Html()


def _of_output(
    graph: Graph,
    weights: Mapping[str, NDArray[Any]],
    name: str,
    judged: ClassPredictions,
    found: Evaluated,
    seen: str,
) -> list[Html]:
    right = np.flatnonzero(judged.true == judged.said)
    spread = right[np.linspace(0, len(right) - 1, min(_EACH, len(right))).astype(int)] if len(right) else right
    places = np.concatenate([surest_errors(judged, _EACH), spread])
    batch = found.examples.only(judged.examples[places]).batch(slice(None))
    maps = tensors_of(graph, weights, {"maps": graph.outputs[map_name(name)]}, dict(batch.inputs))["maps"]
    values = batch.inputs[seen]
    examples = scaled(values) if values.ndim == 4 else values
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
            shown.append(figure(_drawn(example, label, _toward(map_, class_)), label))
        groups.append(element("div", *shown, class_="group"))
    return [element("h3", name), element("div", *groups, class_="row")]


def _drawn(example: NDArray[Any], label: str, heat: NDArray[Any] | None = None) -> Html:
    """A picture or a series, with the map over it or behind it."""
    if example.ndim == 2:
        return line(example, label, heat)
    return picture(example if heat is None else overlay(example, heat), label)


def _toward(map_: NDArray[Any], class_: int) -> NDArray[Any]:
    """The map of a class; a single unit speaks for 1, and against 0."""
    if map_.shape[-1] == 1:
        return map_[..., 0] if class_ else -map_[..., 0]
    return map_[..., class_]
