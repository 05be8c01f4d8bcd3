"""Argument types shared by several layers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict, WithJsonSchema

from nnspec.layers.families import CONSTRAINTS, INITIALIZERS, REGULARIZERS
from nnspec.layers.scalars import Flag, Fraction, Number, PositiveInt, WholeNumber
from nnspec.types import Config, Named

__all__ = [
    "AnyConstraint",
    "AnyInitializer",
    "AnyRegularizer",
    "CountSizes",
    "Flag",
    "Fraction",
    "Number",
    "PositiveInt",
    "Sizes",
    "WholeNumber",
    "per_axis",
]

_POSITIVE = {"type": "integer", "minimum": 1}

Sizes = Annotated[
    tuple[PositiveInt, ...],
    WithJsonSchema({"anyOf": [_POSITIVE, {"type": "array", "items": _POSITIVE, "minItems": 1}]}),
]
"""A positive integer per spatial axis, written as one integer or as a list."""

_COUNT = {"type": "integer", "minimum": 0}

CountSizes = Annotated[
    tuple[Annotated[int, Strict(), Field(ge=0)], ...],
    WithJsonSchema({"anyOf": [_COUNT, {"type": "array", "items": _COUNT, "minItems": 1}]}),
]
"""A non-negative integer per spatial axis, written as one integer or as a list."""

AnyInitializer = Annotated[Config, Named(INITIALIZERS)]
AnyRegularizer = Annotated[Config, Named(REGULARIZERS)]
AnyConstraint = Annotated[Config, Named(CONSTRAINTS)]


def per_axis(value: Any, rank: int, argument: str, least: int = 1) -> tuple[Any, ...]:
    """Return one value per axis, given one value or a list; the values of a list are not checked here.

    Raises:
        ValueError: If the value is neither.

    Example:
        >>> per_axis(3, 2, "kernel_size"), per_axis([3, 5], 2, "kernel_size")
        ((3, 3), (3, 5))
    """
    number = "a positive integer" if least == 1 else f"an integer of at least {least}"
    wanted = f"`{argument}` must be {number}" + (f" or a list of {rank}, one per axis" if rank > 1 else "")
    if isinstance(value, (list, tuple)):
        if len(value) != rank:
            raise ValueError(f"{wanted}; got a list of {len(value)}")
        return tuple(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{wanted}; got {value!r}")
    return (value,) * rank
