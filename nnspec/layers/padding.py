"""Padding arithmetic of convolutions and poolings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from nnspec.layers.base import LayerError
from nnspec.types import Dim, Misspelled, TensorType, ceil_div, did_you_mean, size_text

_Count = Annotated[int, Field(ge=0)]
WrittenSides = _Count | list[_Count | Annotated[list[_Count], Field(min_length=2, max_length=2)]]
"""Padding as written in a spec: P on every side, or P or [before, after] for each axis."""
WrittenPadding = Literal["valid", "same", "causal", "full"] | WrittenSides

Padding = str | tuple[tuple[int, int], ...]
"""``valid``, ``same``, ``causal``, ``full``, or positions before and after each spatial axis."""


def parse_padding(value: Any, rank: int, names: Sequence[str]) -> Padding:
    """Normalize a padding argument.

    Args:
        value: A name, P positions on every side, or a list with one P or ``[before, after]`` per axis.
        rank: The number of spatial axes.
        names: The allowed names.

    Raises:
        ValueError: If it is invalid.

    Example:
        >>> parse_padding("same", 2, ["valid", "same"]), parse_padding(1, 2, []), parse_padding([1, [0, 2]], 2, [])
        ('same', ((1, 1), (1, 1)), ((1, 1), (0, 2)))
    """
    listed = ", ".join(f"`{name}`" for name in names)
    wanted = f"`padding` must be {listed}, an integer P, or a list with one entry per axis ({rank})"
    if isinstance(value, str):
        if value in names:
            return value
        raise Misspelled(f"{wanted}; got `{value}`", did_you_mean(value, names))
    entries = [value] * rank if _is_count(value) else value
    if not isinstance(entries, (list, tuple)) or len(entries) != rank:
        raise ValueError(f"{wanted}; got {value!r}")
    sides = [(entry, entry) if _is_count(entry) else entry for entry in entries]
    if not all(isinstance(side, (list, tuple)) and len(side) == 2 and all(map(_is_count, side)) for side in sides):
        raise ValueError(f"{wanted}, each P ≥ 0 or [before, after]; got {value!r}")
    return tuple((side[0], side[1]) for side in sides)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def positions_around(padding: Padding, spans: Sequence[int]) -> tuple[tuple[int, int], ...] | None:
    """Return the padding before and after each spatial axis; None for ``same``, where it depends on the input size.

    Args:
        padding: See [`Padding`][].
        spans: The window size along each axis, including dilation.

    Example:
        >>> positions_around("causal", [5]), positions_around("full", [3, 1]), positions_around("same", [3])
        (((4, 0),), ((2, 2), (0, 0)), None)
    """
    match padding:
        case "same":
            return None
        case "valid":
            return tuple((0, 0) for _ in spans)
        case "full":
            return tuple((span - 1, span - 1) for span in spans)
        case "causal":
            return tuple((span - 1, 0) for span in spans)
    assert isinstance(padding, tuple)
    return padding


def positions_before(x: TensorType, spans: Sequence[int], strides: Sequence[int], padding: Padding) -> tuple[int | None, ...]:
    """Return the padding before each spatial axis; None if it depends on a symbol.

    As in TensorFlow, ``same`` puts the smaller half of the padding before the axis.

    Example:
        >>> positions_before(TensorType((7, 8, 1)), (3, 3), (2, 2), "same")
        (1, 0)
    """
    around = positions_around(padding, spans)
    if around is not None:
        return tuple(before for before, _ in around)
    sizes = x.shape[:-1]
    return tuple(_half_of_same(size, span, stride) for size, span, stride in zip(sizes, spans, strides, strict=True))


def _half_of_same(size: int | Dim, span: int, stride: int) -> int | None:
    lacking = (ceil_div(size, stride) - 1) * stride + span - size
    return max(lacking, 0) // 2 if isinstance(lacking, int) else None


def windows(
    x: TensorType, spans: Sequence[int], strides: Sequence[int], padding: Padding, what: str = "kernel"
) -> tuple[int | Dim, ...]:
    """Return the number of windows along each spatial axis: floor((W − F + P) / S) + 1, or ceil(W / S) for ``same``.

    Args:
        x: The input; its last axis is the channel axis.
        spans: The window size along each axis, including dilation.
        strides: The stride along each axis.
        padding: See [`Padding`][].
        what: What the window is called in the message.

    Raises:
        LayerError: If no window fits.
    """
    around = positions_around(padding, spans)
    if around is None:
        return tuple(ceil_div(size, stride) for size, stride in zip(x.shape[:-1], strides, strict=True))
    padded = [size + before + after for size, (before, after) in zip(x.shape[:-1], around, strict=True)]
    counts = tuple((size - span) // stride + 1 for size, span, stride in zip(padded, spans, strides, strict=True))
    if any(isinstance(count, int) and count < 1 for count in counts):
        raise _does_not_fit(what, x.shape[:-1], padded, spans)
    return counts


def _does_not_fit(what: str, sizes: Sequence[int | Dim], padded: Sequence[int | Dim], spans: Sequence[int]) -> LayerError:
    window, size, padded_size = ("×".join(map(size_text, each)) for each in (spans, sizes, padded))
    if len(spans) > 1:
        message = f"a {window} {what} does not fit a {size} input"
    else:
        message = f"a {what} of size {window} does not fit {size} positions"
    return LayerError(
        message if padded_size == size else f"{message}, padded to {padded_size}",
        help=f"use a smaller {what} or dilation, write `padding: same`, or downsample less before it",
        port="x",
    )
