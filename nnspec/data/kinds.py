"""What stands in a column, and what a target is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "DecisionRule",
    "Column",
    "DataError",
    "DataWarning",
    "TargetKind",
    "UnknownColumnError",
    "decision_rule",
    "at_name",
    "bare_name",
]

TargetKind = Literal["class", "distribution", "probability", "sign", "number", "non_negative", "label", "sequence"]
"""What a target is, to the loss that reads it.

- ``class``: the index of a class for each position: the output's shape without its last axis, integers below its size.
- ``distribution``: one-hot, or probabilities that sum to 1 over the last axis; the output's shape.
- ``probability``: 0, 1 or between, for each element; the output's shape.
- ``sign``: −1 or 1 (or 0 or 1) for each element; the output's shape.
- ``number``: any number for each element; the output's shape.
- ``non_negative``: a number of at least 0 for each element; the output's shape.
- ``label``: an integer for each example, whatever the output's shape.
- ``sequence``: integers along one axis, filled up with 0.
"""


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """How an output's values are to be read.

    Attributes:
        kind: ``class``: the largest along an axis is said; ``yes_or_no``: each says yes where it is above a threshold;
            ``number``: they are what is said.
        above: The threshold.
    """

    kind: Literal["class", "yes_or_no", "number"]
    above: float = 0.5


def decision_rule(kind: TargetKind | None, *, logits: bool = False) -> DecisionRule:
    """How the values of an output that was trained on targets of a kind are to be read.

    Args:
        kind: What the targets are; None where there are none.
        logits: Whether the output is logits.

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
    """What a column of a series is called in its windows' past or future: ``load at future``."""
    return f"{column}{_AT}{at}"


def bare_name(column: str) -> str:
    """The same without the time.

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
        shape: The shape of one row's value; None for a size that is known only when the data are read.
        dtype: NumPy's name of its element type, ``text`` for strings, or ``unknown`` before the data are read.
        ragged: Whether the first size is another in each row: such values are an array of arrays, or of lists of texts.
        refused: Why it cannot be read, as a clause such as ``is of a type that …``; empty if it can.
    """

    shape: tuple[int | None, ...] = ()
    dtype: str = "float64"
    ragged: bool = False
    refused: str = ""

    @property
    def is_text(self) -> bool:
        return self.dtype == "text"

    @property
    def is_token_list(self) -> bool:
        """Whether a row's value is a list of texts."""
        return self.is_text and len(self.shape) == 1

    @property
    def shape_text(self) -> str:
        """The shape as people write it, ``?`` for an unknown size."""
        sizes = ["?" if size is None else str(size) for size in self.shape]
        return "(" + ", ".join(sizes) + (",)" if len(sizes) == 1 else ")")


class DataError(Exception):
    """Data that cannot be used. Who asked for them knows the place in the spec, and makes a diagnostic of it.

    Attributes:
        message: What is wrong, with file, row, column and value where there are such.
        help: What to do.
        argument: The reader's argument at fault, where it is one.
    """

    def __init__(self, message: str, *, help: str = "", argument: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.argument = argument


class UnknownColumnError(DataError):
    """A reader's arguments name columns that its table does not have.

    Attributes:
        column: The name.
        others: The same for other names.
    """

    others: tuple[UnknownColumnError, ...] = ()

    def __init__(self, column: str, *, help: str, argument: str) -> None:
        super().__init__(f"there is no column `{column}`", help=help, argument=argument)
        self.column = column


@dataclass(frozen=True, slots=True)
class DataWarning:
    """Something about data that can be used, and probably is not meant.

    Attributes:
        message: What it is.
        help: What to do.
        argument: The reader's argument that it is about, if there is one.
    """

    message: str
    help: str = ""
    argument: str | None = None
