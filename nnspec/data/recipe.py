"""How a trained model's inputs are made from raw data: what an exported model carries, so that anyone can feed it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnspec.data import problems as d
from nnspec.data.cells import Cells, Reported
from nnspec.data.kinds import DataError
from nnspec.data.plan import Feed
from nnspec.data.readers import READERS
from nnspec.data.readers.base import Reader, Table
from nnspec.data.transforms import TRANSFORMS, Learned, Transform
from nnspec.data.transforms.classes import UnknownClassError, label_encode
from nnspec.data.transforms.words import pad
from nnspec.data.values import read_feed, read_input
from nnspec.diagnostics import Diagnostic, NnspecError, Span, SpecError
from nnspec.spec.checked import check_named
from nnspec.spec.reader import read_text
from nnspec.spec.tree import MappingNode, Scalar, Tree
from nnspec.types import TensorType, closest

__all__ = ["Recipe", "Step", "feed_of", "open_data", "read_inputs", "read_raw", "recipe_of_feeds", "steps_of"]

Recipe = dict[str, Any]
"""``{"inputs": {NAME: {"columns": […], "stacked": false, "transforms": […]}}}``, plain JSON.

Where a model has transforms in its own graph, they are not under ``transforms``; ``missing`` says whether they fill what is
missing, and ``classes`` which values they know.
"""

_DAMAGE = (KeyError, TypeError, AttributeError, ValueError)
_BY_SUFFIX = {".csv": "csv", ".tsv": "csv", ".npz": "npz", ".jsonl": "jsonl", ".parquet": "parquet"}


@dataclass(frozen=True)
class Step:
    """A transform, and what it learned."""

    transform: Transform
    learned: Learned


def recipe_of_feeds(
    feeds: Mapping[str, Feed], state: Mapping[str, list[dict[str, Any]]], *, windows: Mapping[str, int] | None = None
) -> Recipe:
    """What an exported model says of its inputs: the columns of each, and its transforms with what they learned.

    Args:
        feeds: How each input gets its values.
        state: What their transforms learned.
        windows: How long the windows are that an input was cut into: a row that is answered is brought to that length.
    """
    inputs = {
        place.partition(".")[2]: (feed, [*state.get(place, [])]) for place, feed in feeds.items() if place.startswith("inputs.")
    }
    for name, length in (windows or {}).items():
        whole = pad.model_validate({"length": length})
        inputs[name][1].append({"transform": "pad", "arguments": whole.model_dump(mode="json"), "learned": whole.fit([])})
    return {
        "inputs": {
            name: {"columns": list(feed.columns), "stacked": feed.stacked, "transforms": steps}
            for name, (feed, steps) in inputs.items()
        }
    }


def open_data(text: str) -> tuple[Table, str]:
    """Opens data that are named on the command line.

    Args:
        text: A reader as a spec writes it (``builtin: digits``, ``{csv: {file: a.csv, delimiter: ";"}}``), or the path of
            a ``.csv``, ``.npz``, ``.jsonl`` or ``.parquet`` file.

    Returns:
        The table, and what to call it in messages.

    Raises:
        SpecError: Where it is no reader, or its arguments are wrong.
        NnspecError: Where the data cannot be read.
    """
    problems: list[Diagnostic] = []
    name = f"--data {text}"
    suffix = Path(text).suffix.lower()
    if suffix in _BY_SUFFIX and ":" not in text:
        tree: Tree | None = MappingNode([(Scalar(_BY_SUFFIX[suffix], _span(name)), Scalar(text, _span(name)))], _span(name))
    else:
        tree = read_text(text, name, problems)
    reader = check_named(READERS, tree, problems) if tree is not None else None
    if not isinstance(reader, Reader):
        raise SpecError(problems)
    try:
        # Whoever types a path may read it: nothing is out of bounds here.
        files = {argument: reader.find(argument, Path.cwd(), Path("/")) for argument in reader.named_paths()}
        return reader.open(files), name
    except DataError as error:
        raise NnspecError(error.message + (f"\n  = help: {error.help}" if error.help else "")) from None


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
    _require_columns(table, feed)
    try:
        return read_feed(table, feed, None, learned, problems)
    except ValueError as error:
        raise _damaged(feed.name, error) from error


def _damaged(input_: str, error: Exception) -> NnspecError:
    return NnspecError(f"what the model says of its input `{input_}` is damaged: {error}")


def _require_columns(table: Table, feed: Feed) -> None:
    for column in feed.columns:
        if column not in table.columns:
            suggestion = closest(column, table.columns)
            hint = f"did you mean `{suggestion}`?" if suggestion else f"they have {', '.join(f'`{c}`' for c in table.columns)}"
            raise NnspecError(f"the data have no column `{column}`, which `{feed.name}` takes\n  = help: {hint}")


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
        raise NnspecError(f"what is said of a transform is damaged: {error}") from None


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
        path, misses = f"inputs.{input_}", bool(said.get("missing"))
        return Feed(input_, columns, bool(said["stacked"]), transforms, None, _span(name), path, misses), learned
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
