"""The check that there is a value for each box, and that no boxes are cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.box_feeds import box_fields, padding_of
from nnspec.data.locations import locate
from nnspec.data.plan import AugmentPlan, Feed
from nnspec.data.readers.base import Table
from nnspec.data.transforms import Learned
from nnspec.data.transforms.text import pad
from nnspec.diagnostics import Diagnostic
from nnspec.layers.augmentation import Mixing
from nnspec.layers.mosaic import RandomMosaic
from nnspec.spec.tree import MappingNode


def check_box_values(
    feeds: Mapping[str, Feed], table: Table, learned: Mapping[str, Sequence[Learned]], problems: list[Diagnostic]
) -> None:
    """Report rows with other numbers of boxes and of their values, and warn of boxes that `pad` cuts off.

    Args:
        feeds: The feeds of inputs and targets.
        table: The data.
        learned: The fitted states of the transforms, by ``inputs.NAME`` and ``targets.NAME``.
        problems: Problems are appended here.
    """
    for field in box_fields(feeds):
        feed = feeds[field.place]
        counts = _lengths(table, feed)
        for place in field.rows:
            other = feeds[place]
            bad = _lengths(table, other) != counts
            if bad.any():
                row = int(bad.argmax())
                own = len(table.read(other.columns[0], np.array([row]))[0])
                reason = f"{table.where(other.columns[0], row)}: {own:,} values of `{other.name}` for {counts[row]:,} boxes"
                help = f"give each box of `{field.name}` a value of `{other.name}`"
                problems.append(d.BadBox.at(other.span, other.path, help=help, reason=reason))
        limit = _limit(feed, learned[field.place])
        bad = counts > limit
        if bad.any():
            row = int(counts.argmax())
            facts: dict[str, Any] = {
                "where": table.where(feed.columns[0], row),
                "count": f"{counts[row]:,}",
                "limit": f"{limit:,}",
            }
            facts["more"] = f" (and {int(bad.sum()) - 1:,} more images)" if bad.sum() > 1 else ""
            help = f"to keep all boxes, write `pad: {counts[row]}` for `{field.name}` and its values"
            problems.append(d.BoxesCutOff.at(feed.span, feed.path, help=help, **facts))


def check_composed_boxes(
    augment: Sequence[AugmentPlan],
    tree: MappingNode,
    feeds: Mapping[str, Feed],
    table: Table,
    rows: NDArray[np.int64],
    learned: Mapping[str, Sequence[Learned]],
    problems: list[Diagnostic],
) -> None:
    """Warn of augmentations that compose images with more boxes than `pad` keeps.

    Args:
        augment: The augmentations, in order.
        tree: The section ``data`` as written.
        feeds: The feeds of inputs and targets.
        table: The training data.
        rows: The training rows.
        learned: The fitted states of the transforms, by ``inputs.NAME`` and ``targets.NAME``.
        problems: Problems are appended here.
    """
    most: dict[str, tuple[int, int]] = {}
    for i, step in enumerate(augment):
        for field in step.boxes if isinstance(step.layer, Mixing) else ():
            feed = feeds[field.place]
            limit = _limit(feed, learned[field.place])
            if field.place not in most:
                counts = np.sort(np.minimum(_lengths(table, feed)[rows], limit))[::-1]
                most[field.place] = tuple([*counts[:2].tolist(), 0, 0][:2])
            first, second = most[field.place]
            count = 4 * first if isinstance(step.layer, RandomMosaic) else first + second
            most[field.place] = (min(count, limit),) * 2
            if count > limit:
                name = type(step.layer).__name__
                help = f"to keep all boxes, write `pad: {count}` for `{field.name}` and its values, which takes little memory"
                span, path = locate(tree, "augment", i)
                facts: dict[str, Any] = {"name": name, "count": f"{count:,}", "limit": f"{limit:,}"}
                problems.append(d.BoxesOfComposedImages.at(span, path, help=help, **facts))


def _lengths(table: Table, feed: Feed) -> NDArray[np.int64]:
    return np.array([len(value) for value in table.read(feed.columns[0], slice(None))], np.int64)


def _limit(feed: Feed, learned: Sequence[Learned]) -> int:
    step = padding_of(feed)
    if step is None:
        return 2**62
    return next(int(own["length"]) for one, own in zip(feed.transforms, learned, strict=True) if isinstance(one, pad))
