"""How a trained model's inputs are made from raw data: what an exported model carries, so that anyone can feed it."""

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
from nnspec.data.as_trained import reader_as_trained
from nnspec.data.cells import Cells, Reported
from nnspec.data.file_kinds import reader_of
from nnspec.data.kinds import Column, DataError
from nnspec.data.one_picture import look_as_trained, picture_table
from nnspec.data.pictures import headers
from nnspec.data.plan import Feed
from nnspec.data.readers import READERS
from nnspec.data.readers.base import Reader, Table
from nnspec.data.readers.image_arguments import SUFFIXES
from nnspec.data.transforms import TRANSFORMS, Learned, Transform
from nnspec.data.transforms.classes import UnknownClassError, label_encode
from nnspec.data.transforms.words import pad
from nnspec.data.values import read_feed, read_input
from nnspec.diagnostics import Diagnostic, NnspecError, Span, SpecError
from nnspec.json_words import misfit
from nnspec.spec.checked import check_named
from nnspec.spec.reader import read_text
from nnspec.spec.tree import MappingNode, Scalar, Tree
from nnspec.types import TensorType, closest

__all__ = [
    "Recipe",
    "Step",
    "columns_of",
    "feed_of",
    "open_data",
    "read_inputs",
    "read_raw",
    "recipe_of_feeds",
    "require_columns",
    "series_columns",
    "steps_of",
]

Recipe = dict[str, Any]
"""``{"inputs": {NAME: {"columns": […], "stacked": false, "transforms": […]}}}``, plain JSON.

Where a model has transforms in its own graph, they are not under ``transforms``; ``missing`` says whether they fill what is
missing, and ``classes`` which values they know. Where a transform has statistics of each series, ``series`` has the columns
that name the series of a row as keys: ``{"series": {"shop": {}}}``.
"""

_MAX_PIXELS = 2**26
_DAMAGE = (KeyError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True)
class Step:
    """A transform, and what it learned."""

    transform: Transform
    learned: Learned


def recipe_of_feeds(
    feeds: Mapping[str, Feed],
    state: Mapping[str, list[dict[str, Any]]],
    *,
    windows: Mapping[str, int] | None = None,
    reader: Mapping[str, Any] | None = None,
) -> Recipe:
    """What an exported model says of its inputs: the columns of each, and its transforms with what they learned.

    Args:
        feeds: How each input gets its values.
        state: What their transforms learned.
        windows: How long the windows are that an input was cut into: a row that is answered is brought to that length.
        reader: What is said of the reader of the data (`data.as_trained`).
    """
    inputs = {
        place.partition(".")[2]: (feed, [*state.get(place, [])]) for place, feed in feeds.items() if place.startswith("inputs.")
    }
    for name, length in (windows or {}).items():
        whole = pad.model_validate({"length": length})
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


def series_columns(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that name the series of a row, if inputs or targets are scaled for each; else none."""
    return tuple(map(str, recipe.get("series", {})))


def open_data(
    text: str, recipe: Mapping[str, Any] | None = None, types: Mapping[str, TensorType] | None = None
) -> tuple[Table, str]:
    """Opens data that are named on the command line.

    Args:
        text: A reader as a spec writes it (``builtin: digits``, ``{csv: {file: a.csv, delimiter: ";"}}``), or the path of
            a CSV, NPZ, JSON or Parquet file, of an image, or of a folder of images.
        recipe: What the model that answers them says of its inputs: its data's reader had the same arguments, but for those
            that are given here.
        types: What it takes, by input.

    Returns:
        The table, and what to call it in messages.

    Raises:
        SpecError: Where it is no reader, or its arguments are wrong.
        NnspecError: Where the data cannot be read.
    """
    problems: list[Diagnostic] = []
    name = f"--data {text}"
    suffix = Path(text).suffix.lower()
    if suffix in SUFFIXES and ":" not in text:
        return _open_picture(Path(text), recipe or {}, types or {}), name
    if Path(text).is_dir():
        text = json.dumps({"images": {"folder": text}})
    reader_name = reader_of(text)
    if reader_name is not None and ":" not in text:
        tree: Tree | None = MappingNode([(Scalar(reader_name, _span(name)), Scalar(text, _span(name)))], _span(name))
    else:
        tree = read_text(text, name, problems)
    reader = check_named(READERS, tree, problems) if tree is not None else None
    if not isinstance(reader, Reader):
        raise SpecError(problems)
    reader = reader_as_trained(reader, recipe or {}, columns_of(recipe or {}, types or {}))
    try:
        # Whoever types a path may read it: nothing is out of bounds here.
        files = {argument: reader.find(argument, Path.cwd(), Path("/")) for argument in reader.named_paths()}
        return reader.open(files), name
    except DataError as error:
        raise NnspecError(error.message + (f"\n  = help: {error.help}" if error.help else "")) from None


def _open_picture(path: Path, recipe: Mapping[str, Any], types: Mapping[str, TensorType]) -> Table:
    columns = columns_of(recipe, types)
    if len(columns) != 1:
        raise NnspecError(
            f"`{path}` is one picture, and the model takes more than that\n  = help: name a table of all it takes"
        )
    [(column, wanted)] = columns.items()
    try:
        [header] = headers([path], _MAX_PIXELS)
        look = look_as_trained(header, str(path), recipe, wanted, _MAX_PIXELS)
        return picture_table(path.read_bytes(), str(path), look, column, wanted)
    except DataError as error:
        raise NnspecError(error.message + (f"\n  = help: {error.help}" if error.help else "")) from None


def columns_of(recipe: Mapping[str, Any], types: Mapping[str, TensorType]) -> dict[str, Column]:
    """What a model takes of each column that an input is made of alone."""
    found = {}
    for name, type_ in types.items():
        columns = recipe.get("inputs", {}).get(name, {}).get("columns", [name])
        if len(columns) == 1:
            found[str(columns[0])] = Column(tuple(size if isinstance(size, int) else None for size in type_.shape), type_.dtype)
    return found


def read_inputs(table: Table, name: str, recipe: Mapping[str, Any], types: Mapping[str, TensorType]) -> dict[str, Any]:
    """A model's inputs from raw data.

    Args:
        table: The data.
        name: What to call them in messages.
        recipe: What the model says of its inputs; a model that says nothing takes the columns of its inputs' names.
        types: The inputs' types.

    Returns:
        An array for each input, all rows of the table.

    Raises:
        SpecError: Where a value is not what the model takes, with its place.
        NnspecError: Where a column is missing, or the recipe is damaged.
    """
    problems: list[Diagnostic] = []
    arrays: dict[str, Any] = {}
    table = _as_bright(table, recipe)
    for input_, type_ in types.items():
        said = recipe.get("inputs", {}).get(input_, {})
        feed, learned = feed_of(input_, recipe, name)
        values = _read(table, feed, learned, problems)
        if values is not None and _knows(values, table, feed, said.get("classes"), problems):
            arrays[input_] = read_input(values, table, feed, type_, problems)
    if not len(table):
        problems.append(d.NoRows.at(_span(name), part="given"))
    if any(problem.is_error for problem in problems):
        raise SpecError(problems)
    return arrays


def _as_bright(table: Table, recipe: Mapping[str, Any]) -> Table:
    """The table, its pictures as bright as those the model was trained on: from 0 to 1 where those were."""
    fractions = {
        column for said in recipe.get("inputs", {}).values() if said.get("white") == 1 for column in said.get("columns", ())
    }
    found = fractions.intersection(table.image_columns)
    return _Fractions(table, found) if found else table


class _Fractions(Table):
    """A table with some of its columns divided by 255."""

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


def read_raw(table: Table, name: str, input_: str, recipe: Mapping[str, Any]) -> Any:
    """An input's values after the transforms that a recipe says, of whatever type and shape they have then.

    Raises:
        SpecError: Where a value is not what the transforms take.
    """
    problems: list[Diagnostic] = []
    feed, learned = feed_of(input_, recipe, name)
    values = _read(table, feed, learned, problems)
    if values is None:
        raise SpecError(problems)
    return values


def _read(table: Table, feed: Feed, learned: list[Learned], problems: list[Diagnostic]) -> Any:
    """The values of a feed. What its transforms learned may be of another shape than the data: only these know theirs.

    Raises:
        NnspecError: Where a column is missing, or what was learned does not go with the values.
    """
    require_columns(table.columns, feed)
    try:
        return read_feed(table, feed, None, learned, problems)
    except ValueError as error:
        raise _damaged(feed.name, error) from error


def _damaged(input_: str, error: Exception) -> NnspecError:
    return NnspecError(f"what the model says of its input `{input_}` is damaged: {_in_words(error)}")


def _in_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return misfit(error)
    if isinstance(error, KeyError):
        return f"it has no `{error.args[0]}`"
    return "a value is of another kind" if isinstance(error, TypeError | AttributeError) else str(error)


def require_columns(columns: Collection[str], feed: Feed) -> None:
    """Refuses data that lack a column of a feed.

    Raises:
        NnspecError: That says which they may have instead.
    """
    for column in feed.columns:
        if column not in columns:
            suggestion = closest(column, columns)
            hint = f"did you mean `{suggestion}`?" if suggestion else f"they have {_listed(columns)}"
            raise NnspecError(f"the data have no column `{column}`, which `{feed.name}` takes\n  = help: {hint}")


def _listed(columns: Collection[str]) -> str:
    shown = [f"`{column}`" for column in islice(columns, 20)]
    return ", ".join(shown) + (" …" if len(columns) > 20 else "") if shown else "none"


def _knows(values: Any, table: Table, feed: Feed, classes: list[Any] | None, problems: list[Diagnostic]) -> bool:
    """Whether all values are of the classes that the model's own transforms know; says so where one is not."""
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


def steps_of(said: Mapping[str, Any]) -> list[Step]:
    """The transforms of an input, from what a recipe says of it.

    Raises:
        NnspecError: Where the recipe is damaged.
    """
    try:
        return _steps(said)
    except _DAMAGE as error:
        raise NnspecError(f"what is said of a transform is damaged: {_in_words(error)}") from None


def _steps(said: Mapping[str, Any]) -> list[Step]:
    steps = [Step(_transform(step), dict(step["learned"])) for step in said["transforms"]]
    for step in steps:
        step.transform.require_learned(step.learned)
    return steps


def feed_of(input_: str, recipe: Mapping[str, Any], name: str) -> tuple[Feed, list[Learned]]:
    """What feeds an input by a recipe, and what its transforms learned.

    Raises:
        NnspecError: Where the recipe is damaged.
    """
    try:
        said = recipe.get("inputs", {}).get(input_, {"columns": [input_], "stacked": False, "transforms": []})
        steps = _steps(said)
        transforms, learned = tuple(step.transform for step in steps), [step.learned for step in steps]
        columns = tuple(str(column) for column in said["columns"])
        if not columns:
            raise ValueError("it is made of no column")
        if said["stacked"] and any(transform.takes_text for transform in transforms):
            raise ValueError("a transform of text has several columns")
        path, misses, stacked = f"inputs.{input_}", bool(said.get("missing")), bool(said["stacked"])
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
