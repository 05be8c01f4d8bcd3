"""Numeric transforms. The classes are named as in a spec."""

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

_PerSeries = Annotated[Flag, Field(description="Whether to compute separate statistics for each series of `series: {by: …}`.")]

_ALL_MISSING = "`impute` has no value to fill in: all values of the training data are missing"

_Statistic = float | list[float] | list[list[float]] | list[list[list[float]]] | list[list[list[list[float]]]]
"""A number, or an array as nested lists."""


class rescale(Transform):  # noqa: N801
    """Computes ``x * scale + offset``. A scale of 0.00392156862745098 maps pixels from 0–255 to 0–1."""

    main_argument: ClassVar[str | None] = "scale"

    scale: Number = Field(description="The factor.", examples=[0.00392156862745098])
    offset: Number = Field(0.0, description="The offset, added after scaling.")

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
    """Subtracts the mean of the training data and divides by their standard deviation; constant values become 0."""

    learns: ClassVar[Mapping[str, Any]] = {"mean": _Statistic, "std": _Statistic}

    axis: WholeNumber | None = Field(
        -1,
        description="The axis with separate statistics for each index, such as channels or stacked columns; null for a single "
        "mean and standard deviation.",
    )
    per_series: _PerSeries = False

    @property
    def for_each_series(self) -> bool:
        return self.per_series

    def infer(self, column: Column) -> Column:
        require_numbers("standardize", column)
        rank = len(column.shape)
        if self.axis is not None and rank and not -rank <= self.axis < rank:
            raise DataError(f"`standardize` has axis {self.axis}, but a row's value has shape {column.shape_text}")
        return Column(column.shape, "float32")

    def fit(self, chunks: Iterable[Values]) -> Learned:
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            mean, deviation = self._moments(chunks)
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all()):
            help = "remove rows with values beyond 1e150, whose squares overflow float64"
            raise DataError("`standardize` cannot compute the standard deviation: the values are too large", help=help)
        return {"mean": np.asarray(mean).tolist(), "std": np.where(deviation > 0, deviation, 1.0).tolist()}

    def _moments(self, chunks: Iterable[Values]) -> tuple[Any, Any]:
        import numpy as np

        count, mean, squares = 0, np.float64(0), np.float64(0)
        # Chan, Golub and LeVeque 1979: the result does not depend on the chunks, except for rounding.
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

        mean, deviation = (self.broadcastable(learned[name], values.ndim - 1) for name in ("mean", "std"))
        with np.errstate(over="ignore"):  # infinite values are reported with their row
            scaled: Values = ((values - mean) / deviation).astype(np.float32)
        return scaled

    def broadcastable(self, statistic: Any, rank: int) -> NDArray[np.float64]:
        """Reshape a fitted statistic so that it broadcasts against a row's value of a rank."""
        import numpy as np

        kept = self._kept(rank + 1)
        shape = [-1 if axis == kept else 1 for axis in range(1, rank + 1)]
        return np.asarray(statistic, np.float64).reshape(shape if kept is not None else ())

    def _kept(self, rank: int) -> int | None:
        if self.axis is None or rank == 1:
            return None
        return rank + self.axis if self.axis < 0 else self.axis + 1


class impute(Transform):  # noqa: N801
    """Replaces missing values by a statistic of the training data or by a number; missing text by the most frequent text."""

    main_argument: ClassVar[str | None] = "strategy"
    learns: ClassVar[Mapping[str, Any]] = {"value": _Statistic | str | list[str]}

    strategy: Literal["mean", "median", "most_frequent"] | Number = Field(
        description="A statistic of the training data, computed for each column, or a number."
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
        if self.takes_text and (column.is_text or column.dtype == "unknown"):
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
        raise DataError(_ALL_MISSING, help="give a number: `impute: 0`")
    if strategy == "most_frequent":
        found, counts = np.unique(known, return_counts=True)
        return float(found[counts.argmax()])
    with np.errstate(over="ignore", invalid="ignore"):
        result = float(np.mean(known) if strategy == "mean" else np.median(known))
    if np.isfinite(known).all() and not np.isfinite(result):
        help = "remove rows with values near 1.8e308, the maximum of float64"
        raise DataError(f"`impute` cannot compute the {strategy}: the values are too large", help=help)
    return result


def _most_frequent_texts(rows: Values) -> Any:
    """Return the most frequent text of each column; ties are resolved alphabetically."""
    import numpy as np

    filled = []
    for column in rows.reshape(len(rows), -1).T:
        counts = Counter(text for text in column.tolist() if text is not None)
        if not counts:
            raise DataError(_ALL_MISSING, help="remove the column: it has no values")
        filled.append(min(counts, key=lambda text: (-counts[text], text)))
    return np.array(filled, object).reshape(rows.shape[1:]).tolist()
