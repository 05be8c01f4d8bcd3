"""What a Keras layer becomes: one step or several, and what they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from nnspec.keras_import.arguments import NoEqual, Untranslated, configured, in_words
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, tensors_in
from nnspec.layers import LAYERS
from nnspec.types import Config

__all__ = [
    "Inside",
    "Part",
    "Saved",
    "Source",
    "Translation",
    "Translator",
    "Within",
    "bound",
    "named",
    "part",
    "same",
    "wired",
]

Source = Tensor | int
"""A tensor of the Keras model, or an earlier part of the same translation by its number."""

Saved = Callable[[str], Any]
"""The array at a place of the weights file, ``layers/dense/vars/0``; None where there is none."""


@dataclass(frozen=True)
class Inside:
    """Where a part keeps its weights within the Keras layer it comes from.

    Attributes:
        group: In the weights file, below the layer's group: ``cell/cells/gru_cell``.
        attributes: On the live layer: ``("cell", "cells", 0)``.
    """

    group: str
    attributes: tuple[str | int, ...]


@dataclass(frozen=True)
class Part:
    """One step of what a layer becomes.

    Attributes:
        layer: The layer of ours.
        sources: What it reads, by port; a merge's ports are ``"0"``, ``"1"``, …
        suffix: Stands behind the Keras layer's name, in the name of a part that is not the last.
        inside: Where its weights are, if they are not the Keras layer's own.
        gives: The Keras layer's outputs that this part computes: Keras's number of each, and our name. By default the last
            part computes all, in order.
    """

    layer: Config
    sources: Mapping[str, Source]
    suffix: str = ""
    inside: Inside | None = None
    gives: Mapping[int, str] | None = None


Translation = tuple[Part, ...] | Tensor
"""The parts, the last of which gives what the layer gives; or the tensor that it passes on as it is."""


@dataclass(frozen=True)
class Within:
    """What a translation may ask for.

    Attributes:
        shape_of: A tensor's sizes, the batch axis first; None where the config does not tell.
        left_out: Is told of an initializer that is left out.
        saved: The arrays in the weights file.
        translated: Translates a layer; for those that stand in another.
        dtype_of: A tensor's element type, as the spec has it; None where it is not known.
    """

    shape_of: Callable[[Tensor], tuple[int | None, ...] | None]
    left_out: Untranslated
    saved: Saved = field(default=lambda place: None)
    translated: Callable[[KerasLayer, KerasCall, Within], Translation] | None = None
    dtype_of: Callable[[Tensor], str | None] = field(default=lambda tensor: None)

    def rank(self, tensor: Tensor) -> int | None:
        """The number of a tensor's axes, the batch axis counted."""
        shape = self.shape_of(tensor)
        return None if shape is None else len(shape)


Translator = Callable[[KerasLayer, KerasCall, Within], Translation]


def bound(call: KerasCall, names: Sequence[str]) -> dict[str, Any]:
    """A call's arguments by name; ``mask``, which is checked apart, and ``training`` are left out.

    Args:
        call: The call.
        names: The arguments in Keras's order. The first is also found under the names that other layers have for it.

    Raises:
        NoEqual: Where one is given that the language has not.
    """
    given = dict(zip(names, call.args, strict=False))
    if len(call.args) > len(names):
        raise NoEqual(f"it is called with {len(call.args)} arguments", setting=True)
    for name, value in call.kwargs.items():
        if value is None or name in ("mask", "training"):
            continue
        known = name if name in names else names[0] if name in _FIRST and names[0] not in given else None
        if known is None and value is False:
            continue
        if known is None:
            raise NoEqual(f"it is called with `{name}`", setting=True)
        given[known] = value
    return {name: value for name, value in given.items() if value is not None}


_FIRST = ("inputs", "x", "data", "sequences", "sequence")
"""What layers call the first argument of ``call``."""


def part(op: str, arguments: Mapping[str, Any], sources: Sequence[Source], suffix: str = "") -> Part:
    """One step of a layer of ours, its arguments written as ours are."""
    if op not in LAYERS:
        raise NoEqual(f"the language has no layer `{op}`")
    try:
        layer = LAYERS.get(op).model_validate(dict(arguments))
    except ValidationError as error:
        raise NoEqual(f"it would be `{op}`, and {in_words(error)}", setting=True) from None
    ports = layer.ports  # type: ignore[attr-defined]
    names = [str(i) for i in range(len(sources))] if ports.variadic else [*ports.required, *ports.optional]
    return Part(layer, dict(zip(names, sources, strict=False)), suffix)


def same(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """A layer of ours with the same name and arguments."""
    if layer.kind not in LAYERS:
        raise NoEqual("the language has no such layer")
    return named(layer.kind, layer, call, within)


def named(op: str, layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """A layer of ours with the same arguments."""
    tensors = list(tensors_in(bound(call, ("inputs",)).get("inputs")))
    if not tensors:
        raise NoEqual("nothing comes in", setting=True)
    made = configured(LAYERS.get(op), layer.config, within.left_out, rank=within.rank(tensors[0]))
    if made.ports.variadic and len(tensors) == 1:  # type: ignore[attr-defined]
        return tensors[0]  # a merge of one is that one
    return (wired(made, tensors),)


def wired(made: Config, tensors: Sequence[Source]) -> Part:
    """A layer with what it reads, in the order of its ports.

    Raises:
        NoEqual: Where it has not so many ports.
    """
    ports = made.ports  # type: ignore[attr-defined]
    if ports.variadic:
        return Part(made, {str(number): tensor for number, tensor in enumerate(tensors)})
    names = [*ports.required, *ports.optional]
    if len(tensors) > len(names) or len(tensors) < len(ports.required):
        raise NoEqual(f"{len(tensors)} tensors come in", setting=True)
    return Part(made, dict(zip(names, tensors, strict=False)))
