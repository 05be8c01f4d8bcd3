"""The classes of examples for batches with several examples of each class: ``data.batches``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nnspec.data import problems as d
from nnspec.data.kinds import Column
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, Feed
from nnspec.diagnostics import Diagnostic
from nnspec.types import did_you_mean, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Table

    Indices = NDArray[np.int64]

_MOST_NAMED = 4


def check_class_batches(plan: DataPlan, feeds: Mapping[str, Feed], columns: Mapping[str, Column]) -> Iterator[Diagnostic]:
    """Report an unknown or unsuitable column under ``batches``, and what cannot be combined with it.

    Args:
        plan: The plan.
        feeds: The known feeds.
        columns: The columns of the training data.
    """
    given = plan.section.batches
    if given is None:
        return
    place = locate(plan.tree, "batches", "of")
    named = _columns_of(given.of, feeds)
    column = named[0] if len(named) == 1 else None
    if plan.window is not None or any(step.sorts for feed in feeds.values() for step in feed.transforms):
        other = "`window` cuts" if plan.window is not None else "`buckets` of `pad` groups"
        reason = f"{other} the examples of a batch, and `batches` selects them by class"
        yield d.CannotSampleClasses.at(*locate(plan.tree, "batches"), help="remove one of them", reason=reason)
    elif column is None:
        reason = f"`{given.of}` is read from several columns: {listed(named)}"
        yield d.CannotSampleClasses.at(*place, help="name a column with one class per row", reason=reason)
    elif column not in columns:
        known = dict.fromkeys([*(feed.name for feed in feeds.values()), *columns])
        help = did_you_mean(column, known, f"the columns are {listed(columns)}")
        yield d.UnknownColumn.at(*place, help=help, column=column, part="training")
    elif columns[column].shape != ():
        reason = f"`{column}` has values of shape {columns[column].shape_text}, which are not classes"
        yield d.CannotSampleClasses.at(*place, help="name a column with one class per row", reason=reason)


def _columns_of(name: str, feeds: Mapping[str, Feed]) -> tuple[str, ...]:
    """Return the columns of the target or input of a name; without one, the name itself."""
    return next((feeds[f"{kind}.{name}"].columns for kind in ("targets", "inputs") if f"{kind}.{name}" in feeds), (name,))


def classes_of(
    plan: DataPlan, feeds: Mapping[str, Feed], table: Table, rows: Indices, problems: list[Diagnostic]
) -> Indices | None:
    """Return the class of rows, as indices from 0 without gaps; None if a value is not a class.

    Args:
        plan: A plan with ``batches``.
        feeds: The feeds.
        table: The table.
        rows: The rows.
        problems: Problems are appended here.
    """
    import numpy as np

    assert plan.section.batches is not None
    [column] = _columns_of(plan.section.batches.of, feeds)
    values = table.read(column, rows)
    bad = np.zeros(len(values), bool)
    if values.dtype == object:
        bad = np.array([value is None for value in values], bool)
        values = values.astype(str)
    elif values.dtype.kind == "f":
        bad = ~np.isfinite(values) | (values % 1 != 0)
    if bad.any():
        row = int(bad.argmax())
        where = table.where(column, int(rows[row]))
        reason = f"{where}: a class is missing" if values.dtype.kind in "UO" else f"{where}: {values[row]:g} is not a class"
        place = locate(plan.tree, "batches", "of")
        problems.append(d.CannotSampleClasses.at(*place, help="name a column of classes", reason=reason))
        return None
    found: Indices = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return found


def warn_of_small_classes(
    plan: DataPlan, feeds: Mapping[str, Feed], table: Table, rows: Indices, classes: Indices
) -> Iterator[Diagnostic]:
    """Warn of classes with fewer examples than a batch has of each."""
    import numpy as np

    given = plan.section.batches
    assert given is not None
    first, counts = np.unique(classes, return_index=True, return_counts=True)[1:]
    small = np.flatnonzero(counts < given.each)
    if len(small):
        [column] = _columns_of(given.of, feeds)
        named = [f"`{table.read(column, rows[first[c : c + 1]])[0]}` ({counts[c]})" for c in small[:_MOST_NAMED].tolist()]
        more = f" and {len(small) - _MOST_NAMED} more" if len(small) > _MOST_NAMED else ""
        which = ", ".join(named) + more
        place = locate(plan.tree, "batches", "each")
        help = f"write `each: {counts.min()}`" if counts.min() > 1 else "add examples, or remove these classes"
        yield d.SmallClasses.at(*place, help=help, each=given.each, which=which)
