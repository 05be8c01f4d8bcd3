"""The translation of a Keras layer to one or more steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from nnspec.keras_import.arguments import NoEquivalent, Untranslated, configured, in_words
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, tensors_in
from nnspec.layers import LAYERS
from nnspec.types import Config

Source = Tensor | int
"""A tensor of the Keras model, or the index of an earlier part of the same translation."""

Saved = Callable[[str], Any]
"""Returns the array at a path in the weights file, ``layers/dense/vars/0``, or None."""


@dataclass(frozen=True)
class Inside:
    """The location of a part's weights in its Keras layer.

    Attributes:
        group: The group in the weights file, relative to the layer's group: ``cell/cells/gru_cell``.
        attributes: The attributes on the live layer: ``("cell", "cells", 0)``.
    """

    group: str
    attributes: tuple[str | int, ...]


VARIABLE_PREFIX = "nnspec variable "
"""Begins the names of the inputs that stand for variables while custom code is traced."""


@dataclass(frozen=True, eq=False)
class Variable:
    """A variable of a live model, outside of its layers.

    Attributes:
        name: The name of its step.
        value: Its value.
        is_trainable: Whether it is trained.
    """

    name: str
    value: Any
    is_trainable: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(self.value.shape)


@dataclass(frozen=True)
class Part:
    """One step of a layer's translation.

    Attributes:
        layer: The spec's layer.
        sources: Its inputs by port; a merge's ports are ``"0"``, ``"1"``, …
        suffix: The suffix after the Keras layer's name, for parts that are not the last.
        inside: The location of its weights, if they are not the Keras layer's own.
        gives: The Keras layer's outputs that it computes: Keras's index and the spec's name. By default the last part
            computes all, in order.
        value: The value of its only weight, if it is a constant or a variable of the model.
        variable: The variable, which has one step; a constant is frozen.
    """

    layer: Config
    sources: Mapping[str, Source]
    suffix: str = ""
    inside: Inside | None = None
    gives: Mapping[int, str] | None = None
    value: Any = None
    variable: Variable | None = None

    @property
    def is_constant(self) -> bool:
        """Whether its weight is never trained."""
        return self.value is not None and (self.variable is None or not self.variable.is_trainable)


Translation = tuple[Part, ...] | Tensor
"""The parts, the last of which returns the layer's output; or the tensor that the layer returns unchanged."""


@dataclass(frozen=True)
class Within:
    """The context of a translation.

    Attributes:
        shape_of: Returns a tensor's shape with the batch axis; None if unknown.
        left_out: Called with the reason if an initializer is dropped.
        saved: The arrays in the weights file.
        translated: Translates a layer; used for nested layers.
        dtype_of: Returns a tensor's dtype in the spec; None if unknown.
        stores: Whether the spec gets a file of weights, which can store constants.
        variables: The variables of a live model that operations read, by the names of the inputs that stand for them.
        sizes: The inputs that have each free size, with its axis, by the size's name.
    """

    shape_of: Callable[[Tensor], tuple[int | None, ...] | None]
    left_out: Untranslated
    saved: Saved = field(default=lambda place: None)
    translated: Callable[[KerasLayer, KerasCall, Within], Translation] | None = None
    dtype_of: Callable[[Tensor], str | None] = field(default=lambda tensor: None)
    stores: bool = True
    variables: Mapping[str, Variable] = field(default_factory=dict)
    sizes: Mapping[str, tuple[Tensor, int]] = field(default_factory=dict)

    def rank(self, tensor: Tensor) -> int | None:
        """Return the number of a tensor's axes, including the batch axis."""
        shape = self.shape_of(tensor)
        return None if shape is None else len(shape)


Translator = Callable[[KerasLayer, KerasCall, Within], Translation]


def bound(call: KerasCall, names: Sequence[str]) -> dict[str, Any]:
    """Return a call's arguments by name, without ``training`` and ``mask``, which is checked separately.

    Args:
        call: The call.
        names: The arguments in Keras's order. The first may also have the name it has in other layers.

    Raises:
        NoEquivalent: If an argument is not supported.
    """
    given = dict(zip(names, call.args, strict=False))
    if len(call.args) > len(names):
        raise NoEquivalent(f"it is called with {len(call.args)} arguments", setting=True)
    for name, value in call.kwargs.items():
        if value is None or name in ("mask", "training"):
            continue
        known = name if name in names else names[0] if name in _FIRST and names[0] not in given else None
        if known is None and value is False:
            continue
        if known is None:
            raise NoEquivalent(f"it is called with `{name}`", setting=True)
        given[known] = value
    return {name: value for name, value in given.items() if value is not None}


_FIRST = ("inputs", "x", "data", "sequences", "sequence")
"""Names of the first argument of ``call`` in Keras layers."""


def part(op: str, arguments: Mapping[str, Any], sources: Sequence[Source], suffix: str = "") -> Part:
    """Build a part from the name and arguments of a spec layer."""
    if op not in LAYERS:
        raise NoEquivalent(f"there is no layer `{op}`")
    try:
        layer = LAYERS.get(op).model_validate(dict(arguments))
    except ValidationError as error:
        raise NoEquivalent(f"as `{op}`: {in_words(error)}", setting=True) from None
    ports = layer.ports  # type: ignore[attr-defined]
    names = [str(i) for i in range(len(sources))] if ports.variadic else [*ports.required, *ports.optional]
    return Part(layer, dict(zip(names, sources, strict=False)), suffix)


def same(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate to the spec layer with the same name and arguments."""
    if layer.kind not in LAYERS:
        raise NoEquivalent("there is no such layer")
    return named(layer.kind, layer, call, within)


def named(op: str, layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate to a spec layer with the same arguments."""
    tensors = list(tensors_in(bound(call, ("inputs",)).get("inputs")))
    if not tensors:
        raise NoEquivalent("it is called without a tensor", setting=True)
    made = configured(LAYERS.get(op), layer.config, within.left_out, rank=within.rank(tensors[0]))
    if made.ports.variadic and len(tensors) == 1:  # type: ignore[attr-defined]
        return tensors[0]  # a merge of one tensor is that tensor
    return (wired(made, tensors),)


def wired(made: Config, tensors: Sequence[Source]) -> Part:
    """Build a part from a layer and its inputs, in the order of its ports.

    Raises:
        NoEquivalent: If the number of inputs is wrong.
    """
    ports = made.ports  # type: ignore[attr-defined]
    if ports.variadic:
        return Part(made, {str(number): tensor for number, tensor in enumerate(tensors)})
    names = [*ports.required, *ports.optional]
    if len(tensors) > len(names) or len(tensors) < len(ports.required):
        raise NoEquivalent(f"it is called with {len(tensors)} tensors", setting=True)
    return Part(made, dict(zip(names, tensors, strict=False)))
