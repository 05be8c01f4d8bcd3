"""Depth-first order of a model's calls, starting from the outputs."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.keras_import.config_values import ConfigError
from nnspec.keras_import.model import KerasModel, Tensor, tensors_in


def applications(model: KerasModel, known: dict[int, int] | None = None) -> int:
    """Count layer calls, including those of nested models: a small file can contain 2²⁰ calls."""
    known = {} if known is None else known
    if id(model) not in known:
        inner = [(layer.model, len(layer.calls)) for layer in model.layers.values()]
        known[id(model)] = sum(uses * (1 if held is None else 1 + applications(held, known)) for held, uses in inner)
    return known[id(model)]


def calls_in_order(model: KerasModel, path: str) -> Iterator[tuple[str, int]]:
    """Yield the calls that the outputs depend on in topological order, as layer name and call index.

    Args:
        model: The model.
        path: The path of the model, for messages.

    Raises:
        ConfigError: If a call has a missing input, or there is a cycle.
    """
    done: set[tuple[str, int]] = set()
    for end in model.outputs.values():
        begun: set[tuple[str, int]] = set()
        waiting = [(end.layer, end.call, False)]
        while waiting:
            name, number, ready = waiting.pop()
            key = (name, number)
            if key in done or name in model.inputs or name in model.variables:
                continue
            if ready:
                done.add(key)
                begun.discard(key)
                yield key
                continue
            if key in begun:
                raise ConfigError(f"`{path}{name}` depends on its own output")
            begun.add(key)
            waiting.append((name, number, True))
            waiting.extend((read.layer, read.call, False) for read in reversed(_reads(model, path, name, number)))


def _reads(model: KerasModel, path: str, name: str, number: int) -> list[Tensor]:
    """Return the inputs of a call, without the masks of layers."""
    layer = model.layers.get(name)
    if layer is None or not 0 <= number < len(layer.calls):
        raise ConfigError(f"call {number} of `{path}{name}` is used but does not exist")
    call = layer.calls[number]
    read = list(
        tensors_in([call.args, {key: value for key, value in call.kwargs.items() if layer.is_operation or not _is_mask(key)}])
    )
    for tensor in read:
        if not any(tensor.layer in known for known in (model.layers, model.inputs, model.variables)):
            raise ConfigError(f"the input `{tensor.layer}` of `{path}{name}` does not exist")
    return read


def _is_mask(name: str) -> bool:
    return name == "mask" or name.endswith("_mask")
