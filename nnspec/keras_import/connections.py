"""Connections of a model's layers: their calls, and the model's inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nnspec.keras_import.config_values import ConfigError, list_in, mapping_in
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, tensors_in

__all__ = ["call_of", "ends", "output_of", "renumbered"]


def call_of(node: Any, name: str) -> KerasCall:
    if isinstance(node, list):  # as Keras 2 wrote it: [[layer, call, output, {keyword arguments}], …]
        tensors = [Tensor(str(t[0]), int(t[1]), int(t[2])) for t in node if isinstance(t, list) and len(t) >= 3]
        if len(tensors) != len(node) or not tensors:
            raise ConfigError(f"a call of `{name}` cannot be read")
        kwargs = node[0][3] if len(node[0]) > 3 else {}
        return KerasCall([tensors if len(tensors) > 1 else tensors[0]], dict(mapping_in(kwargs, f"a call of `{name}`")))
    entry = mapping_in(node, f"a call of `{name}`")
    args = list_in(_revived(entry.get("args", [])), f"the arguments of `{name}`")
    return KerasCall(args, dict(mapping_in(_revived(entry.get("kwargs", {})), f"the arguments of `{name}`")))


def _revived(value: Any) -> Any:
    """Deserialize tensors, slices and arrays; other values stay plain data."""
    if isinstance(value, list):
        return [_revived(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), value.get("config")
    if kind == "__keras_tensor__" and isinstance(config, dict):
        history = list_in(config.get("keras_history"), "a tensor")
        shape, place = config.get("shape"), history[1:]
        if len(history) != 3 or not all(type(number) is int and number >= 0 for number in place):
            raise ConfigError("a tensor has an invalid `keras_history`")
        sizes = shape if isinstance(shape, list) else None
        if sizes is not None and not all(size is None or type(size) is int for size in sizes):
            raise ConfigError(f"{str(shape)[:60]} is not a valid shape")
        return Tensor(str(history[0]), place[0], place[1], None if sizes is None else tuple(sizes))
    if kind == "__slice__" and isinstance(config, dict):
        start, stop, step = (config.get(key) for key in ("start", "stop", "step"))
        known = _is_bound(start) and _is_bound(stop) and (step is None or isinstance(step, int))
        return slice(start, stop, step) if known else value
    if kind in ("__numpy__", "__tensor__") and isinstance(config, dict):
        return config.get("value")
    return {key: _revived(item) for key, item in value.items()}


def _is_bound(value: Any) -> bool:
    """Whether a value bounds a slice: an integer, or a size of an input."""
    return value is None or isinstance(value, int) or (isinstance(value, dict) and "__size__" in value)


def ends(value: Any, what: str) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return a model's inputs or outputs by name, in listed order, and their names in Keras's numbering.

    For its numbering, Keras sorts the keys of mappings. Tensors are named by their key, or else by their layer.
    """
    named: dict[tuple[str, ...], tuple[str, Tensor]] = {}
    taken: set[str] = set()
    for place, key, tensor in _flat_ends(value, what, sort=True):
        base = key or tensor.layer
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        named[place] = name, tensor
    listed = dict(named[place] for place, _, _ in _flat_ends(value, what, sort=False))
    return listed, tuple(name for name, _ in named.values())


def _flat_ends(
    value: Any, what: str, key: str = "", place: tuple[str, ...] = (), *, sort: bool
) -> Iterator[tuple[tuple[str, ...], str, Tensor]]:
    if isinstance(value, dict):
        for name in sorted(value) if sort else value:
            yield from _flat_ends(value[name], what, str(name), (*place, f"key {name}"), sort=sort)
    elif isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        if not all(type(number) is int and number >= 0 for number in value[1:]):
            raise ConfigError(f"{what} cannot be read")
        yield place, key, Tensor(value[0], value[1], value[2])
    else:
        for number, item in enumerate(list_in(value, what)):
            yield from _flat_ends(item, what, key, (*place, str(number)), sort=sort)


def output_of(tensor: Tensor, layers: Mapping[str, KerasLayer]) -> Tensor:
    """Return an output with calls counted from 0. In outputs, Keras counts the calls of functional models from 1."""
    layer = layers.get(tensor.layer)
    if layer is None or not _counts_from_one(layer):
        return tensor
    return Tensor(tensor.layer, max(0, tensor.call - 1), tensor.index, tensor.shape)


def _counts_from_one(layer: KerasLayer) -> bool:
    """Whether it is a functional model or a subclass of one."""
    return layer.kind != "Sequential" and layer.is_model


def renumbered(layers: dict[str, KerasLayer]) -> dict[str, KerasLayer]:
    """Count the calls of models from 0; some Keras versions count them from 1 everywhere."""
    read: dict[str, set[int]] = {}
    for layer in layers.values():
        for call in layer.calls:
            for tensor in tensors_in([call.args, call.kwargs]):
                read.setdefault(tensor.layer, set()).add(tensor.call)
    late = {
        name
        for name, layer in layers.items()
        if layer.is_model and max(read.get(name, {0})) >= max(1, len(layer.calls)) and 0 not in read[name]
    }
    if not late:
        return layers

    def earlier(value: Any) -> Any:
        if isinstance(value, Tensor):
            return Tensor(value.layer, value.call - 1, value.index, value.shape) if value.layer in late else value
        if isinstance(value, list):
            return [earlier(item) for item in value]
        return {key: earlier(item) for key, item in value.items()} if isinstance(value, dict) else value

    moved = {}
    for name, layer in layers.items():
        calls = tuple(KerasCall(earlier(call.args), earlier(call.kwargs)) for call in layer.calls)
        moved[name] = replace(layer, calls=calls)
    return moved
