"""The check of data values if the losses are unknown: there is no section ``train``, or the sections have errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.binding import known_feeds
from nnspec.data.check import check_data, known_data, unreadable
from nnspec.data.check_splits import check_same_columns
from nnspec.data.kinds import DataError
from nnspec.data.lazy import is_lazy, read_lazily
from nnspec.data.plan import DataPlan, Feed, Need
from nnspec.data.prepare import prepare
from nnspec.data.readers.base import Table
from nnspec.data.shape_checks import transformed_column
from nnspec.data.transforms import Learned
from nnspec.data.values import check_raw, read_feed
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import Graph
from nnspec.spec import Spec


def check_values(spec: Spec, graph: Graph, problems: list[Diagnostic]) -> None:
    """Report values that are invalid for any loss.

    Inputs are checked in full. Targets that the section names must be readable and transformable; the valid range of their
    values depends on the loss.
    """
    plan = check_data(spec, graph, {}, problems, require_data=True)
    if plan is None:
        return
    if "train" not in plan.sources:
        problems.append(d.NoData.at(plan.tree.span, plan.tree.path, help="write `data: {train: {csv: data/train.csv}}`"))
        return
    found: list[Diagnostic] = []
    try:
        found.extend(prepare(plan, seed=0).warnings)
    except SpecError as error:
        found.extend(error.diagnostics)
    try:
        tables = {part: source.reader.open(source.files) for part, source in plan.sources.items() if source.files is not None}
    except DataError:
        pass  # reported with the inputs
    else:
        _check_targets(plan, graph, tables, found)
    problems.extend(found)


def check_known_values(spec: Spec, graph: Graph, problems: list[Diagnostic]) -> None:
    """Report invalid values of the inputs and targets that have no errors, if others have some.

    Args:
        spec: The spec.
        graph: The network.
        problems: The errors of the sections ``train`` and ``data``; new problems are appended.
    """
    plan = known_data(spec, graph, {}, [], certain=False)
    if plan is None:
        return
    found: list[Diagnostic] = []
    feeds, refused = _known_feeds(plan, graph, problems)
    tables: dict[str, Table] = {}
    for part, source in plan.sources.items():
        if source.files is not None and part not in plan.section.wrong_arguments:
            try:
                tables[part] = source.reader.open(source.files)
            except DataError as error:
                if not refused:  # otherwise probably for the same reason
                    found.append(unreadable(error, source, plan.tree))
    for feed in feeds if "train" in tables else ():
        _check_feed(feed, {part: table for part, table in tables.items() if {*feed.columns} <= {*table.columns}}, found)
    known = {(problem.code, problem.span) for problem in problems}
    problems.extend(problem for problem in found if (problem.code, problem.span) not in known)


def _known_feeds(plan: DataPlan, graph: Graph, problems: list[Diagnostic]) -> tuple[list[Feed], bool]:
    """Return the inputs and targets that have no errors, and whether the columns of others do not fit."""
    source = plan.sources.get("train")
    if source is None or source.files is None:
        return [], False
    try:
        columns = source.reader.columns(source.files)
    except DataError:
        return [], False  # also reported when the table is opened
    plan = replace(plan, needs=_needs(plan, graph))
    targets, _ = known_feeds(plan.section, plan.tree, {}, plan.needs, columns, [], unsure=("targets",))
    wrong = [problem.path for problem in problems if problem.is_error]
    feeds = {**(plan.feeds or {}), **targets}
    fitting = {
        place: feed
        for place, feed in feeds.items()
        if not any(path == f"data.{place}" or path.startswith((f"data.{place}.", f"data.{place}[")) for path in wrong)
        and transformed_column(plan, place, feed, columns, []) is not None
    }
    return list(fitting.values()), len(fitting) < len(feeds)


def _needs(plan: DataPlan, graph: Graph) -> dict[str, Need]:
    """Return the needs of the targets that the section names, as if for any numbers."""
    outputs = graph.output_types
    return {
        name: Need("number", outputs[name], "")
        for name, given in plan.section.targets.items()
        if given.names and name in outputs
    }


def _check_targets(plan: DataPlan, graph: Graph, tables: Mapping[str, Table], problems: list[Diagnostic]) -> None:
    needs = _needs(plan, graph)
    columns = {part: table.columns for part, table in tables.items()}
    feeds, whole = known_feeds(plan.section, plan.tree, {}, needs, columns["train"], problems)
    before = len(problems)
    if whole:
        check_same_columns(replace(plan, feeds=feeds, needs=needs), columns, problems)
    if not whole or len(problems) > before:
        return
    for feed in feeds.values():
        _check_feed(feed, tables, problems)


def _check_feed(feed: Feed, tables: Mapping[str, Table], problems: list[Diagnostic]) -> None:
    learned: list[Learned] = []
    for part, table in tables.items():
        if part == "train":
            _read(table, feed, np.arange(len(table)), learned, problems)
        elif len(learned) == len(feed.transforms):
            _read(table, feed, None, learned, problems)
        else:
            check_raw(table, feed, problems)


def _read(
    table: Table, feed: Feed, fit_on: NDArray[np.int64] | None, learned: list[Learned], problems: list[Diagnostic]
) -> None:
    def unchanged(values: NDArray[Any], part: Table, found: list[Diagnostic]) -> NDArray[Any]:
        del part, found
        return values

    if is_lazy(table, feed):
        read_lazily(table, feed, fit_on, learned, problems, unchanged)
    else:
        read_feed(table, feed, fit_on, learned, problems)
