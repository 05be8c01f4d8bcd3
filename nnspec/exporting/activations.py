"""Comparison of a network's activations with those that another framework recorded for the same input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnspec.data.kinds import DataError
from nnspec.data.readers.npz import Npz
from nnspec.diagnostics import NnspecError
from nnspec.graph import Graph, Ref, compile
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.spec import Spec, load
from nnspec.training.run.initial_weights import starting
from nnspec.transfer.modules import UnreadableWeights
from nnspec.transfer.state_dict import StateDict
from nnspec.types import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-4
"""The largest difference of equal activations, relative to the largest of the recorded values."""

_LISTED = 6


@dataclass(frozen=True)
class Activation:
    """A tensor that was recorded.

    Attributes:
        name: Its name here.
        recorded: Its name in the file.
        difference: The largest difference, relative to the largest of the recorded values; None if it was not computed.
        reason: Why not.
        is_compared: Whether it is the same tensor in both frameworks.
    """

    name: str
    recorded: str
    difference: float | None
    reason: str = ""
    is_compared: bool = True

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "recorded": self.recorded, "difference": self.difference, "reason": self.reason}


@dataclass(frozen=True)
class Verified:
    """The comparison of all recorded tensors.

    Attributes:
        activations: Those of layers, in order of execution.
        unknown: The names in the file that no layer has.
        tolerance: The largest difference of equal ones.
    """

    activations: Sequence[Activation]
    unknown: Sequence[str]
    tolerance: float

    @property
    def first(self) -> Activation | None:
        """The first tensor that differs; None if all are equal."""
        return next((each for each in self.activations if each.is_compared and not self.is_equal(each)), None)

    def is_equal(self, each: Activation) -> bool:
        """Return whether a tensor equals the recorded one."""
        return each.difference is not None and each.difference <= self.tolerance

    def as_json(self) -> dict[str, Any]:
        return {
            "equal": self.first is None,
            "tolerance": self.tolerance,
            "activations": [each.as_json() for each in self.activations],
            "unknown": [*self.unknown],
        }


def verify_activations(spec: Spec | str | Path, file: str | Path, *, tolerance: float = TOLERANCE) -> Verified:
    """Compare the activations of a network, with its initial weights, with recorded ones.

    The file has the inputs under their names, and any outputs and layers: under their names here, or under those of the
    modules that their weights start from. Activations of PyTorch have the channels first.

    Args:
        spec: The spec, or its file.
        file: A .npz or .safetensors file; the first axis of each array is the batch.
        tolerance: The largest difference of equal tensors, relative to the largest of the recorded values.

    Raises:
        SpecError: If the spec or its files of weights have errors.
        NnspecError: If the file is damaged, lacks an input or has no tensor of the network.
    """
    if not isinstance(spec, Spec):
        spec = load(spec)
    graph = compile(spec).main
    found = starting(spec, graph)
    arrays = _arrays(Path(file))
    theirs = {there: ours for taken in found.taken for ours, there in taken.layers.items()}
    channels_first = any(taken.layers and taken.file.endswith(".safetensors") for taken in found.taken)
    missing = [name for name in graph.inputs if name not in arrays]
    if missing:
        raise NnspecError(f"{file} has no input {listed(missing)}\n  = help: it has {listed(list(arrays)[:_LISTED])}")
    inputs = {
        name: _in_our_layout(arrays[name], _sizes(type_.shape), channels_first).astype(type_.dtype)
        for name, type_ in graph.inputs.items()
    }
    refs = {name: _ref(name, graph, theirs) for name in arrays if name not in graph.inputs}
    wanted = {name: ref for name, ref in refs.items() if ref is not None}
    if not wanted:
        reason = f"{file} has no outputs or layers of the network; it has {listed(list(refs)[:_LISTED]) or 'only inputs'}"
        raise NnspecError(f"{reason}\n  = help: name the arrays after layers, or after modules of the file of weights")
    computed = _computed(graph, found.weights, list(wanted.values()), inputs)
    order = {name: number for number, name in enumerate(graph.nodes)}
    activations = [
        _compared(name, ref, graph, arrays[name], computed[ref], channels_first, is_module=name in theirs)
        for name, ref in sorted(wanted.items(), key=lambda item: order.get(item[1].source, -1))
    ]
    return Verified(activations, [name for name, ref in refs.items() if ref is None], tolerance)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise NnspecError(f"there is no file {path}")
    try:
        if path.suffix == ".safetensors":
            recorded = StateDict(path)
            places = [place for module in recorded.modules for place in module.places.values()]
            return {place: recorded.read(place) for place in places}
        table = Npz.model_validate({"file": str(path)}).open({"file": path})
        return {name: np.asarray(table.read(name, np.arange(len(table)))) for name in table.columns}
    except (UnreadableWeights, DataError) as error:
        raise NnspecError(f"{path}: {error}\n  = help: save the arrays with `numpy.savez` or as .safetensors") from None


def _ref(name: str, graph: Graph, theirs: Mapping[str, str]) -> Ref | None:
    """Return the tensor that a name in the file is about."""
    if name in graph.outputs:
        return graph.outputs[name]
    for node in graph.nodes.values():
        if name == node.name or theirs.get(name) == node.weights_at:
            return Ref(node.name, next(iter(node.outputs)))
    return None


def _computed(
    graph: Graph, weights: Mapping[str, NDArray[Any]], refs: Sequence[Ref], inputs: Mapping[str, NDArray[Any]]
) -> dict[Ref, NDArray[Any]]:
    """Return the values of tensors."""
    part = graph.giving({f"tensor_{number}": ref for number, ref in enumerate(refs)})
    model = to_keras(part, seed=0)
    set_weight_arrays(model, part, {**weight_arrays(model, part), **part.own(weights)})
    outputs = model(dict(inputs), training=False)
    return {ref: np.asarray(outputs[f"tensor_{number}"]) for number, ref in enumerate(refs)}


def _compared(
    name: str, ref: Ref, graph: Graph, recorded: NDArray[Any], ours: NDArray[Any], channels_first: bool, *, is_module: bool
) -> Activation:
    activation = getattr(graph.nodes[ref.source].layer, "activation", None) if ref.source in graph.nodes else None
    if is_module and activation not in (None, "linear"):
        reason = f"`{ref.source}` includes `{activation}`; the array must have the name of the layer, after `{activation}`"
        return Activation(str(ref), name, None, reason, is_compared=False)
    given = _in_our_layout(recorded, ours.shape[1:], channels_first)
    if given.shape != ours.shape:
        return Activation(str(ref), name, None, f"the shape is {recorded.shape}, here {ours.shape}")
    largest = float(np.max(np.abs(given), initial=0))
    difference = float(np.max(np.abs(given - ours), initial=0))
    return Activation(str(ref), name, difference / largest if largest else difference)


def _sizes(shape: Sequence[Any]) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in shape)


def _in_our_layout(array: NDArray[Any], shape: Sequence[int | None], channels_first: bool) -> NDArray[Any]:
    """Return an array with its channels last, if it has the shape of this network then."""
    layouts = [array, np.moveaxis(array, 1, -1)] if array.ndim > 2 else [array]
    if channels_first and array.ndim > 3:
        layouts.reverse()
    for each in layouts:
        if each.ndim == len(shape) + 1 and all(
            size in (None, found) for size, found in zip(shape, each.shape[1:], strict=True)
        ):
            return np.ascontiguousarray(each)
    return array
