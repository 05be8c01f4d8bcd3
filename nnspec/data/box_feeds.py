"""Inputs and targets of boxes: the image that each belongs to, and the values that there are for each box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.data import problems as d
from nnspec.data.image_frames import resizing_steps
from nnspec.data.kinds import Column, DataError
from nnspec.data.locations import locate
from nnspec.data.plan import BoxField, Feed
from nnspec.data.transforms import Transform
from nnspec.data.transforms.boxes import boxes
from nnspec.data.transforms.classes import label_encode
from nnspec.data.transforms.text import pad
from nnspec.types import listed

if TYPE_CHECKING:
    from nnspec.diagnostics import Diagnostic
    from nnspec.spec.tree import MappingNode


def box_fields(feeds: Mapping[str, Feed]) -> list[BoxField]:
    """Return the boxes among the inputs and targets.

    Args:
        feeds: The feeds by ``inputs.NAME`` and ``targets.NAME``, as in a plan.
    """
    return [
        BoxField(place, feed.image, tuple(other for other, own in feeds.items() if own.rows_of == place))
        for place, feed in feeds.items()
        if feed.image
    ]


def with_columns(
    feeds: Mapping[str, Feed], columns: Mapping[str, Column], tree: MappingNode, problems: list[Diagnostic]
) -> dict[str, Feed]:
    """Return the feeds with what the columns determine: the images of boxes, and arguments that are not given.

    Args:
        feeds: The feeds.
        columns: The columns of the training data.
        tree: The section ``data`` as written.
        problems: Boxes whose image is not known are reported here.
    """
    known = {place: _with_image(place, feed, feeds, columns, tree, problems) for place, feed in feeds.items()}
    found = _with_rows({place: feed for place, feed in known.items() if feed is not None}, columns)
    return {place: _with_arguments(feed, columns) for place, feed in found.items()}


def _with_image(
    place: str,
    feed: Feed,
    feeds: Mapping[str, Feed],
    columns: Mapping[str, Column],
    tree: MappingNode,
    problems: list[Diagnostic],
) -> Feed | None:
    """Return the feed with the input that its boxes belong to; None if there is a problem."""
    written = next((i for i, step in enumerate(feed.transforms) if isinstance(step, boxes)), None)
    column = columns.get(feed.columns[0])
    if feed.image or column is None or (written is None and (feed.stacked or not column.boxes_of)):
        return feed
    step = feed.transforms[written] if written is not None else boxes.model_validate({})
    assert isinstance(step, boxes)
    at = locate(tree, *place.split("."), *(("transform", written) if written is not None else ()))

    def refuse(reason: str, help: str) -> None:
        problems.append(d.BadTransform.at(*at, help=help, reason=reason))

    if feed.stacked or written not in (None, 0):
        refuse("`boxes` requires one column, and is the first transform", "name one column with a list of boxes for each image")
        return None
    inputs = {name.partition(".")[2]: own for name, own in feeds.items() if name.startswith("inputs.")}
    images = {name: own for name, own in inputs.items() if not own.stacked and _is_image(columns, own)}
    of = step.of or column.boxes_of
    fed = [name for name, own in images.items() if not of or own.columns == (of,)]
    names = [of] if of in images else fed
    steps = {name: resizing_steps(images[name].transforms, columns[images[name].columns[0]]) or [] for name in names}
    if not names:
        what = f"`{of}` is neither an input with images nor the column of one" if of else "there is no image"
        help = f"write `boxes: {{of: {next(iter(images))}}}`" if images else "add the image as an input"
        if not step.of and of:
            what = f"the boxes belong to the column `{of}`, but no input has it"
            help = f"add an input with the column `{of}`"
        refuse(what, help)
        return None
    if len(names) > 1 and (not of or len({tuple(own) for own in steps.values()}) > 1):
        refuse(f"the boxes may belong to the inputs {listed(names)}", f"write `boxes: {{of: {names[0]}}}`, or the other")
        return None
    [name, *_] = names
    size, padded = step.size, step.pad_to_aspect_ratio
    if steps[name]:
        last = steps[name][-1]
        if len(steps[name]) > 1 and any(own.padded for own in steps[name]):
            refuse(f"`{name}` is resized {len(steps[name])} times, and padded", "resize it once")
            return None
        if size is not None and size != [last.height, last.width]:
            refuse(f"`size` is {size}, but `{name}` is resized to {[last.height, last.width]}", "remove `size`")
            return None
        size, padded = [last.height, last.width], last.padded
    made = step.model_copy(update={"of": images[name].columns[0], "size": size, "pad_to_aspect_ratio": padded})
    if written is None:
        return replace(feed, before=(made,), image=name)
    return replace(feed, transforms=(made, *feed.transforms[1:]), image=name)


def _is_image(columns: Mapping[str, Column], feed: Feed) -> bool:
    column = columns.get(feed.columns[0])
    if column is None or column.ragged or column.is_text or any(isinstance(step, boxes) for step in feed.transforms):
        return False
    return len(column.shape) == 3 or (len(column.shape) == 2 and column.dtype != "unknown")


def _with_rows(feeds: Mapping[str, Feed], columns: Mapping[str, Column]) -> dict[str, Feed]:
    """Return the feeds with the boxes for each of which they have a value.

    Readers of annotations state them. In other tables, these are lists of classes, if there is one input or target of boxes.
    """
    of_column = {feed.columns[0]: place for place, feed in feeds.items() if feed.image}
    found = {}
    for place, feed in feeds.items():
        column = columns.get(feed.columns[0])
        if column is not None and not feed.stacked and not feed.image:
            boxes_of = of_column.get(column.rows_of, "")
            if not column.rows_of and len(of_column) == 1 and len(column.shape) == 1:
                lists = any(isinstance(step, label_encode) for step in feed.transforms)
                boxes_of = next(iter(of_column.values())) if lists and padding_of(feed) is not None else ""
            feed = replace(feed, rows_of=boxes_of)
        found[place] = feed
    return found


def _with_arguments(feed: Feed, columns: Mapping[str, Column]) -> Feed:
    if feed.stacked or not all(name in columns for name in feed.columns):
        return feed
    column = columns[feed.columns[0]]
    steps: list[Transform] = []
    for step in feed.before:
        column = step.infer(column)
    for i, given in enumerate(feed.transforms):
        step = given.for_column(column)
        steps.append(step)
        try:
            column = step.infer(column)
        except DataError:  # reported by the check of shapes
            steps += feed.transforms[i + 1 :]
            break
    return replace(feed, transforms=tuple(steps))


def padding_of(feed: Feed) -> pad | None:
    """Return the transform that brings the rows to one length; None if there is none."""
    return next((step for step in feed.transforms if isinstance(step, pad)), None)


def check_box_rows(
    feeds: Mapping[str, Feed], made: Mapping[str, Column], tree: MappingNode, problems: list[Diagnostic]
) -> None:
    """Report values of boxes that are padded to another length, or on another side, than their boxes.

    Args:
        feeds: The feeds.
        made: The columns after the transforms.
        tree: The section ``data`` as written.
        problems: Problems are appended here.
    """
    for field in box_fields(feeds):
        own = padding_of(feeds[field.place])
        if own is not None and own.value not in (None, -1):
            at = locate(tree, *field.place.split("."), "transform", feeds[field.place].transforms.index(own))
            reason = f"boxes are padded with -1, not with {own.value:g}"
            problems.append(d.BadTransform.at(*at, help="remove `value`", reason=reason))
        for place in field.rows:
            other = padding_of(feeds[place])
            if place not in made or field.place not in made or other is None or own is None:
                continue
            lengths = [made[each].shape[0] for each in (place, field.place)]
            name = place.partition(".")[2]
            at = locate(tree, *place.split("."), "transform", feeds[place].transforms.index(other))
            reason = ""
            if lengths[0] != lengths[1]:
                has, have = (length or "as many as the longest" for length in lengths)
                reason = f"`{name}` has {has} rows, but its boxes, `{field.name}`, have {have}"
            elif (own.side, own.cut) != (other.side, other.cut):
                reason = f"`{name}` is padded on another side than its boxes, `{field.name}`"
            if reason:
                help = f"write the same `pad` for `{name}` and `{field.name}`"
                problems.append(d.BadTransform.at(*at, help=help, reason=reason))
