"""Weights by the spec's names, from an HDF5 file or a live model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph.model import Graph, Node
from nnspec.keras_import import problems as k
from nnspec.keras_import.live import without_wrapper
from nnspec.keras_import.planned import PlannedStep
from nnspec.keras_import.weights_file import WeightsFile
from nnspec.layers.attention import GroupQueryAttention
from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.heads import HeadAttention
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.spectral_normalization import SpectralNormalization
from nnspec.layers.time_distributed import TimeDistributed
from nnspec.types import Weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["live_arrays", "saved_arrays", "weight_places"]


def weight_places(layer: Layer, weights: tuple[Weight, ...]) -> list[str]:
    """Return the path of each weight in the weights file, relative to the layer's group."""
    if isinstance(layer, Recurrent):
        return [f"cell/vars/{number}" for number in range(len(weights))]
    if isinstance(layer, TimeDistributed):
        return [f"layer/{place}" for place in weight_places(layer.inner, weights)]
    if isinstance(layer, SpectralNormalization):
        kernel, _, *others = weights
        first, *rest = (f"layer/{place}" for place in weight_places(layer.inner, (kernel, *others)))
        return [first, "vars/1", *rest]
    if isinstance(layer, Bidirectional):
        return _by_part(weights, {"forward": "forward_layer/cell", "backward": "backward_layer/cell"})
    if isinstance(layer, HeadAttention):
        own = "_" if isinstance(layer, GroupQueryAttention) else ""
        parts = {weight.name.partition("/")[0] for weight in weights}
        return _by_part(weights, {part: f"{own}{part.removeprefix('attention_')}_dense" for part in parts})
    return [f"vars/{number}" for number in range(len(weights))]


def _by_part(weights: tuple[Weight, ...], parts: Mapping[str, str]) -> list[str]:
    """Return the paths of weights whose names begin with a part of the layer, numbered per part."""
    counted = dict.fromkeys(parts, 0)
    places = []
    for weight in weights:
        part = weight.name.partition("/")[0]
        places.append(f"{parts[part]}/vars/{counted[part]}")
        counted[part] += 1
    return places


def saved_arrays(
    graphs: Mapping[str, Graph], of: Mapping[str, PlannedStep], file: WeightsFile, span: Span, problems: list[Diagnostic]
) -> dict[str, NDArray[Any]]:
    """Return the values of all weights from a file, by the spec's names.

    Args:
        graphs: The spec's networks.
        of: The step of each node, by the path of its weights.
        file: The weights file.
        span: The model's file.
        problems: Problems are appended here.
    """

    def read(node: Node, step: PlannedStep) -> list[NDArray[Any]]:
        keras = step.keras
        stored = file.named(str(keras.group))
        if stored is not None and stored != keras.name:
            raise ValueError(f"the weights at `{keras.group}` belong to `{stored}`, but in the config to `{keras.name}`")
        arrays = []
        places = weight_places(node.layer, node.weights)
        if step.inside is not None:
            places = [f"{step.inside.group}/vars/{number}" for number in range(len(node.weights))]
        for place, shape in zip(places, [weight.shape for weight in node.weights], strict=True):
            array = file.read(f"{keras.group}/{place}", shape)
            if array is None:
                raise ValueError(f"the weights of `{keras.name}` are missing at `{keras.group}/{place}`")
            arrays.append(array)
        return arrays

    return _arrays(graphs, of, read, span, problems)


def live_arrays(
    model: Any, graphs: Mapping[str, Graph], of: Mapping[str, PlannedStep], paths: Mapping[str, tuple[str, ...]], span: Span,
    problems: list[Diagnostic],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Return the values of all weights from a live model, by the spec's names.

    Args:
        model: The ``keras.Model``.
        graphs: The spec's networks.
        of: The step of each node, by the path of its weights.
        paths: The layer names that lead to each node in the model.
        span: The place of the model in diagnostics.
        problems: Problems are appended here.
    """

    def read(node: Node, step: PlannedStep) -> list[NDArray[Any]]:
        at = model
        for name in paths[node.weights_at]:
            at = without_wrapper(at.get_layer(name))
        for attribute in step.inside.attributes if step.inside is not None else ():
            at = at[attribute] if isinstance(attribute, int) else getattr(at, attribute)
        arrays: list[NDArray[Any]] = [variable.numpy() for variable in at.weights]
        theirs, ours = [array.shape for array in arrays], [weight.shape for weight in node.weights]
        if theirs != ours:
            raise ValueError(f"`{step.keras.name}` has weights of shapes {theirs}, expected {ours}")
        return arrays

    return _arrays(graphs, of, read, span, problems)


def _arrays(
    graphs: Mapping[str, Graph], of: Mapping[str, PlannedStep], read: Callable[[Node, PlannedStep], list[NDArray[Any]]],
    span: Span, problems: list[Diagnostic],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    import numpy as np

    found: dict[str, NDArray[Any]] = {}
    tried: set[str] = set()
    for graph in graphs.values():
        for node in graph.nodes.values():
            if not node.weights or node.weights_at in tried:
                continue
            tried.add(node.weights_at)
            try:
                step = of[node.weights_at]
                arrays = read(node, step) if step.value is None else [np.reshape(step.value, node.weights[0].shape)]
            except (ValueError, OSError, RuntimeError, KeyError) as error:
                problems.append(k.BadWeights.at(span, node.weights_at, reason=str(error)))
                continue
            for weight, array in zip(node.weights, arrays, strict=True):
                found[f"{node.weights_at}/{weight.name}"] = np.asarray(array.reshape(weight.shape), np.float32, order="C")
    return found
