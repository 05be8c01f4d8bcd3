"""The check of data values for a spec without a section ``train``, whose losses are unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.binding import known_feeds
from nnspec.data.check import check_data
from nnspec.data.check_splits import check_same_columns
from nnspec.data.kinds import DataError
from nnspec.data.lazy import is_lazy, read_lazily
from nnspec.data.plan import DataPlan, Feed, Need
from nnspec.data.prepare import prepare
from nnspec.data.readers.base import Table
from nnspec.data.transforms import Learned
from nnspec.data.values import check_raw, read_feed
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import Graph
from nnspec.spec import Spec

__all__ = ["check_values"]


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


def _check_targets(plan: DataPlan, graph: Graph, tables: Mapping[str, Table], problems: list[Diagnostic]) -> None:
    outputs = graph.output_types
    needs = {
        name: Need("number", outputs[name], "")
        for name, given in plan.section.targets.items()
        if given.names and name in outputs
    }
    columns = {part: table.columns for part, table in tables.items()}
    feeds, whole = known_feeds(plan.section, plan.tree, {}, needs, columns["train"], problems)
    before = len(problems)
    if whole:
        check_same_columns(replace(plan, feeds=feeds, needs=needs), columns, problems)
    if not whole or len(problems) > before:
        return
    for feed in feeds.values():
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
