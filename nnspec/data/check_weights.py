"""The static check of weights, and of ``crop`` of mask targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnspec.data import problems as d
from nnspec.data.kinds import Column
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, Feed, Need
from nnspec.data.section import DataSection
from nnspec.diagnostics import Diagnostic
from nnspec.spec.tree import MappingNode
from nnspec.types import size_text

_CLASSIFICATION = ("class", "distribution", "probability", "sign")


def check_weights(plan: DataPlan, problems: list[Diagnostic]) -> None:
    """Report border weights of a target that is not a mask, or whose loss is not a mean over positions."""
    for name, given in plan.section.targets.items():
        if given.weight is None or given.weight.border is None or name not in plan.needs:
            continue
        reason, help = _why_not(name, plan.needs[name])
        if name in plan.target_sources:
            reason, help = (
                f"the target of `{name}` is computed from the input `{plan.target_sources[name].input}`",
                "remove `weight`",
            )
        if reason:
            problems.append(
                d.NoBorderWeights.at(*locate(plan.tree, "targets", name, "weight", "border"), help=help, reason=reason)
            )


def check_weight_columns(feeds: Mapping[str, Feed], plan: DataPlan, columns: Mapping[str, Column]) -> Iterator[Diagnostic]:
    """Report weight columns that fit neither the examples nor the positions of the output."""
    for place, feed in feeds.items():
        name = place.partition(".")[2]
        if feed.weight in columns and name in plan.needs:
            span, path = locate(plan.tree, "targets", name, "weight")
            own = Feed(name, (str(feed.weight),), False, (), None, span, path)
            if (wrong := weight_misfit(own, plan.needs[name], columns[str(feed.weight)])) is not None:
                yield wrong


def weight_misfit(feed: Feed, need: Need, column: Column) -> Diagnostic | None:
    """Return the problem of a column whose shape is neither that of one number nor that of the positions of the output.

    Args:
        feed: The weights, as a feed of one column.
        need: What the loss requires.
        column: The column.
    """
    positions = need.positions
    shape: tuple[int | None, ...] = (None, *column.shape[1:]) if column.ragged else column.shape
    if not shape:
        return None
    pairs = list(zip(shape, positions, strict=False))
    fits = len(shape) == len(positions) and all(a is None or not isinstance(b, int) or a == b for a, b in pairs)
    if fits and need.by_position:
        return None
    sizes = ", ".join(map(size_text, positions)) + ("," if len(positions) == 1 else "")
    wanted = f"(), or ({sizes}) for each position" if positions and need.by_position else "()"
    help = "name a column with one number per row"
    if fits:
        help += f"; `{need.loss}` is a single value for all positions"
    elif positions:
        help += ", or with one for each position"
    else:
        help += "; for weights of positions, add a last axis of size 1 to the output"
    facts: dict[str, Any] = {
        "what": "a weight",
        "wanted": wanted,
        "columns": feed.columns_text,
        "got": f"has shape {column.shape_text}",
    }
    return d.WrongShape.at(feed.span, feed.path, help=help, **facts)


def check_crops(section: DataSection, tree: MappingNode, needs: Mapping[str, Need], problems: list[Diagnostic]) -> None:
    """Report ``crop`` of a target without height and width."""
    for name, given in section.targets.items():
        if given.crop is not None and name in needs and len(needs[name].shape) < 2:
            place = locate(tree, "targets", name, "crop")
            problems.append(d.CannotCrop.at(*place, help="remove it", name=name, shape=needs[name].output))


def _why_not(name: str, need: Need) -> tuple[str, str]:
    axes = len(need.output.shape) - 1
    if need.kind not in _CLASSIFICATION:
        return f"`{need.loss}` of `{name}` is not a classification loss", "remove `weight`, or use a classification loss"
    if axes < 2:
        return f"`{name}` has shape {need.output}, which is not a mask", "remove `weight`"
    if not need.by_position:
        help = "use `BinaryCrossentropy`, or remove `weight`"
        return f"`{need.loss}` of `{name}` is a single value for all positions", help
    if need.kind in ("probability", "sign") and need.output.shape[-1] != 1:
        help = "give the layer one unit, or use a loss with mutually exclusive classes"
        return f"`{name}` has {need.output.shape[-1]} masks that may overlap, but each position has only one weight", help
    return "", ""
