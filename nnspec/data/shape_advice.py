"""What to write when values have not the shape that is wanted: for the help of a diagnostic."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["for_shape"]


def for_shape(name: str, shape: Sequence[int | None]) -> str:
    """The help for an input whose values have a shape of their own; empty where a size is not known.

    Example:
        >>> for_shape("x", (3,))
        'declare the input as `x: [3]`, or change its columns or transforms'
    """
    if None in shape:
        return ""
    return f"declare the input as `{name}: {list(shape)}`, or change its columns or transforms"
