"""A model's weights by the spec's names, from the file's HDF5 or from a live model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph.model import Graph, Node
from nnspec.keras_import import problems as k
from nnspec.keras_import.planned import PlannedStep
from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.group_query_attention import GroupQueryAttention
from nnspec.layers.heads import HeadAttention
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.spectral_normalization import SpectralNormalization
from nnspec.layers.time_distributed import TimeDistributed
from nnspec.types import Weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WeightsFile", "live_arrays", "open_weights", "saved_arrays"]

_NUMBERS = ("f", "i", "u", "b")
_EXPANSION = 1000
"""HDF5 compresses; what grows more than this, past a floor, stores a shape and no values."""

_FLOOR = 2**24

_MOST_GROUPS = 100_000
"""Hard links can lead in a circle."""


_DAMAGED = (OSError, RuntimeError, ValueError, KeyError, TypeError)
"""What h5py raises for a file that is damaged."""


class WeightsFile:
    """The arrays of an HDF5 file that are stored in it as numbers. Links that lead elsewhere are not followed."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def named(self, group: str) -> str | None:
        """The name of the layer that a group says it is of; None where it does not say."""
        found = self._at(f"{group}/vars")
        name = None if found is None else found.attrs.get("name")
        return name if isinstance(name, str) else None

    def count(self, group: str) -> int:
        """How many arrays a group has."""
        found = self._at(f"{group}/vars")
        return 0 if found is None else len(found)

    def stores(self, group: str) -> bool:
        """Whether a group, or one in it, has arrays."""
        try:
            return self._has_arrays(self._at(group))
        except _DAMAGED:
            return False  # which is found out when they are read

    def _has_arrays(self, group: Any) -> bool:
        import h5py

        waiting = [group]
        for _ in range(_MOST_GROUPS):
            if not waiting:
                return False
            at = waiting.pop()
            if isinstance(at, h5py.Dataset):
                return True
            if isinstance(at, h5py.Group):
                hard = [name for name in at if at.get(name, getlink=True, getclass=True) is h5py.HardLink]
                waiting += [at[name] for name in hard]
        return False

    def read(self, place: str, shape: tuple[int, ...] | None = None) -> NDArray[Any] | None:
        """One array; None where there is none.

        Args:
            place: Where it is, ``layers/dense/vars/0``.
            shape: The shape it must have; any small one by default.

        Raises:
            ValueError: Where it is no array of numbers in this file, or has another shape.
        """
        found = self._at(place)
        if found is None:
            return None
        if not hasattr(found, "shape") or found.dtype.kind not in _NUMBERS:
            raise ValueError(f"`{place}` is no array of numbers")
        if found.external or found.is_virtual:
            raise ValueError(f"`{place}` is stored in another file")
        if shape is not None and tuple(found.shape) != shape:
            raise ValueError(f"`{place}` is {tuple(found.shape)} in the file, and {shape} by the config")
        size = math.prod(found.shape) * found.dtype.itemsize
        if size > max(_FLOOR, _EXPANSION * found.id.get_storage_size()):
            raise ValueError(f"`{place}` says it has {size:,} bytes, and stores {found.id.get_storage_size():,}")
        try:
            array: NDArray[Any] = found[()]
        except _DAMAGED as error:
            raise ValueError(f"`{place}` cannot be read: {(str(error).splitlines() or ['it is damaged'])[0]}") from None
        return array

    def _at(self, place: str) -> Any:
        try:
            return self._found(place)
        except _DAMAGED as error:
            raise ValueError(f"`{place}`: {(str(error).splitlines() or ['it is damaged'])[0]}") from None

    def _found(self, place: str) -> Any:
        import h5py

        at: Any = self._file
        for part in place.split("/"):
            if not isinstance(at, h5py.Group) or part not in at:
                return None
            if at.get(part, getlink=True, getclass=True) is not h5py.HardLink:
                raise ValueError("it is a link that leads elsewhere")
            at = at[part]
        return at


@contextmanager
def open_weights(file: IO[bytes] | None, span: Span, problems: list[Diagnostic]) -> Iterator[WeightsFile | None]:
    """An HDF5 file opened for reading; None, with a diagnostic, where it is none."""
    if file is None:
        yield None
        return
    import h5py

    try:
        opened = h5py.File(file, "r")
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"the weights are no HDF5 file: {(str(error).splitlines() or ['damaged'])[0]}"
        problems.append(k.BadWeights.at(span, help="save the model again", reason=reason))
        yield None
        return
    with opened:
        yield WeightsFile(opened)


# --- where a layer keeps what --------------------------------------------------------------------------------------------


def _places(layer: Layer, weights: tuple[Weight, ...]) -> list[str]:
    """Where Keras's file has each weight of a layer, within the layer's group."""
    if isinstance(layer, Recurrent):
        return [f"cell/vars/{number}" for number in range(len(weights))]
    if isinstance(layer, TimeDistributed):
        return [f"layer/{place}" for place in _places(layer.inner, weights)]
    if isinstance(layer, SpectralNormalization):
        kernel, _, *others = weights
        first, *rest = (f"layer/{place}" for place in _places(layer.inner, (kernel, *others)))
        return [first, "vars/1", *rest]
    if isinstance(layer, Bidirectional):
        return _by_part(weights, {"forward": "forward_layer/cell", "backward": "backward_layer/cell"})
    if isinstance(layer, HeadAttention):
        own = "_" if isinstance(layer, GroupQueryAttention) else ""
        parts = {weight.name.partition("/")[0] for weight in weights}
        return _by_part(weights, {part: f"{own}{part.removeprefix('attention_')}_dense" for part in parts})
    return [f"vars/{number}" for number in range(len(weights))]


def _by_part(weights: tuple[Weight, ...], parts: Mapping[str, str]) -> list[str]:
    """Weights whose names begin with the part of the layer that has them, counted within each."""
    counted = dict.fromkeys(parts, 0)
    places = []
    for weight in weights:
        part = weight.name.partition("/")[0]
        places.append(f"{parts[part]}/vars/{counted[part]}")
        counted[part] += 1
    return places


def _stored(node: Node, step: PlannedStep) -> list[tuple[int, ...]]:
    """The shapes as Keras has them: LayerScale's factors are a vector, and a depthwise kernel here."""
    if step.keras.kind == "LayerScale":
        return [(math.prod(weight.shape),) for weight in node.weights]
    return [weight.shape for weight in node.weights]


def saved_arrays(
    graphs: Mapping[str, Graph], of: Mapping[str, PlannedStep], file: WeightsFile, span: Span, problems: list[Diagnostic]
) -> dict[str, NDArray[Any]]:
    """Every weight's values, by the spec's names.

    Args:
        graphs: The spec's networks.
        of: The step that each node comes from, by where its weights stand.
        file: The weights file.
        span: The model's file.
        problems: What is wrong is appended here.
    """

    def read(node: Node, step: PlannedStep) -> list[NDArray[Any]]:
        keras = step.keras
        told = file.named(str(keras.group))
        if told is not None and told != keras.name:
            raise ValueError(f"the weights at `{keras.group}` are those of `{told}`, and by the config those of `{keras.name}`")
        arrays = []
        places = _places(node.layer, node.weights)
        if step.inside is not None:
            places = [f"{step.inside.group}/vars/{number}" for number in range(len(node.weights))]
        for place, shape in zip(places, _stored(node, step), strict=True):
            array = file.read(f"{keras.group}/{place}", shape)
            if array is None:
                raise ValueError(f"there are no weights of `{keras.name}` at `{keras.group}/{place}`")
            arrays.append(array)
        return arrays

    return _arrays(graphs, of, read, span, problems)


def live_arrays(
    model: Any, graphs: Mapping[str, Graph], of: Mapping[str, PlannedStep], paths: Mapping[str, tuple[str, ...]], span: Span,
    problems: list[Diagnostic],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Every weight's values in a live model, by the spec's names.

    Args:
        model: The ``keras.Model``.
        graphs: The spec's networks.
        of: The step that each node comes from, by where its weights stand.
        paths: The names that lead to it in the model.
        span: What stands for the model in diagnostics.
        problems: What is wrong is appended here.
    """

    def read(node: Node, step: PlannedStep) -> list[NDArray[Any]]:
        at = model
        for name in paths[node.weights_at]:
            at = at.get_layer(name)
        for attribute in step.inside.attributes if step.inside is not None else ():
            at = at[attribute] if isinstance(attribute, int) else getattr(at, attribute)
        arrays: list[NDArray[Any]] = [variable.numpy() for variable in at.weights]
        if [array.shape for array in arrays] != _stored(node, step):
            name, theirs = step.keras.name, [array.shape for array in arrays]
            raise ValueError(f"`{name}` has weights of {theirs}, not {_stored(node, step)}")
        return arrays

    return _arrays(graphs, of, read, span, problems)


def _arrays(
    graphs: Mapping[str, Graph], of: Mapping[str, PlannedStep], read: Callable[[Node, PlannedStep], list[NDArray[Any]]],
    span: Span, problems: list[Diagnostic],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    import numpy as np

    found: dict[str, NDArray[Any]] = {}
    for graph in graphs.values():
        for node in graph.nodes.values():
            if not node.weights or f"{node.weights_at}/{node.weights[0].name}" in found:
                continue
            try:
                arrays = read(node, of[node.weights_at])
            except (ValueError, OSError, RuntimeError, KeyError) as error:
                problems.append(k.BadWeights.at(span, node.weights_at, reason=str(error)))
                continue
            for weight, array in zip(node.weights, arrays, strict=True):
                found[f"{node.weights_at}/{weight.name}"] = np.asarray(array.reshape(weight.shape), np.float32, order="C")
    return found
