"""Targets that point at the positions of another sequence. The class is named as in a spec."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, Strict

from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.base import Learned, Transform
from nnspec.data.transforms.text import SPECIAL
from nnspec.layers.scalars import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]

FIRST = len(SPECIAL)
"""The token that points at position 0."""


class positions(Transform):  # noqa: N801
    """Encodes a list of positions of another input as tokens, for a network that points at them (Vinyals et al. 2015).

    Positions are counted from 0. Tokens 0 to 3 are `<PAD>`, `<SOS>`, `<EOS>` and `<UNK>`, as of `tokenize`, and token 4 + i
    points at position i. Each position must be less than the length of the row of that input.
    """

    main_argument: ClassVar[str | None] = "of"
    takes_ragged: ClassVar[bool] = True

    of: Annotated[str, Strict(), Field(min_length=1)] = Field(
        description="The input whose positions they are.", examples=["points"]
    )
    start: Flag = Field(False, description="Whether to prepend `<SOS>` to each list.")
    end: Flag = Field(False, description="Whether to append `<EOS>` to each list.")

    def infer(self, column: Column) -> Column:
        if column.dtype != "unknown" and (len(column.shape) != 1 or not column.dtype.startswith(("int", "uint"))):
            reason = (
                f"`positions` requires lists of integers, but a row's value is {column.dtype} with shape {column.shape_text}"
            )
            raise DataError(reason, help="put it first under `transform`, on a column such as `[3, 0, 1]`")
        size = column.shape[0] if column.shape and not column.ragged else None
        more = self.start + self.end
        return Column((None if size is None else size + more,), "int64", ragged=column.ragged or size is None)

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        del learned
        before, behind = [1] * self.start, [2] * self.end
        rows = [np.array([*before, *(np.asarray(row, np.int64) + FIRST), *behind], np.int64) for row in values]
        if values.dtype != object:
            return np.stack(rows) if rows else np.zeros((0, values.shape[1] + len(before) + len(behind)), np.int64)
        made = np.empty(len(rows), object)
        for number, row in enumerate(rows):
            made[number] = row
        return made


def positions_of(tokens: Iterable[int]) -> list[int]:
    """Return the positions that tokens point at, without special tokens.

    Example:
        >>> positions_of([1, 7, 4, 2, 0])
        [3, 0]
    """
    return [token - FIRST for token in tokens if token >= FIRST]
