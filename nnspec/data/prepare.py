"""Reads the data of a plan: tables opened, the validation part drawn, transforms fitted on the rest, every value checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.binding import bind
from nnspec.data.border_weights import border_weights
from nnspec.data.check import suspect, unreadable
from nnspec.data.check_splits import check_same_columns
from nnspec.data.examples import Examples
from nnspec.data.fingerprint import Fingerprint, Watched, fingerprint
from nnspec.data.kinds import DataError
from nnspec.data.lazy import is_lazy, read_lazily
from nnspec.data.likely_mistakes import warn_of_values
from nnspec.data.per_series import series_of_rows
from nnspec.data.plan import DataPlan, Feed, display_name
from nnspec.data.reader_arguments import training_arguments
from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe, recipe_of_feeds
from nnspec.data.row_selection import select_rows, unit_count
from nnspec.data.sequence_lengths import check_lengths
from nnspec.data.shape_checks import check_feeds, target_shape
from nnspec.data.targets.computed import compute_targets, cut_windows, fits_targets, read_sequences
from nnspec.data.targets.values import read_target, read_weight
from nnspec.data.transforms import Learned
from nnspec.data.values import check_raw, read_feed, read_input
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError

__all__ = ["Prepared", "max_folds", "prepare", "prepare_part"]

State = dict[str, list[dict[str, Any]]]
"""What the transforms learned, by ``inputs.NAME`` and ``targets.NAME``: for each its name, arguments and what it learned."""


_NO_ROWS = "name data with at least one row; of a table, the first line names the columns and is no row"


@dataclass(frozen=True)
class Prepared:
    """Data that can be trained on.

    Attributes:
        train: What is trained on.
        validation: What is watched; None where there is none.
        test: The fold that is left out, if the test data are one; None if they have a reader of their own, or there are none.
        state: What the transforms learned, as plain JSON.
        recipe: How the inputs are made from raw data, what was learned included.
        fingerprints: What each set of data was, by part.
        watched: Whether their files are still what they were.
        warnings: What is worth saying about them.
    """

    train: Examples
    validation: Examples | None
    test: Examples | None
    state: State
    recipe: Recipe
    fingerprints: Mapping[str, Fingerprint]
    watched: Watched
    warnings: tuple[Diagnostic, ...]


def prepare(plan: DataPlan, seed: int) -> Prepared:
    """Reads what a plan trains on and watches; what it is tested on is read and checked, too.

    Args:
        plan: The plan.
        seed: Which validation part is drawn.

    Raises:
        SpecError: Where the data cannot be used, with everything that is wrong with them.
        NnspecError: Where a file was written to while it was read.
    """
    problems: list[Diagnostic] = []
    watched = Watched(plan.sources[part] for part in ("train", "validation") if part in plan.sources)
    tables = _open(plan, ("train", "validation", "test"), problems)
    feeds = _bind(plan, tables, problems)
    for part, table in tables.items():
        source = plan.sources[part]
        if not len(table):
            problems.append(d.NoRows.at(source.span, source.path, help=_NO_ROWS, part=display_name(part)))
        with _reading(plan, part, problems):
            problems.extend(suspect(warning, source, plan.tree) for warning in table.warnings())
    _stop_at_errors(problems)
    learned: dict[str, list[Learned]] = {place: [] for place in feeds}
    with _reading(plan, "train", problems):
        drawn = select_rows(plan, feeds, tables["train"], seed, problems)
        _stop_at_errors(problems)
        whole = _read(plan, feeds, tables["train"], drawn.train, learned, problems)
    others: dict[str, Examples | None] = {}
    for part in ("validation", "test"):
        if part in tables and whole is not None:
            with _reading(plan, part, problems):
                others[part] = _read(plan, feeds, tables[part], None, learned, problems)
    _stop_at_errors(problems)
    assert whole is not None
    validation = others.get("validation") or _rows_of(whole, drawn.validation)
    test = _rows_of(whole, drawn.test)
    problems.extend(warn_of_values(plan, feeds, tables["train"], learned, whole, others))
    train = cut_windows(plan, feeds, replace(whole, rows=drawn.train), problems)
    validation, test = (part and cut_windows(plan, feeds, part, problems) for part in (validation, test))
    _stop_at_errors(problems)
    digests = {part: fingerprint(plan.sources[part], table) for part, table in tables.items() if part != "test"}
    for name in watched.touched():
        raise NnspecError(f"{name} was written to while it was read\n  = help: begin when nothing writes to it")
    state = _state(feeds, learned)
    reader = training_arguments(plan.sources["train"].reader, tables["train"])
    recipe = recipe_of_feeds(feeds, state, windows=plan.windows, reader=reader)
    return Prepared(train, validation, test, state, recipe, digests, watched, tuple(problems))


def _rows_of(examples: Examples, rows: NDArray[np.int64] | None) -> Examples | None:
    return None if rows is None else replace(examples, rows=rows)


def prepare_part(plan: DataPlan, part: str, state: State) -> Examples:
    """Reads one set of data with what the transforms of a run learned.

    Args:
        plan: The plan.
        part: `train`, `validation` or `test`, which must be a reader.
        state: What the transforms learned.

    Raises:
        SpecError: Where the data cannot be used.
    """
    problems: list[Diagnostic] = []
    tables = _open(plan, (part,), problems)
    # Where the training data are no longer there, the same columns go without saying by this part's.
    feeds = plan.feeds or _bind(plan, {"train": tables[part]}, problems)
    if not len(tables[part]):
        source = plan.sources[part]
        problems.append(d.NoRows.at(source.span, source.path, help=_NO_ROWS, part=display_name(part)))
    _stop_at_errors(problems)
    learned = {place: [step["learned"] for step in state.get(place, [])] for place in feeds}
    with _reading(plan, part, problems):
        examples = _read(plan, feeds, tables[part], None, learned, problems)
    _stop_at_errors(problems)
    assert examples is not None
    examples = cut_windows(plan, feeds, examples, problems)
    _stop_at_errors(problems)
    return examples


def max_folds(plan: DataPlan) -> int:
    """How many folds the training data can be cut into: as many as there are rows, or groups.

    Raises:
        SpecError: Where the data cannot be read.
        NnspecError: Where the rows have an order in time, by which single ones cannot be left out.
    """
    table = _open(plan, ("train",), [])["train"]
    if plan.section.time is not None or table.timeline is not None or plan.windows:
        raise NnspecError("the rows follow each other in time, so that none can be left out alone: give a number of folds")
    with _reading(plan, "train", []):
        return unit_count(plan, table)


@contextmanager
def _reading(plan: DataPlan, part: str, problems: list[Diagnostic]) -> Iterator[None]:
    """Whatever cannot be read meanwhile is an error of the part's reader."""
    try:
        yield
    except DataError as error:
        raise SpecError([*problems, unreadable(error, plan.sources[part], plan.tree)]) from None


def _open(plan: DataPlan, parts: tuple[str, ...], problems: list[Diagnostic]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for part in parts:
        source = plan.sources.get(part)
        if source is not None and source.files is not None:
            try:
                tables[part] = source.reader.open(source.files)
            except DataError as error:
                problems.append(unreadable(error, source, plan.tree))
    _stop_at_errors(problems)
    return tables


def _bind(plan: DataPlan, tables: Mapping[str, Table], problems: list[Diagnostic]) -> Mapping[str, Feed]:
    """The feeds, checked against the tables as they are: a file of text tells its types only when it is read."""
    columns = {part: table.columns for part, table in tables.items()}
    feeds = plan.feeds or bind(plan.section, plan.tree, plan.inputs, plan.fed, columns["train"], problems)
    _stop_at_errors(problems)
    assert feeds is not None
    with _reading(plan, "train", problems):
        sound = _without_text(feeds, tables["train"], problems)
    before = len(problems)
    check_feeds(plan, sound, columns["train"], problems)
    if sound == feeds:
        check_same_columns(replace(plan, feeds=feeds), columns, problems)
    elif len(problems) == before:
        _check_values(plan, sound, tables["train"], problems)
    _stop_at_errors(problems)
    return feeds


def _without_text(feeds: Mapping[str, Feed], table: Table, problems: list[Diagnostic]) -> Mapping[str, Feed]:
    """The feeds without those of text where numbers are expected, of which it says which text that is, and what to do."""
    sound = {}
    for place, feed in feeds.items():
        before = len(problems)
        is_text = any(table.columns[column].is_text for column in feed.columns)
        if is_text and (not feed.transforms or not feed.transforms[0].takes_text):
            check_raw(table, feed, problems)
        if len(problems) == before:
            sound[place] = feed
    return sound


def _check_values(plan: DataPlan, feeds: Mapping[str, Feed], table: Table, problems: list[Diagnostic]) -> None:
    """Says which values of some feeds are wrong, where others cannot be read."""
    with _reading(plan, "train", problems):
        for place, feed in feeds.items():
            _ready(plan, place, feed, table, np.arange(len(table)), [], problems)


def _read(
    plan: DataPlan,
    feeds: Mapping[str, Feed],
    table: Table,
    fit_on: NDArray[np.int64] | None,
    learned: Mapping[str, list[Learned]],
    problems: list[Diagnostic],
) -> Examples | None:
    """All rows of a table, ready; None where something is wrong with a value."""
    before = len(problems)
    inputs: dict[str, Any] = {}
    targets: dict[str, Any] = {}
    weights: dict[str, Any] = {}
    for place, feed in feeds.items():
        kind, _, name = place.partition(".")
        (inputs if kind == "inputs" else targets)[name] = _ready(plan, place, feed, table, fit_on, learned[place], problems)
        if feed.weight is not None:
            weights[name] = read_weight(table, feed, problems)
        elif feed.border is not None and targets[name] is not None:
            weights[name] = border_weights(targets[name], plan.needs[name], feed.border)
    if not any(problem.is_error for problem in problems[before:]):
        check_lengths(plan, feeds, table, learned, problems)
    if any(problem.is_error for problem in problems[before:]):
        return None
    return Examples(
        inputs,
        targets | compute_targets(inputs, plan.target_sources),
        weights,
        np.arange(len(table)),
        series_of_rows(table, ()),
    )


def _ready(
    plan: DataPlan,
    place: str,
    feed: Feed,
    table: Table,
    fit_on: NDArray[np.int64] | None,
    learned: list[Learned],
    problems: list[Diagnostic],
) -> Any:
    """The values of an input or a target, in memory or made as they are used; None where one is wrong."""
    kind, _, name = place.partition(".")

    def finish(values: NDArray[Any], part: Table, said: list[Diagnostic]) -> NDArray[Any] | None:
        if kind == "inputs":
            if name in plan.windows:
                return read_sequences(values, part, feed, plan, said, rows=plan.tables.get(name))
            made = read_input(values, part, feed, plan.inputs[name], said, rows=plan.tables.get(name))
            return made if made is not None and fits_targets(made, part, feed, plan, said) else None
        return read_target(values, part, feed, plan.needs[name], target_shape(plan.needs[name], {}), said)

    if is_lazy(table, feed):
        return read_lazily(table, feed, fit_on, learned, problems, finish)
    found = read_feed(table, feed, fit_on, learned, problems)
    return None if found is None else finish(found, table, problems)


def _state(feeds: Mapping[str, Feed], learned: Mapping[str, list[Learned]]) -> State:
    return {
        place: [
            {"transform": type(transform).__name__, "arguments": transform.model_dump(mode="json"), "learned": found}
            for transform, found in zip(feed.transforms, learned[place], strict=True)
        ]
        for place, feed in feeds.items()
    }


def _stop_at_errors(problems: list[Diagnostic]) -> None:
    if any(problem.is_error for problem in problems):
        raise SpecError(problems)
