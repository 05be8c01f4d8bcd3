"""The target of a table, and whether it is classified or predicted as a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nnspec.diagnostics import NnspecError
from nnspec.drafting.columns import ColumnFacts
from nnspec.drafting.yaml_text import can_be_written
from nnspec.types import did_you_mean, listed

Task = Literal["classification", "regression"]

_NAMES = (
    "target",
    "label",
    "labels",
    "class",
    "y",
    "outcome",
    "response",
    "output",
    "category",
    "survived",
    "species",
    "churn",
)
_MOST_CLASSES_OF_NUMBERS = 10
_MOST_CLASSES = 1_000
_ROWS_OF_A_CLASS = 5
_UNBALANCED = 0.4
"""A class is rare if it has less than this share of the rows that an equal division gives it."""
_LARGEST_WEIGHT = 20.0


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Attributes:
        facts: The column.
        why: Why this column.
        task: How it is predicted.
        reason: Why so.
        classes: The classes in order, with their numbers of rows; empty for a regression.
    """

    facts: ColumnFacts
    why: str
    task: Task
    reason: str
    classes: Mapping[str | int | float, int]

    @property
    def is_binary(self) -> bool:
        return len(self.classes) == 2

    @property
    def rarest(self) -> tuple[str | int | float, int]:
        """The rarest class, and its number of rows."""
        return min(self.classes.items(), key=lambda item: item[1])

    @property
    def is_unbalanced(self) -> bool:
        """Whether a class is rare."""
        return bool(self.classes) and self.rarest[1] < _UNBALANCED * sum(self.classes.values()) / len(self.classes)

    @property
    def can_be_balanced(self) -> bool:
        """Whether the weight that balances the rarest class is moderate."""
        return sum(self.classes.values()) <= _LARGEST_WEIGHT * len(self.classes) * self.rarest[1]


def choose_target(facts: Mapping[str, ColumnFacts], name: str | None, task: Task | None) -> Target:
    """Choose the target.

    Args:
        facts: The columns.
        name: The column to predict; None to choose one.
        task: How to predict it; None to choose.

    Raises:
        NnspecError: If there is no such column, or it cannot be predicted.
    """
    if name is not None and name not in facts:
        help = did_you_mean(name, facts, f"the columns are {listed(list(facts)[:20])}")
        raise NnspecError(f"there is no column `{name}`\n  = help: {help}")
    column, why = (facts[name], "given by --target") if name is not None else _chosen(facts)
    _require_predictable(column)
    chosen, reason = _task(column)
    if task is not None:
        chosen, reason = task, "given by --task"
    if chosen == "regression" and column.kind != "number":
        raise NnspecError(
            f"`{column.name}` is not a number, so it can only be classified\n  = help: remove `--task regression`"
        )
    classes: dict[str | int | float, int] = {}
    if chosen == "classification":
        classes = {_whole(value): column.counts[value] for value in sorted(column.counts, key=_order)}
        if len(classes) > _MOST_CLASSES:
            reason = f"`{column.name}` has {len(classes):,} distinct values, too many for classes"
            raise NnspecError(f"{reason}\n  = help: choose another column with `--target COLUMN`")
    return Target(column, why, chosen, reason, classes)


def _chosen(facts: Mapping[str, ColumnFacts]) -> tuple[ColumnFacts, str]:
    possible = [column for column in facts.values() if column.kind in ("number", "category")]
    if not possible:
        raise NnspecError(
            "no column can be predicted: none has numbers or classes\n  = help: choose one with `--target COLUMN`"
        )
    for name in _NAMES:
        for column in possible:
            if column.name.lower() == name:
                return column, "its name is common for a target"
    last = possible[-1]
    is_last = last.name == list(facts)[-1]
    return last, "it is the last column" if is_last else "it is the last column of numbers or classes"


def _require_predictable(column: ColumnFacts) -> None:
    reason = {
        "empty": "has no values",
        "constant": "has the same value in every row",
        "date": "contains dates",
        "text": "contains texts",
    }.get(column.kind, "")
    if column.kind == "identifier" and column.rows - column.missing < 2 * len(column.counts):
        reason = "has another value in nearly every row"
    if column.is_too_large:
        reason = "has infinite values, or values beyond 1e150"
    if not can_be_written(column.name):
        raise NnspecError(
            f"a spec cannot name the column `{column.name}`, since `${{` begins an expression\n  = help: rename it"
        )
    if reason:
        raise NnspecError(
            f"`{column.name}` cannot be predicted: it {reason}\n  = help: choose another column with `--target COLUMN`"
        )
    if column.missing:
        raise NnspecError(
            f"the target `{column.name}` is missing in {column.missing:,} of {column.rows:,} rows\n"
            "  = help: move these rows to a file of their own, which the model can predict; or choose another column with "
            "`--target COLUMN`"
        )


def _task(column: ColumnFacts) -> tuple[Task, str]:
    distinct = len(column.counts)
    if column.kind != "number":
        return "classification", f"it has {distinct} distinct values"
    whole = all(float(value).is_integer() for value in column.counts)
    if whole and distinct <= _MOST_CLASSES_OF_NUMBERS and column.rows >= _ROWS_OF_A_CLASS * distinct:
        return "classification", f"it has only {distinct} distinct values, all whole numbers"
    return "regression", f"it has {distinct:,} distinct numbers"


def _whole(value: str | float) -> str | int | float:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _order(value: str | float) -> tuple[bool, float, str]:
    return (isinstance(value, str), 0.0 if isinstance(value, str) else float(value), str(value))
