"""Whether Keras alone would have built a spec that is refused: its layers by name, free sizes as None, and one run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from random import Random
from typing import Any

import keras
import numpy as np

from nnspec.layers import LAYERS

from .oracle import tried_sizes

__all__ = ["NotKeras", "runs_in_keras"]

_KEYS = ("from", "name", "repeat")
_STATES = {"LSTM": ("state_h", "state_c"), "GRU": ("state",), "SimpleRNN": ("state",)}


class NotKeras(Exception):
    """The spec says something that Keras has no word for, so nothing is known."""


def runs_in_keras(document: Mapping[str, Any], random: Random) -> dict[str, int] | None:
    """Sizes at which the model that Keras builds runs; None where it builds none, or it runs at none that was tried.

    Raises:
        NotKeras: Where a layer or an argument is not Keras's.
    """
    keras.backend.clear_session()
    declared = {name: _declared(value) for name, value in document["inputs"].items()}
    inputs = {
        name: keras.Input([size if isinstance(size, int) else None for size in shape], dtype=dtype, name=name)
        for name, (shape, dtype) in declared.items()
    }
    try:
        outputs = _Walk(document).run(document["layers"], dict(inputs))
        model = keras.Model(inputs, list(outputs.values()))
    except NotKeras:
        raise
    except Exception:
        return None
    names = list(dict.fromkeys(size for shape, _ in declared.values() for size in shape if isinstance(size, str)))
    for choice in islice(tried_sizes(names, random), 10) if names else [{}]:
        try:
            if _is_empty(document, declared, choice):
                continue
            model({name: _array(shape, dtype, choice) for name, (shape, dtype) in declared.items()})
        except Exception:
            continue
        return choice
    return None


def _is_empty(document: Mapping[str, Any], declared: Mapping[str, Any], choice: Mapping[str, int]) -> bool:
    """Whether a tensor has no elements at these sizes: some kernels of TensorFlow end the process on one."""
    numbers = {name: [choice[s] if isinstance(s, str) else s for s in shape] for name, (shape, _) in declared.items()}
    inputs = {name: keras.Input(numbers[name], dtype=dtype) for name, (_, dtype) in declared.items()}
    made = _Walk(document).run(document["layers"], inputs)
    return any(size is not None and size < 1 for tensor in made.values() for size in tensor.shape)


def _declared(value: Any) -> tuple[list[Any], str]:
    shape, dtype = (value["shape"], value["dtype"]) if isinstance(value, dict) else (value, "float32")
    return [f"?{place}" if size is None else size for place, size in enumerate(shape)], dtype


def _array(shape: list[Any], dtype: str, choice: Mapping[str, int]) -> Any:
    sizes = [choice[size] if isinstance(size, str) else size for size in shape]
    return np.ones((2, *sizes), dtype) if dtype == "int32" else np.random.default_rng(0).normal(size=(2, *sizes)).astype(dtype)


class _Walk:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.networks = document.get("networks", {})
        self.blocks = document.get("blocks", {})

    def run(self, entries: list[Any], tensors: dict[str, Any]) -> dict[str, Any]:
        """The tensors of all steps of a list, by name; ``last`` is the last one's."""
        made: dict[str, Any] = {}
        last = next(iter(tensors.values()))
        for place, entry in enumerate(entries):
            op, arguments, keys = _parts(entry)
            source = keys.get("from")
            given: Any = last if source is None else _resolved(source, tensors | made)
            for _ in range(keys.get("repeat", 1)):
                given = self.step(op, arguments, given)
            results = given if isinstance(given, list) else [given]
            name = keys.get("name", f"({place})")
            for output, tensor in zip(("", *_STATES.get(op, ())), results, strict=False):
                made[f"{name}.{output}" if output else name] = tensor
            last = results[0]
        return made | {"last": last}

    def step(self, op: str, arguments: Mapping[str, Any], given: Any) -> Any:
        if op == "Residual":
            inner = self.run(arguments["layers"], {"x": given})["last"]
            around = self.run(arguments["shortcut"], {"x": given})["last"] if "shortcut" in arguments else given
            return keras.layers.Add()([inner, around])
        if op == "Parallel":
            branches = [self.run(entries, {"x": given})["last"] for entries in arguments["branches"]]
            return _layer(arguments["merge"], {})(branches)
        if op in self.blocks:
            return self.run(self.blocks[op]["layers"], {"x": given})["last"]
        if op in self.networks:
            ports = given if isinstance(given, dict) else {"x": given}
            return self.run(self.networks[op]["layers"], ports)["last"]
        layer = _layer(op, arguments)
        if isinstance(given, dict) and op == "MultiHeadAttention":
            return layer(**given)
        return layer(list(given.values()) if isinstance(given, dict) else given)


def _parts(entry: Any) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    if isinstance(entry, str):
        return entry, {}, {}
    op = next(key for key in entry if key not in _KEYS)
    return op, entry[op] or {}, {key: entry[key] for key in _KEYS if key in entry}


def _resolved(source: Any, tensors: Mapping[str, Any]) -> Any:
    try:
        if isinstance(source, list):
            return [tensors[name] for name in source]
        return {port: tensors[name] for port, name in source.items()} if isinstance(source, dict) else tensors[source]
    except KeyError as error:
        raise NotKeras(f"no tensor {error}") from None


def _layer(op: str, arguments: Mapping[str, Any]) -> Any:
    kind = getattr(keras.layers, op, None)
    if kind is None:
        raise NotKeras(op)
    unknown = set(arguments) & LAYERS.get(op).beyond_keras  # type: ignore[attr-defined]
    if unknown or (isinstance(arguments.get("padding"), (int, list)) and not op.startswith("ZeroPadding")):
        raise NotKeras(f"{op}: {unknown or 'padding'}")
    layer = kind(**{name: _value(name, value) for name, value in arguments.items()})
    return _guarded(layer) if op.startswith("Adaptive") else layer


def _guarded(layer: Any) -> Any:
    """An adaptive pooling that refuses axes with fewer positions than it returns: TensorFlow's kernel divides by 0 then, which
    ends the process."""
    pooled = layer.call

    def call(inputs: Any) -> Any:
        axes = inputs.shape[1:-1] if layer.data_format == "channels_last" else inputs.shape[2:]
        if any(size is not None and size < count for size, count in zip(axes, layer.output_size, strict=True)):
            raise ValueError(f"{layer.name} has more windows than positions")
        return pooled(inputs)

    layer.call = call
    return layer


def _value(name: str, value: Any) -> Any:
    if name in ("layer", "backward_layer") and isinstance(value, dict):
        [(op, arguments)] = value.items()
        return _layer(op, arguments or {})
    return tuple(tuple(v) if isinstance(v, list) else v for v in value) if isinstance(value, list) else value
