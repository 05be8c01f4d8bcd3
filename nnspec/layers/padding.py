"""What stands around the input of a window: its arithmetic, for convolutions and poolings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnspec.layers.base import Layer, LayerError
from nnspec.types import Dim, TensorType, ceil_div, closest

__all__ = ["Padding", "parse_padding", "windows"]

Padding = str | tuple[tuple[int, int], ...]
"""``valid``, ``same``, ``causal``, ``full``, or positions before and after each spatial axis."""


def parse_padding(value: Any, rank: int, names: Sequence[str]) -> Padding:
    """The argument as written, in its normal form.

    Args:
        value: A name; P positions on every side; or a list with one P or one ``[before, after]`` for each axis.
        rank: The number of spatial axes.
        names: The names that are allowed.

    Raises:
        ValueError: Where it is none of them.

    Example:
        >>> parse_padding("same", 2, ["valid", "same"]), parse_padding(1, 2, []), parse_padding([1, [0, 2]], 2, [])
        ('same', ((1, 1), (1, 1)), ((1, 1), (0, 2)))
    """
    listed = ", ".join(f"`{name}`" for name in names)
    wanted = f"`padding` must be {listed}, an integer P, or a list with one for each axis ({rank})"
    if isinstance(value, str):
        if value in names:
            return value
        suggestion = closest(value, names)
        raise ValueError(f"{wanted}, not `{value}`" + (f"; did you mean `{suggestion}`?" if suggestion else ""))
    entries = [value] * rank if _is_count(value) else value
    if not isinstance(entries, (list, tuple)) or len(entries) != rank:
        raise ValueError(f"{wanted}, not {value!r}")
    sides = [(entry, entry) if _is_count(entry) else entry for entry in entries]
    if not all(isinstance(side, (list, tuple)) and len(side) == 2 and all(map(_is_count, side)) for side in sides):
        raise ValueError(f"{wanted}, each P ≥ 0 or [before, after], not {value!r}")
    return tuple((side[0], side[1]) for side in sides)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def windows(
    layer: Layer, x: TensorType, size: Sequence[int], stride: Sequence[int], padding: Padding, dilation: Sequence[int]
) -> tuple[int | Dim, ...]:
    """How many windows find a place along each spatial axis: floor((W − F + P) / S) + 1.

    Args:
        layer: Whose window it is, for the message.
        x: The input; its last axis is the channels.
        size: The window's positions along each axis.
        stride: Positions between neighbouring windows.
        padding: See [`Padding`][].
        dilation: Positions between a window's neighbouring positions.

    Raises:
        LayerError: Where none does.
    """
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    found: list[int | Dim] = []
    for axis, (width, span, step) in enumerate(zip(x.shape[:-1], spans, stride, strict=True)):
        if padding == "same" or padding == "causal":
            found.append(ceil_div(width, step))
        else:
            around = _around(padding, axis, span)
            found.append((width + around - span) // step + 1)
    if any(isinstance(count, int) and count < 1 for count in found):
        raise _no_place(x, spans, padding, dilation)
    return tuple(found)


def _around(padding: Padding, axis: int, span: int) -> int:
    if isinstance(padding, tuple):
        return sum(padding[axis])
    return 2 * (span - 1) if padding == "full" else 0


def _no_place(x: TensorType, spans: Sequence[int], padding: Padding, dilation: Sequence[int]) -> LayerError:
    sizes = x.shape[:-1]
    window = " × ".join(map(str, spans)) if len(spans) > 1 else f"window of {spans[0]}"
    window = f"a {window} window" if len(spans) > 1 else f"a {window}"
    around = [size + _around(padding, axis, spans[axis]) for axis, size in enumerate(sizes)]
    place = " × ".join(map(str, sizes)) + ("" if len(sizes) > 1 else " positions")
    if around != list(sizes):
        place += ", with padding " + " × ".join(map(str, around))
    dilated = " (dilation counted)" if any(d > 1 for d in dilation) else ""
    return LayerError(
        f"{window}{dilated} finds no place on {place}",
        help="make the window smaller, pad with `padding: same`, or pool less before it",
        port="x",
    )
