"""The order in which the calls of a model are written: each branch as a whole, from the outputs back."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.keras_import.config_values import ConfigError
from nnspec.keras_import.model import KerasModel, Tensor, tensors_in

__all__ = ["applications", "calls_in_order"]


def applications(model: KerasModel, known: dict[int, int] | None = None) -> int:
    """How often layers are applied in all, with every use of a model in it unfolded: a few hundred bytes can say 2²⁰ times."""
    known = {} if known is None else known
    if id(model) not in known:
        inner = [(layer.model, len(layer.calls)) for layer in model.layers.values()]
        known[id(model)] = sum(uses * (1 if held is None else 1 + applications(held, known)) for held, uses in inner)
    return known[id(model)]


def calls_in_order(model: KerasModel, path: str) -> Iterator[tuple[str, int]]:
    """The calls that the outputs need, as a layer's name and the number of its call, each after those it reads.

    Args:
        model: The model.
        path: What leads to it, for messages.

    Raises:
        ConfigError: Where one reads what is not there, or what it gives itself.
    """
    done: set[tuple[str, int]] = set()
    for end in model.outputs.values():
        begun: set[tuple[str, int]] = set()
        waiting = [(end.layer, end.call, False)]
        while waiting:
            name, number, ready = waiting.pop()
            key = (name, number)
            if key in done or name in model.inputs:
                continue
            if ready:
                done.add(key)
                begun.discard(key)
                yield key
                continue
            if key in begun:
                raise ConfigError(f"`{path}{name}` reads what it gives")
            begun.add(key)
            waiting.append((name, number, True))
            waiting.extend((read.layer, read.call, False) for read in reversed(_reads(model, path, name, number)))


def _reads(model: KerasModel, path: str, name: str, number: int) -> list[Tensor]:
    """What a call reads; masks, which travel by themselves, are not followed."""
    layer = model.layers.get(name)
    if layer is None or not 0 <= number < len(layer.calls):
        raise ConfigError(f"something reads call {number} of `{path}{name}`, which is not there")
    call = layer.calls[number]
    read = list(tensors_in([call.args, {key: value for key, value in call.kwargs.items() if not _is_mask(key)}]))
    for tensor in read:
        if tensor.layer not in model.layers and tensor.layer not in model.inputs:
            raise ConfigError(f"`{path}{name}` reads `{tensor.layer}`, which is not there")
    return read


def _is_mask(name: str) -> bool:
    return name == "mask" or name.endswith("_mask")
