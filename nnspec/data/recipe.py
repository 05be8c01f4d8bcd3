"""The recipe in an exported model: how its inputs are computed from raw data."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nnspec.data import problems as d
from nnspec.data.cells import Cells, Reported
from nnspec.data.file_kinds import reader_of
from nnspec.data.image_files import headers
from nnspec.data.kinds import Column, DataError, bare_name
from nnspec.data.plan import Feed
from nnspec.data.reader_arguments import with_training_arguments
from nnspec.data.readers import READERS
from nnspec.data.readers.base import Reader, Table
from nnspec.data.readers.image_arguments import SUFFIXES, ImageReader
from nnspec.data.remote.urls import given_by_user, is_url, without_secrets
from nnspec.data.single_image import image_table, training_image_format
from nnspec.data.transforms import TRANSFORMS, Learned, Transform
from nnspec.data.transforms.boxes import boxes
from nnspec.data.transforms.classes import UnknownClassError, label_encode
from nnspec.data.transforms.text import pad
from nnspec.data.values import read_feed, read_input
from nnspec.diagnostics import Diagnostic, NnspecError, Span, SpecError
from nnspec.json_words import misfit
from nnspec.spec.checked import check_named
from nnspec.spec.reader import read_text
from nnspec.spec.tree import MappingNode, Scalar, Tree
from nnspec.types import TensorType, did_you_mean, listed

Recipe = dict[str, Any]
"""``{"inputs": {NAME: {"columns": […], "stacked": false, "transforms": […]}}}``, plain JSON.

Transforms that are part of the model's graph are not under ``transforms``; ``missing`` states whether they fill missing
values, and ``classes`` lists the values they accept. If a transform has separate statistics for each series, the keys of
``series`` are the columns that identify the series of a row: ``{"series": {"shop": {}}}``.
"""

_MAX_PIXELS = 2**26
_DAMAGE = (KeyError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True)
class Step:
    """A transform and its fitted state."""

    transform: Transform
    learned: Learned


def recipe_of_feeds(
    feeds: Mapping[str, Feed],
    state: Mapping[str, list[dict[str, Any]]],
    *,
    windows: Mapping[str, int] | None = None,
    reader: Mapping[str, Any] | None = None,
) -> Recipe:
    """Return the recipe for an exported model: the columns of each input, and its fitted transforms.

    Args:
        feeds: The feeds of the inputs.
        state: The fitted states of their transforms.
        windows: The window length of each input that was cut into windows; rows are padded or truncated to it.
        reader: The training arguments of the reader (`data.reader_arguments`).
    """
    inputs = {
        place.partition(".")[2]: (feed, [*_unlearned(feed), *state.get(place, [])])
        for place, feed in feeds.items()
        if place.startswith("inputs.")
    }
    for name, length in (windows or {}).items():
        whole = pad.model_validate({"length": length, "value": 0.0})
        inputs[name][1].append({"transform": "pad", "arguments": whole.model_dump(mode="json"), "learned": whole.fit([])})
    made: Recipe = {
        "inputs": {
            name: {"columns": list(feed.columns), "stacked": feed.stacked, "transforms": steps}
            for name, (feed, steps) in inputs.items()
        }
    }
    if reader:
        made["reader"] = dict(reader)
    series = next((feed.series for feed in feeds.values() if any(one.for_each_series for one in feed.transforms)), None)
    return made if series is None else {**made, "series": {column: {} for column in series}}


def _unlearned(feed: Feed) -> list[dict[str, Any]]:
    """Return the transforms of a feed that are not written."""
    return [
        {"transform": type(step).__name__, "arguments": step.model_dump(mode="json"), "learned": {}} for step in feed.before
    ]


def series_columns(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns that identify the series of a row, if there are separate statistics for each series."""
    return tuple(map(str, recipe.get("series", {})))


def open_data(
    text: str,
    recipe: Mapping[str, Any] | None = None,
    types: Mapping[str, TensorType] | None = None,
    *,
    encoded: bool = False,
) -> tuple[Table, str]:
    """Open data that are given on the command line.

    Args:
        text: A reader as in a spec (``builtin: digits``, ``{csv: {file: a.csv, delimiter: ";"}}``), or the path of a CSV,
            NPZ, JSON or Parquet file, of an image, or of a folder of images.
        recipe: The model's recipe; its reader arguments are used unless ``text`` gives others.
        types: The types of the model's inputs.
        encoded: Whether only the files of images are read, so that images may differ in size and channels.

    Returns:
        The table, and its name in messages.

    Raises:
        SpecError: If the reader or its arguments are invalid.
        NnspecError: If the data cannot be read.
    """
    problems: list[Diagnostic] = []
    name = f"--data {without_secrets(text)}"
    suffix = Path(text).suffix.lower()
    if suffix in SUFFIXES and ":" not in text:
        return _open_image(Path(text), recipe or {}, types or {}), name
    if Path(text).is_dir():
        text = json.dumps({"images": {"folder": text}})
    reader_name = reader_of(text)
    if reader_name is not None and (":" not in text or is_url(text)):
        tree: Tree | None = MappingNode([(Scalar(reader_name, _span(name)), Scalar(text, _span(name)))], _span(name))
    else:
        tree = read_text(text, name, problems)
    reader = check_named(READERS, tree, problems) if tree is not None else None
    if not isinstance(reader, Reader):
        raise SpecError(problems)
    reader = with_training_arguments(reader, recipe or {}, columns_of(recipe or {}, types or {}))
    reader = of_any_size(reader) if encoded else reader
    try:
        # Paths and URLs on the command line may be anywhere.
        with given_by_user():
            files = {argument: reader.find(argument, Path.cwd(), Path("/")) for argument in reader.named_paths()}
        return reader.open(files), name
    except DataError as error:
        raise NnspecError(error.message + (f"\n  = help: {error.help}" if error.help else "")) from None


def of_any_size(reader: Reader) -> Reader:
    """Return a reader that accepts images that differ in size and channels, for images that are not decoded."""
    if not isinstance(reader, ImageReader):
        return reader
    return reader.model_copy(
        update={"image_size": reader.image_size or [1, 1], "color_mode": reader.color_mode or "rgb"},
    )


def _open_image(path: Path, recipe: Mapping[str, Any], types: Mapping[str, TensorType]) -> Table:
    columns = columns_of(recipe, types)
    if len(columns) != 1:
        others = listed([column for column, wanted in columns.items() if len(wanted.shape) != 3] or [*columns][1:])
        help = f"name a table of both, such as a file with lines {_row_of(path, columns)}"
        raise NnspecError(f"`{path}` is a single image, but the model also takes {others}\n  = help: {help}")
    [(column, wanted)] = columns.items()
    try:
        [header] = headers([path], _MAX_PIXELS)
        format_ = training_image_format(header, str(path), recipe, wanted, _MAX_PIXELS)
        return image_table(path.read_bytes(), str(path), format_, column, wanted, header)
    except DataError as error:
        raise NnspecError(error.message + (f"\n  = help: {error.help}" if error.help else "")) from None


def _row_of(path: Path, columns: Mapping[str, Column]) -> str:
    """Return an example of a row with an image and other values, as JSON."""
    values = {3: str(path), 2: [[10, 20, 40, 30]], 1: [0.1, 0.2]}
    return json.dumps({name: values.get(len(column.shape), 0.1) for name, column in columns.items()})


def columns_of(recipe: Mapping[str, Any], types: Mapping[str, TensorType]) -> dict[str, Column]:
    """Return the column types of inputs with a single column."""
    found = {}
    for name, type_ in types.items():
        columns = recipe.get("inputs", {}).get(name, {}).get("columns", [name])
        if len(columns) == 1:
            found[str(columns[0])] = Column(tuple(size if isinstance(size, int) else None for size in type_.shape), type_.dtype)
    return found


def read_inputs(table: Table, name: str, recipe: Mapping[str, Any], types: Mapping[str, TensorType]) -> dict[str, Any]:
    """Compute a model's inputs from raw data.

    Args:
        table: The data.
        name: Their name in messages.
        recipe: The model's recipe; inputs without an entry use the column with their name.
        types: The types of the inputs.

    Returns:
        The values of each input for all rows of the table.

    Raises:
        SpecError: If a value is invalid; states its location.
        NnspecError: If a column is missing, or the recipe is damaged.
    """
    problems: list[Diagnostic] = []
    arrays: dict[str, Any] = {}
    table = _with_training_range(table, recipe)
    for input_, type_ in types.items():
        own = recipe.get("inputs", {}).get(input_, {})
        feed, learned = feed_of(input_, recipe, name)
        if not _are_boxes(table, feed, learned, problems):
            continue
        values = _read(table, feed, learned, problems)
        if values is not None and _knows(values, table, feed, own.get("classes"), problems):
            arrays[input_] = read_input(values, table, feed, type_, problems)
    if not len(table):
        problems.append(d.NoRows.at(_span(name), part="given"))
    if any(problem.is_error for problem in problems):
        raise SpecError(problems)
    return arrays


def _are_boxes(table: Table, feed: Feed, learned: list[Learned], problems: list[Diagnostic]) -> bool:
    """Whether the values of a feed of boxes are boxes, and not more than the model takes; True for other feeds."""
    first = feed.transforms[0] if feed.transforms else None
    if not isinstance(first, boxes):
        return True
    require_columns(table.columns, feed)
    [column] = feed.columns
    try:
        first.infer(table.columns[column])
    except DataError as error:
        problems.append(d.BadBox.at(feed.span, feed.path, help=error.help, reason=f"`{column}`: {error.message}"))
        return False
    limits = [int(own["length"]) for step, own in zip(feed.transforms, learned, strict=True) if isinstance(step, pad)]
    for row, given in enumerate(table.read(column, slice(None)) if limits else ()):
        if len(given) > limits[0]:
            reason = f"{table.where(column, row)}: {len(given):,} boxes, but the model takes {limits[0]:,}"
            problems.append(d.BadBox.at(feed.span, feed.path, help="leave out the least likely ones", reason=reason))
            return False
    return True


def _with_training_range(table: Table, recipe: Mapping[str, Any]) -> Table:
    """Scale images from 0–255 to 0–1 if the model was trained on images from 0 to 1."""
    fractions = {
        column for own in recipe.get("inputs", {}).values() if own.get("white") == 1 for column in own.get("columns", ())
    }
    found = fractions.intersection(table.image_columns)
    return _Fractions(table, found) if found else table


class _Fractions(Table):
    """A table with some columns divided by 255."""

    def __init__(self, table: Table, divided: Collection[str]) -> None:
        self._table = table
        self._divided = divided
        self.columns = {
            name: Column(column.shape, "float32") if name in divided else column for name, column in table.columns.items()
        }

    def __len__(self) -> int:
        return len(self._table)

    def read(self, column: str, rows: Any) -> Any:
        values = self._table.read(column, rows)
        return (values / 255).astype("float32") if column in self._divided else values

    def where(self, column: str, row: int) -> str:
        return self._table.where(column, row)

    def where_item(self, column: str, row: int, item: int) -> str:
        return self._table.where_item(column, row, item)

    def image_sizes(self, column: str) -> Any:
        return self._table.image_sizes(column)


def read_raw(table: Table, name: str, input_: str, recipe: Mapping[str, Any]) -> Any:
    """Return an input's values after the transforms in a recipe, without checking their type and shape.

    Raises:
        SpecError: If a transform does not accept a value.
    """
    problems: list[Diagnostic] = []
    feed, learned = feed_of(input_, recipe, name)
    values = _read(table, feed, learned, problems)
    if values is None:
        raise SpecError(problems)
    return values


def _read(table: Table, feed: Feed, learned: list[Learned], problems: list[Diagnostic]) -> Any:
    """Return the values of a feed.

    Raises:
        NnspecError: If a column is missing, or the fitted states do not match the shape of the values.
    """
    require_columns(table.columns, feed)
    try:
        return read_feed(table, feed, None, learned, problems)
    except ValueError as error:
        shapes = {column: table.columns[column].shape_text for column in feed.columns}
        other = next((column for column in shapes if shapes[column] != shapes[feed.columns[0]]), None)
        if other is None:
            raise _damaged(feed.name, error) from error
        first = feed.columns[0]
        found = f"`{first}` {shapes[first]}, `{other}` {shapes[other]}"
        raise NnspecError(f"the columns of `{feed.name}` must have equal shapes: {found}") from None


def _damaged(input_: str, error: Exception) -> NnspecError:
    return NnspecError(f"the model's metadata of the input `{input_}` are damaged: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return misfit(error)
    if isinstance(error, KeyError):
        return f"`{error.args[0]}` is missing"
    return "a value has the wrong type" if isinstance(error, TypeError | AttributeError) else str(error)


def require_columns(columns: Collection[str], feed: Feed) -> None:
    """Require that data have all columns of a feed.

    Raises:
        NnspecError: If a column is missing.
    """
    for column in feed.columns:
        if column not in columns and bare_name(column) in columns:
            message = f"`{feed.name}` takes windows of a series, and the data are single rows"
            help = "give a reader of windows, `--data 'series: {csv: FILE, window: …}'`; in Python, an array of windows"
            raise NnspecError(f"{message}\n  = help: {help}")
        if column not in columns:
            hint = did_you_mean(column, columns, f"the columns are {_listed(columns)}")
            raise NnspecError(f"the data have no column `{column}`, which `{feed.name}` requires\n  = help: {hint}")


def _listed(columns: Collection[str]) -> str:
    shown = [f"`{column}`" for column in islice(columns, 20)]
    return ", ".join(shown) + (" …" if len(columns) > 20 else "") if shown else "none"


def _knows(values: Any, table: Table, feed: Feed, classes: list[Any] | None, problems: list[Diagnostic]) -> bool:
    """Whether the transforms in the model's graph accept all values; reports unknown classes."""
    if classes is None:
        return True
    import numpy as np

    known = np.where(np.isnan(values), classes[0], values) if feed.may_miss and values.dtype.kind == "f" else values
    try:
        label_encode(classes=None, names=None, unknown=False).apply(known, {"classes": classes})
    except UnknownClassError as error:
        with suppress(Reported):
            Cells(table, feed, problems).refuse_class(error, values)
        return False
    return True


def steps_of(entry: Mapping[str, Any]) -> list[Step]:
    """Return the transforms in a recipe's entry for an input.

    Raises:
        NnspecError: If the recipe is damaged.
    """
    try:
        return _steps(entry)
    except _DAMAGE as error:
        raise NnspecError(f"the metadata of a transform are damaged: {_reason(error)}") from None


def _steps(entry: Mapping[str, Any]) -> list[Step]:
    steps = [Step(_transform(step), dict(step["learned"])) for step in entry["transforms"]]
    for step in steps:
        step.transform.require_learned(step.learned)
    return steps


def feed_of(input_: str, recipe: Mapping[str, Any], name: str) -> tuple[Feed, list[Learned]]:
    """Return the feed of an input in a recipe, and the fitted states of its transforms.

    Raises:
        NnspecError: If the recipe is damaged.
    """
    try:
        entry = recipe.get("inputs", {}).get(input_, {"columns": [input_], "stacked": False, "transforms": []})
        steps = _steps(entry)
        transforms, learned = tuple(step.transform for step in steps), [step.learned for step in steps]
        columns = tuple(str(column) for column in entry["columns"])
        if not columns:
            raise ValueError("it has no columns")
        if entry["stacked"] and any(transform.takes_text for transform in transforms):
            raise ValueError("a text transform has several columns")
        path, misses, stacked = f"inputs.{input_}", bool(entry.get("missing")), bool(entry["stacked"])
        series = series_columns(recipe)
        return Feed(input_, columns, stacked, transforms, None, _span(name), path, misses, series=series), learned
    except _DAMAGE as error:
        raise _damaged(input_, error) from None


def _transform(step: Mapping[str, Any]) -> Transform:
    name = str(step["transform"])
    if name not in TRANSFORMS:
        raise ValueError(f"there is no transform `{name}`")
    made = TRANSFORMS.get(name)(**step["arguments"])
    assert isinstance(made, Transform)
    return made


def _span(name: str) -> Span:
    return Span(name, 1, 1, 1, len(name) + 1)
