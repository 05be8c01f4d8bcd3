"""What is done to a column's values on their way to an input or from a target.

A transform learns from the training part alone; what it learned is plain JSON, kept in the run, so that the same is done
to the test set and to what is served. The classes have the names that a spec uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict, model_validator

from nnspec.data.kinds import Column, DataError
from nnspec.layers.scalars import Flag, Number, PositiveInt, WholeNumber
from nnspec.types import Config, Family

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[Any]

__all__ = ["TRANSFORMS", "Learned", "Transform"]

TRANSFORMS = Family(
    kind="transform",
    modules=dict.fromkeys(("impute", "label_encode", "one_hot", "rescale", "standardize"), __name__),
    aliases={"normalize": "standardize", "scale": "rescale", "fillna": "impute", "onehot": "one_hot"},
)
"""Every transform by name."""

Learned = dict[str, Any]
"""What a transform learned, as plain JSON values."""

_Label = Annotated[int, Strict()] | Annotated[str, Strict()]


class Transform(Config):
    """One step between a column and the model."""

    takes_text: ClassVar[bool] = False
    """Whether text may come in."""

    @property
    def fills(self) -> bool:
        """Whether missing values may come in."""
        return False

    def infer(self, column: Column) -> Column:
        """What comes out, from what comes in; sizes it has yet to learn are None.

        Raises:
            DataError: Where it cannot take that column.
        """
        raise NotImplementedError

    def fit(self, chunks: Iterable[Values]) -> Learned:
        """What it learns from the training part's values, which come in chunks of rows, as often as they are asked for."""
        del chunks
        return {}

    def apply(self, values: Values, learned: Learned) -> Values:
        """The values it makes; a row stays a row.

        Raises:
            DataError: Where a value is not one it knows.
        """
        raise NotImplementedError


def _require_numbers(transform: str, column: Column) -> None:
    if column.is_text:
        help = "put `label_encode` or `one_hot` before it"
        raise DataError(f"`{transform}` takes numbers, and the column holds text", help=help)


class rescale(Transform):  # noqa: N801
    """``x * scale + offset``: pixels from 0 to 255 become 0 to 1 by 0.00392156862745098."""

    main_argument: ClassVar[str | None] = "scale"

    scale: Number = Field(description="The factor.")
    offset: Number = Field(0.0, description="What is added.")

    def infer(self, column: Column) -> Column:
        _require_numbers("rescale", column)
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

    axis: WholeNumber | None = Field(
        -1,
        description="The axis with statistics of its own for each place, as of channels or stacked columns; null for none.",
    )

    def infer(self, column: Column) -> Column:
        _require_numbers("standardize", column)
        rank = len(column.shape)
        if self.axis is not None and rank and not -rank <= self.axis < rank:
            raise DataError(f"`standardize` has axis {self.axis}, and a row's value has the shape {column.shape_text}")
        return Column(column.shape, "float32")

    def fit(self, chunks: Iterable[Values]) -> Learned:
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
        deviation = np.sqrt(squares / max(count, 1))
        deviation = np.where(deviation > 0, deviation, 1.0)
        return {"mean": np.asarray(mean).tolist(), "std": deviation.tolist()}

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        shape = [1] * values.ndim
        kept = self._kept(values.ndim)
        if kept is not None:
            shape[kept] = -1
        mean, deviation = (np.asarray(learned[name], np.float64).reshape(shape) for name in ("mean", "std"))
        scaled: Values = ((values - mean) / deviation).astype(np.float32)
        return scaled

    def _kept(self, rank: int) -> int | None:
        if self.axis is None or rank == 1:
            return None
        return rank + self.axis if self.axis < 0 else self.axis + 1


class impute(Transform):  # noqa: N801
    """Puts a value in the place of each that is missing: a statistic of the training part, or a number."""

    main_argument: ClassVar[str | None] = "strategy"

    strategy: Literal["mean", "median", "most_frequent"] | Number = Field(
        description="A statistic of the training part, for each column its own, or the number itself."
    )

    @property
    def fills(self) -> bool:
        return True

    def infer(self, column: Column) -> Column:
        _require_numbers("impute", column)
        return Column(column.shape, "float64")

    def fit(self, chunks: Iterable[Values]) -> Learned:
        import numpy as np

        if not isinstance(self.strategy, str):
            return {"value": self.strategy}
        rows = np.concatenate([chunk.astype(np.float64) for chunk in chunks])
        flat = rows.reshape(len(rows), -1)
        filled = [_statistic(self.strategy, flat[:, i]) for i in range(flat.shape[1])]
        return {"value": np.asarray(filled).reshape(rows.shape[1:]).tolist()}

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

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


class _Encode(Transform):
    takes_text: ClassVar[bool] = True

    classes: PositiveInt | list[_Label] | None = Field(
        None, description="The classes in order, or their number where they are counted from 0; null to learn them, sorted."
    )
    unknown: Flag = Field(False, description="Whether a class that is not known is allowed.")

    @model_validator(mode="after")
    def _distinct(self) -> _Encode:
        if isinstance(self.classes, list) and (len(set(self.classes)) < len(self.classes) or not self.classes):
            raise ValueError("`classes` must be given, each once")
        return self

    @property
    def fills(self) -> bool:
        return self.unknown

    def _count(self) -> int | None:
        return len(self.classes) if isinstance(self.classes, list) else self.classes

    def fit(self, chunks: Iterable[Values]) -> Learned:
        if isinstance(self.classes, int):
            return {"classes": list(range(self.classes))}
        if self.classes is not None:
            return {"classes": list(self.classes)}
        found: set[Any] = set()
        for chunk in chunks:
            found.update(_labels(chunk))
        found.discard(None)
        return {"classes": sorted(found)}

    def _indices(self, values: Values, learned: Learned) -> NDArray[np.int64]:
        """The index of each value's class; the number of classes for one that is not known."""
        import numpy as np

        order = {label: i for i, label in enumerate(learned["classes"])}
        labels = _labels(values)
        indices = np.fromiter((order.get(label, len(order)) for label in labels), np.int64, len(labels)).reshape(values.shape)
        if not self.unknown and (indices == len(order)).any():
            raise UnknownClassError(int((indices == len(order)).ravel().argmax()), learned["classes"])
        return indices


class UnknownClassError(DataError):
    """A value that is none of the classes.

    Attributes:
        position: Where it stands, counted through the values.
    """

    def __init__(self, position: int, classes: list[Any]) -> None:
        shown = ", ".join(map(repr, classes[:8])) + (", …" if len(classes) > 8 else "")
        super().__init__(f"the classes are {shown}", help="add it to `classes`, or allow it with `unknown: true`")
        self.position = position


class label_encode(_Encode):  # noqa: N801
    """The index of a value's class: 0, 1, 2 … in the order of the classes; one that is not known comes behind them all."""

    def infer(self, column: Column) -> Column:
        return Column(column.shape, "int64")

    def apply(self, values: Values, learned: Learned) -> Values:
        return self._indices(values, learned)


class one_hot(_Encode):  # noqa: N801
    """1 at a value's class and 0 elsewhere, along a new last axis; all 0 for one that is not known."""

    def infer(self, column: Column) -> Column:
        return Column((*column.shape, self._count()), "float32")

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        table = np.eye(len(learned["classes"]) + 1, len(learned["classes"]), dtype=np.float32)
        return table[self._indices(values, learned)]


def _labels(chunk: Values) -> list[Any]:
    return [_whole(label) for label in chunk.ravel().tolist()]


def _whole(label: Any) -> Any:
    """A label as JSON has it: ``3.0`` is 3, and what is not there is None."""
    if isinstance(label, float):
        return None if label != label else int(label) if label.is_integer() else label
    return label
