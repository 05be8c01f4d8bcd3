"""Parsing of a config, as returned by ``model.to_json()``, to a [`KerasModel`][]."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from nnspec.keras_import.config_values import ConfigError, OwnModelError, list_in, mapping_in
from nnspec.keras_import.connections import call_of, ends, output_of, renumbered
from nnspec.keras_import.model import KerasCall, KerasLayer, KerasModel, Tensor, is_of_keras
from nnspec.keras_import.parts import VARIABLE_PREFIX

__all__ = ["SharedLayers", "read_config"]


class SharedLayers:
    """The layers read so far, to find repeated ones.

    Args:
        stores: Whether the weights file has arrays in a group.
    """

    def __init__(self, stores: Callable[[str], bool]) -> None:
        self._stores = stores
        self._read: dict[tuple[str, str], list[tuple[Any, KerasLayer]]] = {}

    def same(self, entry: Mapping[str, Any], name: str, group: str) -> KerasLayer | None:
        """Return the layer that an entry repeats; None if it is a new layer.

        Keras marks repeated objects by ``shared_object_id``, the address of the object. Another object can reuse an address,
        so an entry with its own arrays is a new layer.
        """
        if type(entry.get("shared_object_id")) is not int or self._stores(group):
            return None
        plain = _without_marks(entry.get("config"))
        found = self._read.get((str(entry.get("class_name")), name), [])
        return next((layer for config, layer in found if config == plain and self._stores(str(layer.group))), None)

    def add(self, entry: Mapping[str, Any], layer: KerasLayer) -> None:
        """Add a layer."""
        self._read.setdefault((layer.kind, layer.name), []).append((_without_marks(entry.get("config")), layer))


def _without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_marks(item) for key, item in value.items() if key != "shared_object_id"}
    return [_without_marks(item) for item in value] if isinstance(value, list) else value


def read_config(document: Any, stores: Callable[[str], bool] = lambda group: False) -> KerasModel:
    """Parse a config.

    Args:
        document: The config.
        stores: Whether the weights file has arrays in a group; a layer used in several places is stored in one.

    Raises:
        OwnModelError: If the model is of a custom class.
        ConfigError: If the config is invalid.
    """
    entry = mapping_in(document, "the config")
    kind = entry.get("class_name")
    if "config" not in entry or not isinstance(kind, str):
        raise ConfigError("it has no `class_name` and `config`: it is not a Keras 3 model")
    if not _is_model(entry):
        config = mapping_in(entry["config"], "the config of the model")
        name, registered = config.get("name", entry.get("name", "model")), entry.get("registered_name")
        raise OwnModelError(str(name), registered if isinstance(registered, str) else kind, functional="layers" in config)
    return _model(entry, "", SharedLayers(stores))


_SEQUENTIAL = "Sequential"
_FUNCTIONAL = ("Functional", "Model")


def _is_model(entry: Mapping[str, Any]) -> bool:
    """Whether it is a model of a built-in class: a subclass may compute something else than its layers."""
    config, kind = entry.get("config"), entry.get("class_name")
    if not isinstance(config, dict) or not is_of_keras(entry):
        return False
    needed = {"layers"} if kind == _SEQUENTIAL else {"layers", "input_layers", "output_layers"}
    return kind in (_SEQUENTIAL, *_FUNCTIONAL) and needed <= config.keys()


def _at_every_step(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the model that a ``TimeDistributed`` applies; None if it applies another layer, or is another layer."""
    config = entry.get("config")
    inner = config.get("layer") if isinstance(config, dict) else None
    is_wrapper = (entry.get("class_name") == "TimeDistributed" and is_of_keras(entry)) or (
        entry.get("registered_name") == "nnspec>EveryStep"
    )
    return inner if is_wrapper and isinstance(inner, dict) and _is_model(inner) else None


def _is_input(entry: Mapping[str, Any]) -> bool:
    return entry.get("class_name") == "InputLayer" and is_of_keras(entry)


def _model(entry: Mapping[str, Any], group: str, shared: SharedLayers) -> KerasModel:
    config = mapping_in(entry["config"], "a model")
    name = str(config.get("name", "model"))
    entries = [mapping_in(layer, f"a layer of `{name}`") for layer in list_in(config["layers"], f"the layers of `{name}`")]
    read = _sequential if entry.get("class_name") == _SEQUENTIAL else _functional
    return read(name, config, entries, group, shared)


def _functional(
    name: str, config: Mapping[str, Any], entries: list[Mapping[str, Any]], group: str, shared: SharedLayers
) -> KerasModel:
    declared: dict[str, tuple[tuple[int | None, ...], str]] = {}
    layers: dict[str, KerasLayer] = {}
    for entry, place in zip(entries, _groups(entries, group), strict=True):
        own = str(entry.get("name") or mapping_in(entry.get("config"), "a layer").get("name"))
        if own in layers or own in declared:
            raise ConfigError(f"`{name}` has two layers `{own}`")
        if _is_input(entry):
            declared[own] = _input(mapping_in(entry.get("config"), f"the input `{own}`"), own)
        else:
            calls = tuple(call_of(node, own) for node in list_in(entry.get("inbound_nodes", []), f"the calls of `{own}`"))
            layers[own] = _layer(entry, own, calls, place, shared)
    layers = renumbered(layers)
    begins, counted = ends(config["input_layers"], f"the inputs of `{name}`")
    inputs = [tensor.layer for tensor in begins.values()]
    for given in inputs:
        if given in layers and not layers[given].is_keras:  # reported with the other layers without an equivalent
            declared[given] = _input(layers[given].config, given)
        if given not in declared:
            raise ConfigError(f"`{name}` has the input `{given}`, which is not an `InputLayer`")
    outer, order = ends(config["output_layers"], f"the outputs of `{name}`")
    outputs = {end: output_of(tensor, layers) for end, tensor in outer.items()}
    if not outputs:
        raise ConfigError(f"`{name}` has no outputs")
    keys = tuple(map(str, config["input_layers"])) if isinstance(config["input_layers"], dict) else ()
    return KerasModel(
        name,
        {given: declared[given] for given in inputs},
        layers,
        outputs,
        keys,
        tuple(begins[one].layer for one in counted),
        order,
    )


def _sequential(
    name: str, config: Mapping[str, Any], entries: list[Mapping[str, Any]], group: str, shared: SharedLayers
) -> KerasModel:
    inputs: dict[str, tuple[tuple[int | None, ...], str]] = {}
    layers: dict[str, KerasLayer] = {}
    places = _groups([e for e in entries if not _is_input(e)], group)
    above: Tensor | None = None
    for entry in entries:
        own = str(entry.get("name") or mapping_in(entry.get("config"), "a layer").get("name"))
        if _is_input(entry):
            inputs[own] = _input(mapping_in(entry.get("config"), f"the input `{own}`"), own)
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
    """Return the input shape of a sequential model without an input layer, from its build shape."""
    inner = mapping_in(first.get("config"), "a layer")
    for shape in (config.get("build_input_shape"), inner.get("batch_shape"), inner.get("batch_input_shape")):
        if shape is not None:
            return _shape(shape, name)
    raise ConfigError(f"`{name}` has no input shape: add `keras.Input(shape)` before its first layer")


def _layer(
    entry: Mapping[str, Any], name: str, calls: tuple[KerasCall, ...], group: str | None, shared: SharedLayers
) -> KerasLayer:
    kind = entry.get("class_name")
    if not isinstance(kind, str):
        raise ConfigError(f"`{name}` has no `class_name`")
    before = shared.same(entry, name, group) if group else None
    if before is not None:
        return replace(before, name=name, calls=calls, same_as=before.name)
    registered = entry.get("registered_name")
    inner = _at_every_step(entry)
    held = None
    if group and inner is not None:
        held = _layer(inner, str(mapping_in(inner["config"], f"`{name}`").get("name")), (), f"{group}/layer", shared).model
    elif group and _is_model(entry):
        held = _model(entry, f"{group}/", shared)
    layer = KerasLayer(
        name,
        kind,
        str(entry.get("module") or "keras.layers"),
        registered if isinstance(registered, str) else None,
        mapping_in(entry.get("config"), f"`{name}`"),
        calls,
        group,
        held,
        is_of_keras(entry),
        every_step=inner is not None,
    )
    if group:
        shared.add(entry, layer)
    return layer


def _groups(entries: list[Mapping[str, Any]], group: str) -> Iterator[str | None]:
    """Yield the group of each layer's weights, numbered by class without operations, as in ``keras.saving``."""
    counted: Counter[str] = Counter()
    for entry in entries:
        if str(entry.get("module", "")).startswith("keras.src.ops."):
            yield None
            continue
        kind = str(entry.get("class_name"))
        base = _snake(_PRIVATE_NAMES.get(kind, kind) if is_of_keras(entry) else kind)
        number = counted[base]
        counted[base] += 1
        yield f"{group}layers/{base}_{number}" if number else f"{group}layers/{base}"


_PRIVATE_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Keras classes whose internal names, used in weights files, differ from their public names."""


def _snake(kind: str) -> str:
    name = re.sub(r"\W+", "", kind)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _input(config: Mapping[str, Any], name: str) -> tuple[tuple[int | None, ...], str]:
    for flag in ("sparse", "ragged", "optional"):
        if config.get(flag):
            raise ConfigError(f"the input `{name}` is {flag}; inputs of a spec are dense and required")
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    dtype = config.get("dtype") or "float32"
    if isinstance(dtype, dict):
        dtype = mapping_in(dtype.get("config"), f"the type of `{name}`").get("name", "float32")
    if shape is not None and not len(shape) and name.startswith(VARIABLE_PREFIX):
        return (), str(dtype)
    return _shape(shape, name), str(dtype)


def _shape(shape: Any, name: str) -> tuple[int | None, ...]:
    sizes = list_in(shape, f"the shape of `{name}`")
    if not all(size is None or (isinstance(size, int) and not isinstance(size, bool)) for size in sizes) or not sizes:
        raise ConfigError(f"{shape} is not a valid shape, in `{name}`")
    return tuple(sizes)
