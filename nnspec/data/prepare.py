"""Reads the data of a plan: opens tables, splits rows, fits and applies transforms, and checks every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.binding import known_feeds
from nnspec.data.border_weights import border_weights
from nnspec.data.box_feeds import box_fields, with_columns
from nnspec.data.box_values import check_box_values, check_composed_boxes
from nnspec.data.check import suspect, unreadable
from nnspec.data.check_splits import check_same_columns
from nnspec.data.class_batches import classes_of, warn_of_small_classes
from nnspec.data.examples import Examples
from nnspec.data.fingerprint import FileMonitor, Fingerprint, fingerprint, fingerprint_of_files
from nnspec.data.image_frames import ImageFrames, image_frames
from nnspec.data.kinds import DataError
from nnspec.data.lazy import LazyArray, is_lazy, read_lazily
from nnspec.data.likely_mistakes import warn_of_shared_images, warn_of_values
from nnspec.data.per_series import series_of_rows
from nnspec.data.plan import DataPlan, Feed, display_name, target_shape
from nnspec.data.positions import check_positions
from nnspec.data.reader_arguments import training_arguments
from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe, recipe_of_feeds
from nnspec.data.row_selection import select_rows, unit_count
from nnspec.data.sequence_lengths import check_lengths
from nnspec.data.shape_checks import check_feeds
from nnspec.data.targets.computed import compute_targets, fits_targets, read_sequences
from nnspec.data.targets.values import read_target, read_weight
from nnspec.data.transforms import Learned
from nnspec.data.values import check_raw, read_feed, read_input
from nnspec.data.vocabularies import with_vocabularies
from nnspec.data.windows import cut_windows
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError

State = dict[str, list[dict[str, Any]]]
"""The transforms by ``inputs.NAME`` and ``targets.NAME``, each with its name, arguments and fitted state."""


_NO_ROWS = "provide at least one row; the first line of a table contains the column names"


@dataclass(frozen=True)
class Prepared:
    """Data that are ready for training.

    Attributes:
        train: The training examples.
        validation: The validation examples; None if there are none.
        test: The held-out fold, if the test data are a fold; otherwise None.
        state: The fitted states of the transforms, as plain JSON.
        recipe: How the inputs are computed from raw data, including the fitted states.
        fingerprints: The fingerprint of each split.
        watched: Detects changes to the files.
        warnings: Warnings about the data.
        classes: The class of each training and validation example, by split, if batches are sampled by class.
    """

    train: Examples
    validation: Examples | None
    test: Examples | None
    state: State
    recipe: Recipe
    fingerprints: Mapping[str, Fingerprint]
    watched: FileMonitor
    warnings: tuple[Diagnostic, ...]
    classes: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)


def prepare(plan: DataPlan, seed: int) -> Prepared:
    """Read the training and validation data of a plan; the test data are read and checked too.

    Args:
        plan: The plan.
        seed: The random seed of the split.

    Raises:
        SpecError: If the data cannot be used; lists all problems.
        NnspecError: If a file was modified while it was read.
    """
    problems: list[Diagnostic] = []
    watched = FileMonitor((plan.sources[part] for part in ("train", "validation") if part in plan.sources), plan.files)
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
    problems.extend(warn_of_shared_images(plan, tables))
    with _reading(plan, "train", problems):
        tables["train"], selection = select_rows(plan, feeds, tables["train"], seed, problems)
        _stop_at_errors(problems)
        whole = _read(plan, feeds, tables["train"], selection.train, learned, problems)
    others: dict[str, Examples | None] = {}
    for part in ("validation", "test"):
        if part in tables and whole is not None:
            with _reading(plan, part, problems):
                others[part] = _read(plan, feeds, tables[part], None, learned, problems)
    _stop_at_errors(problems)
    assert whole is not None
    check_composed_boxes(plan.augment, plan.tree, feeds, tables["train"], selection.train, learned, problems)
    validation = others.get("validation") or _rows_of(whole, selection.validation)
    test = _rows_of(whole, selection.test)
    known = {problem.path for problem in problems if problem.code == d.TestIsTraining.code}
    found = warn_of_values(plan, feeds, tables["train"], learned, whole, others)
    problems.extend(problem for problem in found if problem.code != d.TestIsTraining.code or problem.path not in known)
    train = cut_windows(plan, feeds, replace(whole, rows=selection.train), problems)
    validation, test = (part and cut_windows(plan, feeds, part, problems) for part in (validation, test))
    classes = _classes(plan, feeds, tables, {"train": train, "validation": validation}, problems)
    _stop_at_errors(problems)
    digests = {part: fingerprint(plan.sources[part], table) for part, table in tables.items() if part != "test"}
    if plan.files:
        digests["files"] = fingerprint_of_files(plan.files)
    for name in watched.touched():
        raise NnspecError(f"{name} was modified while it was read\n  = help: train again when the file is complete")
    state = _state(feeds, learned)
    reader = training_arguments(plan.sources["train"].reader, tables["train"])
    recipe = recipe_of_feeds(feeds, state, windows=plan.windows, reader=reader)
    return Prepared(train, validation, test, state, recipe, digests, watched, tuple(problems), classes)


def _classes(
    plan: DataPlan,
    feeds: Mapping[str, Feed],
    tables: Mapping[str, Table],
    parts: Mapping[str, Examples | None],
    problems: list[Diagnostic],
) -> dict[str, NDArray[np.int64]]:
    """Return the class of each example by split, if batches are sampled by class."""
    found = {}
    for part, examples in parts.items() if plan.section.batches is not None else ():
        if examples is not None:
            table = tables.get(part, tables["train"])
            classes = classes_of(plan, feeds, table, examples.rows, problems)
            if classes is not None:
                found[part] = classes
                if part == "train":
                    problems.extend(warn_of_small_classes(plan, feeds, table, examples.rows, classes))
    return found


def _rows_of(examples: Examples, rows: NDArray[np.int64] | None) -> Examples | None:
    return None if rows is None else replace(examples, rows=rows)


def prepare_part(plan: DataPlan, part: str, state: State) -> Examples:
    """Read one split with the fitted transforms of a run.

    Args:
        plan: The plan.
        part: `train`, `validation` or `test`, which must be a reader.
        state: The fitted states of the transforms.

    Raises:
        SpecError: If the data cannot be used.
    """
    problems: list[Diagnostic] = []
    tables = _open(plan, (part,), problems)
    # Without the training data, the columns are inferred from this split.
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
    """Return the maximum number of folds: the number of rows or groups.

    Raises:
        SpecError: If the data cannot be read.
        NnspecError: If the rows are ordered in time, so that single rows cannot be held out.
    """
    table = _open(plan, ("train",), [])["train"]
    if plan.section.time is not None or table.timeline is not None or plan.windows:
        raise NnspecError("leave-one-out is not available for rows in order of time\n  = help: use `--folds`")
    with _reading(plan, "train", []):
        return unit_count(plan, table)


@contextmanager
def _reading(plan: DataPlan, part: str, problems: list[Diagnostic]) -> Iterator[None]:
    """Convert data errors to diagnostics of the split's reader."""
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
                problems.extend(unreadable(each, source, plan.tree) for each in (error, *error.others))
    _stop_at_errors(problems)
    return tables


def _bind(plan: DataPlan, tables: Mapping[str, Table], problems: list[Diagnostic]) -> Mapping[str, Feed]:
    """Return the feeds, checked against the column types of the tables, which are known only after reading text files."""
    columns = {part: table.columns for part, table in tables.items()}
    feeds = plan.feeds and with_columns(plan.feeds, columns["train"], plan.tree, problems)
    feeds = feeds or known_feeds(plan.section, plan.tree, plan.inputs, plan.fed, columns["train"], problems)[0]
    _stop_at_errors(problems)  # those of inputs and targets without a feed, too
    with _reading(plan, "train", problems):
        valid = _without_text(feeds, tables["train"], problems)
    before = len(problems)
    check_feeds(plan, valid, columns["train"], problems)
    if valid == feeds:
        check_same_columns(replace(plan, feeds=feeds), columns, problems)
    elif len(problems) == before:
        _check_values(plan, valid, tables["train"], problems)
    _stop_at_errors(problems)
    return feeds


def _without_text(feeds: Mapping[str, Feed], table: Table, problems: list[Diagnostic]) -> Mapping[str, Feed]:
    """Return the feeds without those with text instead of numbers, which are reported."""
    valid = {}
    for place, feed in feeds.items():
        before = len(problems)
        is_text = any(table.columns[column].is_text for column in feed.columns)
        if is_text and (not feed.transforms or not feed.transforms[0].takes_text):
            check_raw(table, feed, problems)
        if len(problems) == before:
            valid[place] = feed
    return valid


def _check_values(plan: DataPlan, feeds: Mapping[str, Feed], table: Table, problems: list[Diagnostic]) -> None:
    """Report the invalid values of some feeds, if others cannot be read."""
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
    """Read all rows of a table; None if a value is invalid."""
    before = len(problems)
    if fit_on is not None:
        feeds = with_vocabularies(plan, feeds, table, fit_on, problems)
    inputs: dict[str, Any] = {}
    targets: dict[str, Any] = {}
    weights: dict[str, Any] = {}
    for place, feed in feeds.items():
        kind, _, name = place.partition(".")
        (inputs if kind == "inputs" else targets)[name] = _ready(plan, place, feed, table, fit_on, learned[place], problems)
        if feed.weight is not None:
            length = targets[name].shape[1] if targets[name] is not None and targets[name].ndim > 1 else None
            weights[name] = read_weight(table, feed, plan.needs[name], length, problems)
        elif feed.border is not None and targets[name] is not None:
            weights[name] = border_weights(targets[name], plan.needs[name], feed.border)
    if not any(problem.is_error for problem in problems[before:]):
        check_lengths(plan, feeds, table, learned, problems)
        check_positions(feeds, table, learned, problems)
        check_box_values(feeds, table, learned, problems)
    if any(problem.is_error for problem in problems[before:]):
        return None
    return Examples(
        inputs,
        targets | compute_targets(inputs, plan),
        weights,
        np.arange(len(table)),
        series_of_rows(table, ()),
        table.groups if any(isinstance(values, LazyArray) for values in (*inputs.values(), *targets.values())) else None,
        _frames(feeds, table),
    )


def _frames(feeds: Mapping[str, Feed], table: Table) -> dict[str, ImageFrames]:
    """Return the places of the images of boxes, by the name of the boxes, as far as they are known."""
    found = {}
    for boxes in box_fields(feeds):
        image = feeds[f"inputs.{boxes.image}"]
        frames = image_frames(table, image.columns[0], image.transforms)
        if frames is not None:
            found[boxes.name] = frames
    return found


def _ready(
    plan: DataPlan,
    place: str,
    feed: Feed,
    table: Table,
    fit_on: NDArray[np.int64] | None,
    learned: list[Learned],
    problems: list[Diagnostic],
) -> Any:
    """Return the values of an input or a target, in memory or lazily; None if one is invalid."""
    kind, _, name = place.partition(".")
    fit_on = None if fit_on is None else table.distinct(feed.columns, fit_on)

    def finish(values: NDArray[Any], part: Table, found: list[Diagnostic]) -> NDArray[Any] | None:
        if kind == "inputs":
            if name in plan.windows:
                return read_sequences(values, part, feed, plan, found, rows=plan.tables.get(name))
            made = read_input(values, part, feed, plan.inputs[name], found, rows=plan.tables.get(name))
            return made if made is not None and fits_targets(made, part, feed, plan, found) else None
        return read_target(values, part, feed, plan.needs[name], target_shape(plan.needs[name], {}), found)

    if is_lazy(table, feed):
        return read_lazily(table, feed, fit_on, learned, problems, finish)
    values = read_feed(table, feed, fit_on, learned, problems)
    return None if values is None else finish(values, table, problems)


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
