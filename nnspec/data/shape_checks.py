"""The static check of column shapes against the network's inputs and the losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nnspec.data import problems as d
from nnspec.data.box_feeds import box_fields, check_box_rows
from nnspec.data.kinds import Column, DataError, TargetKind, bare_name
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, Feed, Need, target_shape
from nnspec.data.transforms.classes import label_encode
from nnspec.diagnostics import Diagnostic
from nnspec.types import Dim, TensorType, symbols_of

Shape = tuple[int | None, ...]


def check_feeds(plan: DataPlan, feeds: Mapping[str, Feed], columns: Mapping[str, Column], problems: list[Diagnostic]) -> None:
    """Report feeds whose shape does not match, or whose transforms cannot be applied."""
    made = {
        place: column for place, feed in feeds.items() if (column := transformed_column(plan, place, feed, columns, problems))
    }
    sizes: dict[str, int] = {}
    check_box_rows(feeds, made, plan.tree, problems)
    for place, column in made.items():
        kind, _, name = place.partition(".")
        if kind == "inputs":
            _check_input(plan, feeds[place], column, sizes, problems)
    _check_buckets(plan, feeds, problems)
    for place, column in made.items():
        kind, _, name = place.partition(".")
        if kind == "targets":
            _check_target(feeds[place], plan.needs[name], column, sizes, problems)


def fits(got: Shape, wanted: tuple[int | Dim, ...] | Shape) -> bool:
    """Whether shapes match; unknown sizes match any size, and a last axis of size 1 is optional."""
    for shape in (got, (*got, 1), got[:-1] if got and got[-1] == 1 else got):
        pairs = zip(shape, wanted, strict=False)
        if len(shape) == len(wanted) and all(not isinstance(b, int) or a is None or a == b for a, b in pairs):
            return True
    return False


def transformed_column(
    plan: DataPlan, place: str, feed: Feed, columns: Mapping[str, Column], problems: list[Diagnostic]
) -> Column | None:
    """Infer the column that results from stacking and from the transforms of a feed."""
    kind, _, name = place.partition(".")
    parts = [columns[column] for column in feed.columns]
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        reason = f"cannot stack columns of different shapes: {', '.join(part.shape_text for part in parts)}"
        help = "name columns of equal shape"
        problems.append(d.BadTransform.at(*locate(plan.tree, kind, name, "columns"), help=help, reason=reason))
        return None
    if len({part.is_text for part in parts}) > 1:
        text = next(column for column, part in zip(feed.columns, parts, strict=True) if part.is_text)
        reason = f"cannot stack text and numbers: `{text}` is text"
        help = f"convert `{text}` to numbers in the file, or remove it from `columns`"
        if kind == "inputs":
            help += "; if it contains classes, declare a separate input for it with `label_encode`"
        problems.append(d.BadTransform.at(*locate(plan.tree, kind, name, "columns"), help=help, reason=reason))
        return None
    shape = (*parts[0].shape, len(parts)) if feed.stacked else parts[0].shape
    made = Column(shape, parts[0].dtype) if len(parts) > 1 or feed.stacked else parts[0]
    made = replace(made, ragged=any(part.ragged for part in parts))
    for transform in feed.before:
        made = transform.infer(made)
    for i, transform in enumerate(feed.transforms):
        try:
            if made.ragged and not transform.takes_ragged:
                transform_name = type(transform).__name__
                help = f"replace `{transform_name}` by `tokenize` and `pad`" if made.is_text else "put `pad` before it"
                raise DataError(f"`{transform_name}` requires rows of equal length, but these differ", help=help)
            if transform.for_each_series and not feed.series:
                reason = "`per_series` requires several series, but the training data have none"
                raise DataError(reason, help="name the column that identifies the series: `series: {by: …}`")
            made = transform.infer(made)
        except DataError as error:
            span, path = locate(plan.tree, kind, name, "transform", i)
            problems.append(d.BadTransform.at(span, path, help=error.help, reason=error.message))
            return None
    what = f"the input `{name}`" if kind == "inputs" else f"`{plan.needs[name].loss}` for `{name}`"
    if kind == "inputs" and name in plan.windows and not made.is_text:
        whole = not feed.transforms and len(made.shape) == 1 and bare_name(feed.columns[0]) == feed.columns[0]
        if whole or (made.ragged and not made.shape[1:]):
            return Column((plan.windows[name],), made.dtype)
        reason = f"`window` requires token rows of any length, but {feed.columns_text} {_got(feed, made)}"
        problems.append(d.BadWindow.at(feed.span, feed.path, help="remove `pad`, or `window`", reason=reason))
        return None
    if made.ragged and not made.is_text:
        help = "put `pad` last under `transform`"
        if any(isinstance(step, label_encode) for step in feed.transforms) and not box_fields(plan.feeds or {}):
            help = "replace `label_encode` by `tokenize` and `pad`"
        problems.append(d.RaggedValues.at(feed.span, feed.path, help=help, what=what, columns=feed.columns_text))
        return None
    if made.is_text:
        help = "put `label_encode` under `transform`"
        if made.rows_of:
            help = f"write `{name}: {{transform: [label_encode, {{pad: {_rows_of_input(plan, name)}}}]}}`"
        elif made.is_token_list or (kind == "inputs" and plan.inputs[name].is_integer):
            help = "put `tokenize` and `pad` under `transform`"
        elif kind == "inputs":
            help = "put `label_encode` or `one_hot` under `transform` for classes, `tokenize` and `pad` for texts"
        holds = f"{feed.columns_text} {'contains' if len(feed.columns) == 1 else 'contain'}"
        problems.append(d.TextValues.at(feed.span, feed.path, help=help, what=what, columns=holds))
        return None
    return made


def _rows_of_input(plan: DataPlan, name: str) -> object:
    """Return the number of rows of an input, for a help."""
    shape = plan.inputs[name].shape if name in plan.inputs else ()
    return shape[0] if shape else "N"


def _check_buckets(plan: DataPlan, feeds: Mapping[str, Feed], problems: list[Diagnostic]) -> None:
    """Report `buckets` that cannot be used."""
    sorts = [(place, i) for place, feed in feeds.items() for i, step in enumerate(feed.transforms) if step.sorts]
    sizes: set[int | Dim] = set()
    for place, i in sorts:
        kind, _, name = place.partition(".")
        size = next(iter(plan.inputs[name].shape), 1) if kind == "inputs" else 1
        reason = help = ""
        if kind != "inputs":
            reason, help = "`buckets` is not allowed for a target", "move it to an input: batches are grouped by input length"
        elif i + 1 < len(feeds[place].transforms):
            reason, help = "`buckets` requires `pad` to be the last transform", "put `pad` last under `transform`"
        elif isinstance(size, int):
            reason = f"`buckets` requires an input of free length, but `{name}` has shape {plan.inputs[name]}"
            help = "declare the length as a symbol: `shape: [T]`"
        elif size in sizes:
            reason = f"only one input of length `{size}` can have `buckets`"
            help = "remove it here; inputs of the same symbolic length use the same buckets"
        sizes.add(size)
        if reason:
            span, path = locate(plan.tree, kind, name, "transform", i)
            problems.append(d.BadTransform.at(span, path, help=help, reason=reason))


def _check_input(plan: DataPlan, feed: Feed, made: Column, sizes: dict[str, int], problems: list[Diagnostic]) -> None:
    wanted = plan.inputs[feed.name]
    shown = str(wanted)
    if fits(made.shape, wanted.shape):
        shape = made.shape if len(made.shape) == wanted.rank else (*made.shape, 1)[: wanted.rank]
        for size, found in zip(wanted.shape, shape, strict=True):
            for symbol in symbols_of(size):
                if found is not None and sizes.setdefault(symbol, found) != found:
                    shown = f"{wanted}, where `{symbol}` is {sizes[symbol]}"
                    problems.append(_wrong_shape(feed, f"the input `{feed.name}`", shown, made))
                    return
        own = {str(size): found for size, found in zip(wanted.shape, shape, strict=True) if found is not None}
        refusal = plan.conditions.refusal(sizes | own)
        if refusal:
            help = "resize the images to a valid size with `resize`" if wanted.rank == 3 else ""
            facts: dict[str, Any] = {"refusal": refusal, "columns": feed.columns_text, "got": _got(feed, made)}
            problems.append(d.UnfitSize.at(feed.span, feed.path, help=help, **facts))
        return
    problems.append(_wrong_shape(feed, f"the input `{feed.name}`", shown, made, _help_to_fit(plan, feed, made, wanted)))


def _help_to_fit(plan: DataPlan, feed: Feed, made: Column, wanted: TensorType) -> str:
    """Return the help for values that do not have an input's shape."""
    source = plan.sources.get("train")
    if (
        source is not None
        and source.files is not None
        and (help := source.reader.arguments_to_fit(source.files, made, wanted.shape))
    ):
        return help
    return for_shape(feed.name, made.shape)


def for_shape(name: str, shape: Sequence[int | None]) -> str:
    """Return the help for an input whose values have another shape; empty if a size is unknown.

    Example:
        >>> for_shape("x", (3,))
        'declare the input as `x: [3]`, or change its columns or transforms'
    """
    if None in shape:
        return ""
    return f"declare the input as `{name}: {list(shape)}`, or change its columns or transforms"


def _wrong_shape(feed: Feed, what: str, wanted: str, made: Column, help: str = "") -> Diagnostic:
    got = _got(feed, made)
    return d.WrongShape.at(feed.span, feed.path, help=help, what=what, wanted=wanted, columns=feed.columns_text, got=got)


def _got(feed: Feed, made: Column) -> str:
    has = "has" if len(feed.columns) == 1 else "have"
    return f"{has} shape {made.shape_text}" + (" after the transforms" if feed.transforms else "")


def _check_target(feed: Feed, need: Need, made: Column, sizes: Mapping[str, int], problems: list[Diagnostic]) -> None:
    wanted = target_shape(need, sizes)
    classes = need.output.shape[-1] if need.output.rank else 1
    is_class = fits(made.shape, target_shape(_as(need, "class"), sizes)) and not fits(
        made.shape, target_shape(_as(need, "number"), sizes)
    )
    holds = "contains" if len(feed.columns) == 1 else "contain"
    is_vector = fits(made.shape, target_shape(_as(need, "number"), sizes)) and not fits(made.shape, wanted)
    if need.kind == "distribution" and classes != 1 and is_class:
        help = f"put `one_hot: {{classes: {classes}}}` under `transform`" + (
            f", or use `{need.instead}`" if need.instead else ""
        )
        wants, got = "one-hot targets", f"{holds} class indices"
    elif need.kind == "class" and classes != 1 and is_vector:
        help = f"use `{need.instead}`" if need.instead else "remove `one_hot`"
        wants, got = "class indices", f"{holds} vectors"
    elif not fits(made.shape, wanted):
        what = f"the target of `{need.loss}` for `{feed.name}`"
        help = ""
        if (crop := _crop(made.shape, wanted)) is not None:
            help = f"the output is smaller than the mask: add `crop: {need.crop + crop}` to the target"
        elif len(made.shape) == len(wanted) == 1 and None not in (*made.shape, *wanted):
            help = f"give the output {made.shape[0]} units, or name {wanted[0]} columns"
        elif need.kind in ("number", "non_negative") and len(wanted) == 1 and made.shape == ():
            help = f"give the output 1 unit, or, for a class, put `one_hot: {{classes: {wanted[0]}}}` under `transform`"
        elif is_class and classes != 1:
            help = f"put `one_hot: {{classes: {classes}}}` under `transform`, or use a classification loss"
        problems.append(_wrong_shape(feed, what, Column(wanted).shape_text, made, help))
        return
    else:
        return
    columns = feed.columns_text
    problems.append(
        d.WrongTargetKind.at(
            feed.span, feed.path, help=help, loss=need.loss, name=feed.name, columns=columns, wanted=wants, got=got
        )
    )


def _crop(got: Shape, wanted: Shape) -> int | None:
    """Return the crop that matches a mask to the output's size; None if a crop cannot."""
    pairs = [(a, b) for a, b in zip(got[:2], wanted[:2], strict=False) if a is not None and b is not None]
    more = {a - b for a, b in pairs}
    [most] = more if len(pairs) == 2 and len(more) == 1 else [0]
    return most // 2 if most > 0 and most % 2 == 0 else None


def _as(need: Need, kind: TargetKind) -> Need:
    return replace(need, kind=kind)
