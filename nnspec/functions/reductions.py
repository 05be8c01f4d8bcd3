"""Reductions over axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnspec.functions.base import Call
from nnspec.functions.terms import Term

__all__ = ["FUNCTIONS", "reduced"]


def reduced(call: Call, x: Term, dtype: str, axes: Sequence[int], **arguments: Any) -> Term:
    """The term of a reduction of a tensor over axes; `keepdims` is read from the call."""
    keepdims = call["keepdims"]
    places = [axis for axis in range(x.rank) if keepdims or axis not in axes]
    shape = [1 if axis in axes else x.shape[axis] for axis in places]
    kept = [None if axis in axes else axis for axis in places]
    return call.result(shape, dtype, [x], [kept], axes=tuple(axes), keepdims=keepdims, **arguments)


FUNCTIONS = {}
