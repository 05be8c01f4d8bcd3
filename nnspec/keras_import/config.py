"""From a config, what ``model.to_json()`` gives, to a [`KerasModel`][]: walked as plain data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from nnspec.keras_import.model import KerasCall, KerasLayer, KerasModel, Tensor, is_of_keras, tensors_in

__all__ = ["ConfigError", "OwnModelError", "read_config"]


class ConfigError(Exception):
    """The config is not as Keras writes it; the text says where."""


class OwnModelError(ConfigError):
    """The model is of a user's own class.

    Attributes:
        name: The model's name.
        kind: Its class.
        functional: Whether the config lists layers and how they are connected all the same.
    """

    def __init__(self, name: str, kind: str, *, functional: bool) -> None:
        super().__init__(f"`{name}` is a `{kind}`")
        self.name = name
        self.kind = kind
        self.functional = functional


def read_config(document: Any, stores: Callable[[str], bool] = lambda group: False) -> KerasModel:
    """The model that a config tells of.

    Args:
        document: The config.
        stores: Whether the weights file has arrays in a group: a layer that stands at several places is stored at one.

    Raises:
        OwnModelError: If it is of a user's own class.
        ConfigError: Where it is not as Keras writes it.
    """
    entry = _mapping(document, "the config")
    kind = entry.get("class_name")
    if "config" not in entry or not isinstance(kind, str):
        raise ConfigError("it has no `class_name` and `config`: it is no model of Keras 3")
    if not _is_model(entry):
        config = _mapping(entry["config"], "the config of the model")
        name, registered = config.get("name", entry.get("name", "model")), entry.get("registered_name")
        raise OwnModelError(str(name), registered if isinstance(registered, str) else kind, functional="layers" in config)
    return _model(entry, "", _Shared(stores))


class _Shared:
    """The layers that have been read, for those that stand at several places of a model.

    Args:
        stores: Whether the weights file has arrays in a group.
    """

    def __init__(self, stores: Callable[[str], bool]) -> None:
        self._stores = stores
        self._read: dict[tuple[str, str], list[tuple[Any, KerasLayer]]] = {}

    def same(self, entry: Mapping[str, Any], name: str, group: str) -> KerasLayer | None:
        """The layer that an entry repeats; None if it is one of its own.

        Keras marks what it writes again by ``shared_object_id``, the address of the object. An address can be used again by
        another object: what has arrays of its own is none that is repeated.
        """
        if type(entry.get("shared_object_id")) is not int or self._stores(group):
            return None
        plain = _without_marks(entry.get("config"))
        found = self._read.get((str(entry.get("class_name")), name), [])
        return next((layer for config, layer in found if config == plain and self._stores(str(layer.group))), None)

    def add(self, entry: Mapping[str, Any], layer: KerasLayer) -> None:
        """Keeps a layer that has been read."""
        self._read.setdefault((layer.kind, layer.name), []).append((_without_marks(entry.get("config")), layer))


def _without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_marks(item) for key, item in value.items() if key != "shared_object_id"}
    return [_without_marks(item) for item in value] if isinstance(value, list) else value


_SEQUENTIAL = "Sequential"
_FUNCTIONAL = ("Functional", "Model")


def _is_model(entry: Mapping[str, Any]) -> bool:
    """Whether it is a model of Keras's own classes: a subclass may compute something else than its layers."""
    config, kind = entry.get("config"), entry.get("class_name")
    if not isinstance(config, dict) or not is_of_keras(entry):
        return False
    needed = {"layers"} if kind == _SEQUENTIAL else {"layers", "input_layers", "output_layers"}
    return kind in (_SEQUENTIAL, *_FUNCTIONAL) and needed <= config.keys()


def _is_input(entry: Mapping[str, Any]) -> bool:
    return entry.get("class_name") == "InputLayer" and is_of_keras(entry)


def _model(entry: Mapping[str, Any], group: str, shared: _Shared) -> KerasModel:
    config = _mapping(entry["config"], "a model")
    name = str(config.get("name", "model"))
    entries = [_mapping(layer, f"a layer of `{name}`") for layer in _list(config["layers"], f"the layers of `{name}`")]
    read = _sequential if entry.get("class_name") == _SEQUENTIAL else _functional
    return read(name, config, entries, group, shared)


def _functional(
    name: str, config: Mapping[str, Any], entries: list[Mapping[str, Any]], group: str, shared: _Shared
) -> KerasModel:
    declared: dict[str, tuple[tuple[int | None, ...], str]] = {}
    layers: dict[str, KerasLayer] = {}
    for entry, place in zip(entries, _groups(entries, group), strict=True):
        own = str(entry.get("name") or _mapping(entry.get("config"), "a layer").get("name"))
        if own in layers or own in declared:
            raise ConfigError(f"`{name}` has two layers `{own}`")
        if _is_input(entry):
            declared[own] = _input(entry, own)
        else:
            calls = tuple(_call(node, own) for node in _list(entry.get("inbound_nodes", []), f"the calls of `{own}`"))
            layers[own] = _layer(entry, own, calls, place, shared)
    layers = _renumbered(layers)
    begins, counted = _ends(config["input_layers"], f"the inputs of `{name}`")
    inputs = [tensor.layer for tensor in begins.values()]
    for given in inputs:
        if given in layers and not layers[given].is_keras:
            raise ConfigError(f"`{name}` begins at `{given}`, an input layer of your own class: begin it at a `keras.Input`")
        if given not in declared:
            raise ConfigError(f"`{name}` begins at `{given}`, which is no `InputLayer`")
    ends, order = _ends(config["output_layers"], f"the outputs of `{name}`")
    outputs = {end: _of_model(tensor, layers) for end, tensor in ends.items()}
    if not outputs:
        raise ConfigError(f"`{name}` has no outputs")
    keys = tuple(map(str, config["input_layers"])) if isinstance(config["input_layers"], dict) else ()
    return KerasModel(name, {given: declared[given] for given in inputs}, layers, outputs, keys, tuple(begins[one].layer for one in counted), order)


def _sequential(
    name: str, config: Mapping[str, Any], entries: list[Mapping[str, Any]], group: str, shared: _Shared
) -> KerasModel:
    inputs: dict[str, tuple[tuple[int | None, ...], str]] = {}
    layers: dict[str, KerasLayer] = {}
    places = _groups([e for e in entries if not _is_input(e)], group)
    above: Tensor | None = None
    for entry in entries:
        own = str(entry.get("name") or _mapping(entry.get("config"), "a layer").get("name"))
        if _is_input(entry):
            inputs[own] = _input(entry, own)
            above = Tensor(own)
            continue
        if above is None:
            inputs["input"] = (_shape_before(config, entry, name), "float32")
            above = Tensor("input")
        if own in layers or own in inputs:
            raise ConfigError(f"`{name}` has two layers `{own}`")
        layers[own] = _layer(entry, own, (KerasCall([above], {}),), next(places), shared)
        above = Tensor(own)
    if above is None or not layers:
        raise ConfigError(f"`{name}` has no layers")
    return KerasModel(name, inputs, layers, {above.layer: above}, (), tuple(inputs), (above.layer,))


def _shape_before(config: Mapping[str, Any], first: Mapping[str, Any], name: str) -> tuple[int | None, ...]:
    """The input's shape of a sequential model without an input layer: what it was built with."""
    inner = _mapping(first.get("config"), "a layer")
    for shape in (config.get("build_input_shape"), inner.get("batch_shape"), inner.get("batch_input_shape")):
        if shape is not None:
            return _shape(shape, name)
    raise ConfigError(f"`{name}` does not say what comes in: put `keras.Input(shape)` before its first layer")


def _layer(
    entry: Mapping[str, Any], name: str, calls: tuple[KerasCall, ...], group: str | None, shared: _Shared
) -> KerasLayer:
    kind = entry.get("class_name")
    if not isinstance(kind, str):
        raise ConfigError(f"`{name}` has no `class_name`")
    before = shared.same(entry, name, group) if group else None
    if before is not None:
        return replace(before, name=name, calls=calls, same_as=before.name)
    registered = entry.get("registered_name")
    layer = KerasLayer(
        name,
        kind,
        str(entry.get("module") or "keras.layers"),
        registered if isinstance(registered, str) else None,
        _mapping(entry.get("config"), f"`{name}`"),
        calls,
        group,
        _model(entry, f"{group}/", shared) if _is_model(entry) and group else None,
        is_of_keras(entry),
    )
    if group:
        shared.add(entry, layer)
    return layer


def _groups(entries: list[Mapping[str, Any]], group: str) -> Iterator[str | None]:
    """Where each layer's weights stand: counted by class, operations left out, as ``keras.saving`` counts them."""
    counted: Counter[str] = Counter()
    for entry in entries:
        if str(entry.get("module", "")).startswith("keras.src.ops."):
            yield None
            continue
        base = _snake(_PRIVATE_NAMES.get(str(entry.get("class_name")), str(entry.get("class_name"))))
        number = counted[base]
        counted[base] += 1
        yield f"{group}layers/{base}_{number}" if number else f"{group}layers/{base}"


_PRIVATE_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Classes whose own names, by which weights are filed, are not those that Keras exports."""


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
        shape, place = config.get("shape"), history[1:]
        if len(history) != 3 or not all(type(number) is int and 0 <= number for number in place):
            raise ConfigError("a tensor does not say where it comes from")
        sizes = shape if isinstance(shape, list) else None
        if sizes is not None and not all(size is None or type(size) is int for size in sizes):
            raise ConfigError(f"{str(shape)[:60]} is no shape")
        return Tensor(str(history[0]), place[0], place[1], None if sizes is None else tuple(sizes))
    if kind == "__slice__" and isinstance(config, dict):
        bounds = [config.get(key) for key in ("start", "stop", "step")]
        return slice(*bounds) if all(bound is None or isinstance(bound, int) for bound in bounds) else value
    if kind in ("__numpy__", "__tensor__") and isinstance(config, dict):
        return config.get("value")
    return {key: _revived(item) for key, item in value.items()}


def _ends(value: Any, what: str) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """A model's inputs or outputs by name, as they are listed; and their names in the order in which Keras counts them.

    Keras sorts the keys of mappings to count. What stands under a key is called by it; other tensors by their layers.
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
        for number, item in enumerate(_list(value, what)):
            yield from _flat_ends(item, what, key, (*place, str(number)), sort=sort)


def _of_model(tensor: Tensor, layers: Mapping[str, KerasLayer]) -> Tensor:
    """Keras counts the calls of a functional model from 1 where it tells its outputs: call 0 is how it was defined."""
    layer = layers.get(tensor.layer)
    if layer is None or not _counts_from_one(layer):
        return tensor
    return Tensor(tensor.layer, max(0, tensor.call - 1), tensor.index, tensor.shape)


def _counts_from_one(layer: KerasLayer) -> bool:
    """Whether it is a functional model, or of a user's own class that extends one."""
    return layer.kind != _SEQUENTIAL and (layer.model is not None or "output_layers" in layer.config)


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
        if (layer.model is not None or "output_layers" in layer.config) and max(read.get(name, {0})) >= max(1, len(layer.calls)) and 0 not in read[name]
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
