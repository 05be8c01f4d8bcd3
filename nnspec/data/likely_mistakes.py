"""Warnings about valid data with probably meaningless results: target leakage, and units without a class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnspec.data import problems as d
from nnspec.data.image_copies import first_copies
from nnspec.data.kinds import bare_name
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, Feed, Need, display_name
from nnspec.data.transforms.classes import label_encode, one_hot
from nnspec.data.transforms.text import tokenize
from nnspec.diagnostics import Diagnostic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.examples import Examples
    from nnspec.data.readers.base import Table
    from nnspec.data.transforms import Learned

_MOST_BYTES = 2**28
_MOSTLY = 0.5


def warn_of_columns(plan: DataPlan, feeds: Mapping[str, Feed]) -> Iterator[Diagnostic]:
    """Warn of targets among the inputs, and of test data that are the training data, without reading values."""
    for target, input_ in _pairs(feeds):
        columns = frozenset(input_.columns)
        for column in target.columns:
            if column in columns:
                help = "remove it from the input, or train an `autoencoder` if the input is to be reconstructed"
                yield _leakage(bare_name(column), input_, target, "is", help)
    train = plan.sources.get("train")
    for part in ("validation", "test"):
        other = plan.sources.get(part)
        if train is not None and other is not None and train.files is not None and train.files == other.files:
            own, others = (
                {name: value for name, value in source.reader.arguments().items() if name not in source.reader.paths}
                for source in (train, other)
            )
            if type(train.reader) is type(other.reader) and own == others:
                yield d.TestIsTraining.at(
                    other.span, other.path, help=_APART, part=display_name(part), what="the training data"
                )


_APART = "name other data, or hold out part of the training data: `test: {fold: {number: 1, of: 5}}`, `validation: 0.2`"


def warn_of_values(
    plan: DataPlan,
    feeds: Mapping[str, Feed],
    table: Table,
    learned: Mapping[str, Sequence[Learned]],
    whole: Examples,
    others: Mapping[str, Examples | None],
) -> Iterator[Diagnostic]:
    """Warn of copies of a target among the inputs, of rows in two splits, and of units without a class, based on the values.

    Args:
        plan: The plan.
        feeds: The feeds of inputs and targets.
        table: The training table.
        learned: The fitted states of the transforms.
        whole: All rows of the training table.
        others: The splits with a separate reader.
    """
    yield from _copies(feeds, table)
    known = {part: examples for part, examples in others.items() if examples is not None}
    yield from _shared_rows(plan, whole, known)
    for name, need in plan.fed.items():
        yield from _units(plan, feeds[f"targets.{name}"], need, learned[f"targets.{name}"], [whole, *known.values()])


def warn_of_shared_images(plan: DataPlan, tables: Mapping[str, Table]) -> Iterator[Diagnostic]:
    """Warn of image files whose content is in the training data and in another split.

    Args:
        plan: The plan.
        tables: The tables of the splits that have a reader of their own.
    """
    trained = tables["train"].image_paths
    for part, table in tables.items():
        if part == "train" or not trained or not table.image_paths:
            continue
        paths = [*trained, *table.image_paths]
        shared = {place: first for place, first in first_copies(paths).items() if first < len(trained) <= place}
        if not shared:
            continue
        much = "mostly" if len(shared) >= _MOSTLY * len(table) else "partly"
        example, original = ("/".join(paths[place].parts[-2:]) for place in next(iter(shared.items())))
        what = f"{much} training data: {len(shared):,} of {len(table):,} images occur in both, such as `{example}`"
        what += "" if example == original else f", a copy of `{original}`"
        help = _APART if much == "mostly" else "remove them from one of the splits"
        source = plan.sources[part]
        yield d.TestIsTraining.at(source.span, source.path, help=help, part=display_name(part), what=what)


def _leakage(column: str, input_: Feed, target: Feed, how: str, help: str) -> Diagnostic:
    return d.TargetAmongInputs.at(
        input_.span, input_.path, help=help, column=column, input=input_.name, target=target.name, how=how
    )


def _pairs(feeds: Mapping[str, Feed]) -> Iterator[tuple[Feed, Feed]]:
    for place, target in feeds.items():
        for other, input_ in feeds.items():
            if place.startswith("targets.") and other.startswith("inputs."):
                yield target, input_


def _copies(feeds: Mapping[str, Feed], table: Table) -> Iterator[Diagnostic]:
    """Warn of input columns that equal a target column in every row under another name."""
    import numpy as np

    for target, input_ in _pairs(feeds):
        if len(target.columns) != 1 or table.columns[target.columns[0]].shape != ():
            continue
        wanted = table.read(target.columns[0], slice(None))
        for column in input_.columns:
            if column in target.columns or table.columns[column].shape != ():
                continue
            values = table.read(column, slice(None))
            if values.dtype.kind == wanted.dtype.kind and np.array_equal(values, wanted) and (wanted[:1] != wanted).any():
                help = f"remove it from the input if `{column}` is unknown at prediction time of `{target.name}`"
                yield _leakage(column, input_, target, "equals in every row", help)


def _shared_rows(plan: DataPlan, whole: Examples, others: Mapping[str, Examples]) -> Iterator[Diagnostic]:
    trained = _digests(whole) if others else None
    # A table with few distinct rows has the same rows in every split.
    if trained is None or len(set(trained)) < _MOSTLY * len(trained):
        return
    seen = set(trained)
    for part, examples in others.items():
        found, source = _digests(examples), plan.sources[part]
        shared = sum(row in seen for row in found or ())
        if found and shared >= _MOSTLY * len(found):
            what = f"mostly training data: {shared:,} of {len(found):,} rows occur in both"
            yield d.TestIsTraining.at(source.span, source.path, help=_APART, part=display_name(part), what=what)


def _digests(examples: Examples) -> list[int] | None:
    """Return a digest of each row's inputs and targets; None if they are too large or not in memory."""
    import numpy as np

    arrays = [*examples.inputs.values(), *examples.targets.values()]
    if not all(isinstance(array, np.ndarray) for array in arrays) or examples.bytes > _MOST_BYTES:
        return None
    return [hash(b"\0".join(array[row].tobytes() for array in arrays)) for row in examples.rows.tolist()]


def _units(
    plan: DataPlan, feed: Feed, need: Need, learned: Sequence[Learned], parts: Sequence[Examples]
) -> Iterator[Diagnostic]:
    units = need.output.shape[need.axis] if need.output.rank else None
    if need.kind not in ("class", "distribution") or not isinstance(units, int) or units < 2:
        return
    if any(isinstance(transform, tokenize) for transform in feed.transforms):
        return
    classes = max((found for part in parts if (found := _classes(part.targets[feed.name], need)) is not None), default=None)
    encoders = [
        len(known["classes"]) + transform.unknown
        for transform, known in zip(feed.transforms, learned, strict=True)
        if isinstance(transform, label_encode | one_hot)
    ]
    if classes is not None and (known := max([classes, *encoders])) < units:
        span, path = locate(plan.tree, "targets", feed.name)
        first = f"give the layer {known} units" if known > 1 else "check the column: it has a single value"
        help = f"{first}; if some classes are absent from these data, list all in `label_encode: {{classes: …}}`"
        has = f"{known} classes" if known > 1 else "a single class"
        yield d.UnitsAboveClasses.at(span, path, help=help, name=feed.name, units=units, found=has)


def _classes(targets: NDArray[Any], need: Need) -> int | None:
    """Return the largest class plus 1; None if the values are not in memory."""
    import numpy as np

    if not isinstance(targets, np.ndarray) or not targets.size:
        return None
    if need.kind == "distribution":
        others = tuple(axis for axis in range(targets.ndim) if axis != need.axis % targets.ndim)
        return int(np.flatnonzero(targets.any(others)).max(initial=0)) + 1
    kept: NDArray[np.integer[Any]] = targets if need.ignore is None else targets[targets != need.ignore]
    return int(kept.max(initial=0)) + 1
