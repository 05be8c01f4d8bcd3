"""Types of columns and targets, and the errors of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TargetKind = Literal["class", "distribution", "probability", "sign", "number", "non_negative", "label", "sequence", "integer"]
"""The kind of target that a loss expects.

- ``class``: a class index for each position; the output's shape without its last axis, integers below its size.
- ``distribution``: one-hot vectors, or probabilities that sum to 1 over the last axis; the output's shape.
- ``probability``: a number from 0 to 1 for each element; the output's shape.
- ``sign``: −1 or 1 (or 0 or 1) for each element; the output's shape.
- ``number``: any number for each element; the output's shape.
- ``non_negative``: a number of at least 0 for each element; the output's shape.
- ``label``: an integer for each example, independent of the output's shape.
- ``sequence``: integers along one axis, padded with 0.
- ``integer``: an integer for each element, of the shape that the loss declares.
"""


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """How an output's values become predictions.

    Attributes:
        kind: ``class``: the argmax along an axis; ``yes_or_no``: positive above a threshold; ``number``: the values themselves.
        above: The threshold.
    """

    kind: Literal["class", "yes_or_no", "number"]
    above: float = 0.5


def decision_rule(kind: TargetKind | None, *, logits: bool = False) -> DecisionRule:
    """Return the decision rule of an output that was trained on a kind of target.

    Args:
        kind: The kind of target; None if there is no target.
        logits: Whether the outputs are logits.

    Example:
        >>> decision_rule("probability", logits=True)
        DecisionRule(kind='yes_or_no', above=0.0)
    """
    if kind in ("class", "distribution"):
        return DecisionRule("class")
    if kind in ("probability", "sign"):
        return DecisionRule("yes_or_no", 0.0 if logits or kind == "sign" else 0.5)
    return DecisionRule("number")


_AT = " at "


def at_name(column: str, at: str) -> str:
    """Return the table's name of a series column in the past or future of a window: ``load at future``."""
    return f"{column}{_AT}{at}"


def bare_name(column: str) -> str:
    """Return the column name without ``at past`` or ``at future``.

    Example:
        >>> bare_name(at_name("load", "future"))
        'load'
    """
    name, _, at = column.rpartition(_AT)
    return name if at in ("past", "future") and name else column


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        shape: The shape of one row's value; None for a size that is unknown before the data are read.
        dtype: NumPy's name of the element type, ``text`` for strings, or ``unknown`` before the data are read.
        ragged: Whether the first size differs between rows; the values are then an object array of arrays or lists of strings.
        refused: Why it cannot be read, as a clause such as ``is of a type that …``; empty if it can be read.
        fill: What rows of different lengths are padded with, unless the spec states it.
        boxes_of: The column or input with the image in which the values are boxes, ``x1, y1, x2, y2`` in its pixels; empty if
            they are not boxes.
        rows_of: The column of boxes for each of which there is a value, such as its class; empty if there is none.
        classes: The classes that the data declare, in their order; empty if they are learned from the values.
    """

    shape: tuple[int | None, ...] = ()
    dtype: str = "float64"
    ragged: bool = False
    refused: str = ""
    fill: float = 0
    boxes_of: str = ""
    rows_of: str = ""
    classes: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        return self.dtype == "text"

    @property
    def is_token_list(self) -> bool:
        """Whether a row's value is a list of strings."""
        return self.is_text and len(self.shape) == 1

    @property
    def shape_text(self) -> str:
        """The shape for messages, with ``?`` for unknown sizes."""
        sizes = ["?" if size is None else str(size) for size in self.shape]
        return "(" + ", ".join(sizes) + (",)" if len(sizes) == 1 else ")")


class DataError(Exception):
    """Data that cannot be used. The caller knows the location in the spec and turns the error into a diagnostic.

    Attributes:
        message: The problem, with file, row, column and value if applicable.
        help: How to fix it.
        argument: The reader's argument that is at fault, if any.
        others: Errors for further problems.
    """

    others: tuple[DataError, ...] = ()

    def __init__(self, message: str, *, help: str = "", argument: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.argument = argument


class UnknownColumnError(DataError):
    """A reader's argument names a column that its table does not have.

    Attributes:
        column: The name.
    """

    def __init__(self, column: str, *, help: str, argument: str) -> None:
        super().__init__(f"there is no column `{column}`", help=help, argument=argument)
        self.column = column


class AnnotationError(DataError):
    """A mistake in the annotations of images."""


@dataclass(frozen=True, slots=True)
class DataWarning:
    """Data that can be used, but probably not as intended.

    Attributes:
        message: The problem.
        help: How to fix it.
        argument: The reader's argument that is concerned, if any.
        is_note: Whether it is a fact to know, and usual.
    """

    message: str
    help: str = ""
    argument: str | None = None
    is_note: bool = False
