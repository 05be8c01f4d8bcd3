"""From a config, what ``model.to_json()`` gives, to a [`KerasModel`][]: walked as plain data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nnspec.keras_import.model import KerasCall, KerasLayer, KerasModel, Tensor, tensors_in

__all__ = ["ConfigError", "read_config"]


class ConfigError(Exception):
    """The config is not as Keras writes it; the text says where."""


def read_config(document: Any) -> KerasModel:
    """The model that a config tells of.

    Raises:
        ConfigError: Where it is not as Keras writes it, or not of a functional or sequential model.
    """
    entry = _mapping(document, "the config")
    kind = entry.get("class_name")
    if "config" not in entry or not isinstance(kind, str):
        raise ConfigError("it has no `class_name` and `config`: it is no model of Keras 3")
    if not _is_model(entry):
        raise ConfigError(f"it is a `{kind}`, and only functional and sequential models tell what they compute")
    return _model(entry, "")


def _is_model(entry: Mapping[str, Any]) -> bool:
    config = entry.get("config")
    kind = entry.get("class_name")
    functional = isinstance(config, dict) and {"layers", "input_layers", "output_layers"} <= config.keys()
    return functional or (kind == "Sequential" and isinstance(config, dict) and "layers" in config)


def _model(entry: Mapping[str, Any], group: str) -> KerasModel:
    config = _mapping(entry["config"], "a model")
    name = str(config.get("name", "model"))
    entries = [_mapping(layer, f"a layer of `{name}`") for layer in _list(config["layers"], f"the layers of `{name}`")]
    read = _functional if "output_layers" in config else _sequential
    return read(name, config, entries, group)


def _functional(name: str, config: Mapping[str, Any], entries: list[Mapping[str, Any]], group: str) -> KerasModel:
    declared: dict[str, tuple[tuple[int | None, ...], str]] = {}
    layers: dict[str, KerasLayer] = {}
    for entry, place in zip(entries, _groups(entries, group), strict=True):
        own = str(entry.get("name") or _mapping(entry.get("config"), "a layer").get("name"))
        if own in layers or own in declared:
            raise ConfigError(f"`{name}` has two layers `{own}`")
        if entry.get("class_name") == "InputLayer":
            declared[own] = _input(entry, own)
        else:
            calls = tuple(_call(node, own) for node in _list(entry.get("inbound_nodes", []), f"the calls of `{own}`"))
            layers[own] = _layer(entry, own, calls, place)
    layers = _renumbered(layers)
    inputs = [tensor.layer for tensor in _ends(config["input_layers"], f"the inputs of `{name}`").values()]
    for given in inputs:
        if given not in declared:
            raise ConfigError(f"`{name}` begins at `{given}`, which is no `InputLayer`")
    ends = _ends(config["output_layers"], f"the outputs of `{name}`")
    outputs = {end: _of_model(tensor, layers) for end, tensor in ends.items()}
    if not outputs:
        raise ConfigError(f"`{name}` has no outputs")
    keys = config["input_layers"] if isinstance(config["input_layers"], dict) else ()
    return KerasModel(name, {given: declared[given] for given in inputs}, layers, outputs, tuple(keys))


def _sequential(name: str, config: Mapping[str, Any], entries: list[Mapping[str, Any]], group: str) -> KerasModel:
    inputs: dict[str, tuple[tuple[int | None, ...], str]] = {}
    layers: dict[str, KerasLayer] = {}
    places = _groups([e for e in entries if e.get("class_name") != "InputLayer"], group)
    above: Tensor | None = None
    for entry in entries:
        own = str(entry.get("name") or _mapping(entry.get("config"), "a layer").get("name"))
        if entry.get("class_name") == "InputLayer":
            inputs[own] = _input(entry, own)
            above = Tensor(own)
            continue
        if above is None:
            inputs["input"] = (_shape_before(config, entry, name), "float32")
            above = Tensor("input")
        if own in layers or own in inputs:
            raise ConfigError(f"`{name}` has two layers `{own}`")
        layers[own] = _layer(entry, own, (KerasCall([above], {}),), next(places))
        above = Tensor(own)
    if above is None or not layers:
        raise ConfigError(f"`{name}` has no layers")
    return KerasModel(name, inputs, layers, {above.layer: above})


def _shape_before(config: Mapping[str, Any], first: Mapping[str, Any], name: str) -> tuple[int | None, ...]:
    """The input's shape of a sequential model without an input layer: what it was built with."""
    inner = _mapping(first.get("config"), "a layer")
    for shape in (config.get("build_input_shape"), inner.get("batch_shape"), inner.get("batch_input_shape")):
        if shape is not None:
            return _shape(shape, name)
    raise ConfigError(f"`{name}` does not say what comes in: put `keras.Input(shape)` before its first layer")


def _layer(entry: Mapping[str, Any], name: str, calls: tuple[KerasCall, ...], group: str | None) -> KerasLayer:
    kind = entry.get("class_name")
    if not isinstance(kind, str):
        raise ConfigError(f"`{name}` has no `class_name`")
    registered = entry.get("registered_name")
    model = _model(entry, f"{group}/") if _is_model(entry) and group else None
    return KerasLayer(
        name,
        kind,
        str(entry.get("module") or "keras.layers"),
        registered if isinstance(registered, str) else None,
        _mapping(entry.get("config"), f"`{name}`"),
        calls,
        group,
        model,
    )


def _groups(entries: list[Mapping[str, Any]], group: str) -> Iterator[str | None]:
    """Where each layer's weights stand: counted by class, operations left out, as ``keras.saving`` counts them."""
    counted: Counter[str] = Counter()
    for entry in entries:
        if str(entry.get("module", "")).startswith("keras.src.ops."):
            yield None
            continue
        base = _snake(str(entry.get("class_name")))
        number = counted[base]
        counted[base] += 1
        yield f"{group}layers/{base}_{number}" if number else f"{group}layers/{base}"


def _snake(kind: str) -> str:
    name = re.sub(r"\W+", "", kind)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _input(entry: Mapping[str, Any], name: str) -> tuple[tuple[int | None, ...], str]:
    config = _mapping(entry.get("config"), f"the input `{name}`")
    for flag in ("sparse", "ragged", "optional"):
        if config.get(flag):
            raise ConfigError(f"the input `{name}` is {flag}; inputs of a spec are dense and always there")
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    dtype = config.get("dtype") or "float32"
    if isinstance(dtype, dict):
        dtype = _mapping(dtype.get("config"), f"the type of `{name}`").get("name", "float32")
    return _shape(shape, name), str(dtype)


def _shape(shape: Any, name: str) -> tuple[int | None, ...]:
    sizes = _list(shape, f"the shape of `{name}`")
    if not all(size is None or (isinstance(size, int) and not isinstance(size, bool)) for size in sizes) or not sizes:
        raise ConfigError(f"{shape} is no shape, at `{name}`")
    return tuple(sizes)


# --- calls ------------------------------------------------------------------------------------------------------------


def _call(node: Any, name: str) -> KerasCall:
    if isinstance(node, list):  # as Keras 2 wrote it: [[layer, call, output, {keyword arguments}], …]
        tensors = [Tensor(str(t[0]), int(t[1]), int(t[2])) for t in node if isinstance(t, list) and len(t) >= 3]
        if len(tensors) != len(node) or not tensors:
            raise ConfigError(f"a call of `{name}` cannot be read")
        kwargs = node[0][3] if len(node[0]) > 3 else {}
        return KerasCall([tensors if len(tensors) > 1 else tensors[0]], dict(_mapping(kwargs, f"a call of `{name}`")))
    entry = _mapping(node, f"a call of `{name}`")
    args = _list(_revived(entry.get("args", [])), f"the arguments of `{name}`")
    return KerasCall(args, dict(_mapping(_revived(entry.get("kwargs", {})), f"the arguments of `{name}`")))


def _revived(value: Any) -> Any:
    """The same with what stands for a tensor, a slice or an array in its own form; anything else stays plain data."""
    if isinstance(value, list):
        return [_revived(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), value.get("config")
    if kind == "__keras_tensor__" and isinstance(config, dict):
        history = _list(config.get("keras_history"), "a tensor")
        shape = config.get("shape")
        known = tuple(shape) if isinstance(shape, list) else None
        return Tensor(str(history[0]), int(history[1]), int(history[2]), known)
    if kind == "__slice__" and isinstance(config, dict):
        bounds = [config.get(key) for key in ("start", "stop", "step")]
        return slice(*bounds) if all(bound is None or isinstance(bound, int) for bound in bounds) else value
    if kind in ("__numpy__", "__tensor__") and isinstance(config, dict):
        return config.get("value")
    return {key: _revived(item) for key, item in value.items()}


def _ends(value: Any, what: str) -> dict[str, Tensor]:
    """A model's inputs or outputs: one, a list, or a mapping; by the layers' names where they have none of their own."""
    if isinstance(value, dict):
        return {str(key): _end(item, what) for key, item in value.items()}
    items = _list(value, what)
    if len(items) == 3 and isinstance(items[0], str):
        items = [items]
    named: dict[str, Tensor] = {}
    for item in items:
        tensor = _end(item, what)
        base, number = tensor.layer, 1
        name = base
        while name in named:
            number += 1
            name = f"{base}_{number}"
        named[name] = tensor
    return named


def _end(item: Any, what: str) -> Tensor:
    if isinstance(item, list) and len(item) == 1:
        item = item[0]
    if not (isinstance(item, list) and len(item) == 3 and isinstance(item[0], str)):
        raise ConfigError(f"{what} cannot be read")
    return Tensor(item[0], int(item[1]), int(item[2]))


def _of_model(tensor: Tensor, layers: Mapping[str, KerasLayer]) -> Tensor:
    """Keras counts the calls of a functional model from 1 where it tells its outputs: call 0 is how it was defined."""
    layer = layers.get(tensor.layer)
    if layer is None or layer.model is None or layer.kind == "Sequential":
        return tensor
    return Tensor(tensor.layer, max(0, tensor.call - 1), tensor.index, tensor.shape)


def _renumbered(layers: dict[str, KerasLayer]) -> dict[str, KerasLayer]:
    """Calls of models counted from 0; some versions of Keras count them from 1 throughout."""
    read: dict[str, set[int]] = {}
    for layer in layers.values():
        for call in layer.calls:
            for tensor in tensors_in([call.args, call.kwargs]):
                read.setdefault(tensor.layer, set()).add(tensor.call)
    late = {
        name
        for name, layer in layers.items()
        if layer.model is not None and max(read.get(name, {0})) >= max(1, len(layer.calls)) and 0 not in read[name]
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


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{what} is no mapping")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{what} is no list")
    return value
