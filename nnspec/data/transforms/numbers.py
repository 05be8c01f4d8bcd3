"""Transforms of numbers. The classes have the names that a spec uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.base import Learned, Transform, require_numbers
from nnspec.layers.scalars import Flag, Number, WholeNumber

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[Any]

__all__ = ["impute", "rescale", "standardize"]

_PerSeries = Annotated[
    Flag, Field(description="Whether each series of `series: {by: …}` has statistics of its own, of its training part.")
]

_Statistic = float | list[float] | list[list[float]] | list[list[list[float]]] | list[list[list[list[float]]]]
"""A number, or an array's as nested lists."""


class rescale(Transform):  # noqa: N801
    """``x * scale + offset``: pixels from 0 to 255 become 0 to 1 by 0.00392156862745098."""

    main_argument: ClassVar[str | None] = "scale"

    scale: Number = Field(description="The factor.")
    offset: Number = Field(0.0, description="What is added.")

    def infer(self, column: Column) -> Column:
        require_numbers("rescale", column)
        return Column(column.shape, "float32")

    def apply(self, values: Values, learned: Learned) -> Values:
        del learned
        import numpy as np

        scaled = np.multiply(values, np.float32(self.scale), dtype=np.float32)
        if self.offset:
            scaled += np.float32(self.offset)
        return scaled


class standardize(Transform):  # noqa: N801
    """Subtracts the training part's mean and divides by its standard deviation; a value that never varies becomes 0."""

    learns: ClassVar[Mapping[str, Any]] = {"mean": _Statistic, "std": _Statistic}

    axis: WholeNumber | None = Field(
        -1,
        description="The axis with statistics of its own for each place, as of channels or stacked columns; null for none.",
    )
    per_series: _PerSeries = False

    @property
    def for_each_series(self) -> bool:
        return self.per_series

    def infer(self, column: Column) -> Column:
        require_numbers("standardize", column)
        rank = len(column.shape)
        if self.axis is not None and rank and not -rank <= self.axis < rank:
            raise DataError(f"`standardize` has axis {self.axis}, and a row's value has the shape {column.shape_text}")
        return Column(column.shape, "float32")

    def fit(self, chunks: Iterable[Values]) -> Learned:
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            mean, deviation = self._moments(chunks)
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all()):
            help = "leave out the rows with values beyond 1e150: float64 does not hold their squares"
            raise DataError("`standardize` cannot take the standard deviation: the values are too large", help=help)
        return {"mean": np.asarray(mean).tolist(), "std": np.where(deviation > 0, deviation, 1.0).tolist()}

    def _moments(self, chunks: Iterable[Values]) -> tuple[Any, Any]:
        """The mean and the standard deviation."""
        import numpy as np

        count, mean, squares = 0, np.float64(0), np.float64(0)
        # Chan, Golub and LeVeque 1979: exact to rounding however the rows are cut into chunks.
        for chunk in chunks:
            kept = self._kept(chunk.ndim)
            others = tuple(axis for axis in range(chunk.ndim) if axis != kept)
            part = chunk.astype(np.float64)
            n = part.size // (part.shape[kept] if kept is not None else 1)
            if not n:
                continue
            own = part.mean(others)
            shift = own - mean
            squares = squares + part.var(others) * n + shift**2 * (count * n / (count + n))
            mean = mean + shift * (n / (count + n))
            count += n
        return mean, np.sqrt(squares / max(count, 1))

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        mean, deviation = (self.placed(learned[name], values.ndim - 1) for name in ("mean", "std"))
        scaled: Values = ((values - mean) / deviation).astype(np.float32)
        return scaled

    def placed(self, statistic: Any, rank: int) -> NDArray[np.float64]:
        """What it learned, so that it goes with a row of so many axes: with one element along each axis it has none for."""
        import numpy as np

        kept = self._kept(rank + 1)
        shape = [-1 if axis == kept else 1 for axis in range(1, rank + 1)]
        return np.asarray(statistic, np.float64).reshape(shape if kept is not None else ())

    def _kept(self, rank: int) -> int | None:
        if self.axis is None or rank == 1:
            return None
        return rank + self.axis if self.axis < 0 else self.axis + 1


class impute(Transform):  # noqa: N801
    """Replaces missing values by a statistic of the training part, or by a number; missing text by the most frequent text."""

    main_argument: ClassVar[str | None] = "strategy"
    learns: ClassVar[Mapping[str, Any]] = {"value": _Statistic | str | list[str]}

    strategy: Literal["mean", "median", "most_frequent"] | Number = Field(
        description="A statistic of the training part, for each column its own, or the number itself."
    )
    per_series: _PerSeries = False

    @property
    def for_each_series(self) -> bool:
        return self.per_series

    @property
    def fills(self) -> bool:
        return True

    @property
    def takes_text(self) -> bool:
        return self.strategy == "most_frequent"

    def infer(self, column: Column) -> Column:
        if column.is_text and self.takes_text:
            return column
        help = "write `impute: most_frequent`, and `label_encode` or `one_hot` after it"
        require_numbers(f"impute: {self.strategy}", column, help)
        return Column(column.shape, "float64")

    def fit(self, chunks: Iterable[Values]) -> Learned:
        import numpy as np

        if not isinstance(self.strategy, str):
            return {"value": self.strategy}
        chunks = list(chunks)
        if chunks and chunks[0].dtype == object:
            return {"value": _most_frequent_texts(np.concatenate(chunks))}
        rows = np.concatenate([chunk.astype(np.float64) for chunk in chunks])
        flat = rows.reshape(len(rows), -1)
        filled = [_statistic(self.strategy, flat[:, i]) for i in range(flat.shape[1])]
        return {"value": np.asarray(filled).reshape(rows.shape[1:]).tolist()}

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        if values.dtype == object:
            absent = np.array([value is None for value in values.ravel()], bool).reshape(values.shape)
            return np.where(absent, np.asarray(learned["value"], object), values)
        numbers = values.astype(np.float64)
        return np.where(np.isnan(numbers), np.asarray(learned["value"], np.float64), numbers)


def _statistic(strategy: str, values: NDArray[np.float64]) -> float:
    import numpy as np

    known = values[~np.isnan(values)]
    if not known.size:
        raise DataError("`impute` found no value in the training part: all are missing", help="give a number: `impute: 0`")
    if strategy == "most_frequent":
        found, counts = np.unique(known, return_counts=True)
        return float(found[counts.argmax()])
    return float(np.mean(known) if strategy == "mean" else np.median(known))


def _most_frequent_texts(rows: Values) -> Any:
    """The most frequent text of each column; of several, the first in the alphabet."""
    import numpy as np

    filled = []
    for column in rows.reshape(len(rows), -1).T:
        counts = Counter(text for text in column.tolist() if text is not None)
        if not counts:
            help = "leave the column out: it holds nothing"
            raise DataError("`impute` found no value in the training part: all are missing", help=help)
        filled.append(min(counts, key=lambda text: (-counts[text], text)))
    return np.array(filled, object).reshape(rows.shape[1:]).tolist()
