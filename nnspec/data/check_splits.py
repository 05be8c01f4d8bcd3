"""The static check that validation and test data have the same columns as the training data."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.data import problems as d
from nnspec.data.kinds import Column
from nnspec.data.plan import DataPlan
from nnspec.data.shape_checks import check_feeds
from nnspec.diagnostics import Diagnostic
from nnspec.types import did_you_mean

Shape = tuple[int | None, ...]


def check_same_columns(plan: DataPlan, columns: Mapping[str, Mapping[str, Column]], problems: list[Diagnostic]) -> None:
    """Report columns that are missing from the validation or test data, or have another shape there."""
    assert plan.feeds is not None
    used = {c for feed in plan.feeds.values() for c in (*feed.columns, *([feed.weight] if feed.weight else []))}
    for part, found in columns.items():
        if part == "train":  # possibly the rows of another split, if the training data are gone
            continue
        source, before = plan.sources[part], len(problems)
        for name in sorted(used):
            ours = columns["train"][name]
            if name not in found:
                help = did_you_mean(name, found)
                reason = f"the {part} data have no column `{name}`, which the training data use"
                problems.append(d.DifferentColumns.at(source.span, source.path, help=help, reason=reason))
            elif found[name].shape != ours.shape and not _may_differ(plan, name, found[name].shape, ours.shape):
                got = f"shape {found[name].shape_text} in the {part} data"
                reason = f"`{name}` has {got}, but {ours.shape_text} in the training data"
                problems.append(d.DifferentColumns.at(source.span, source.path, reason=reason))
        if len(problems) == before and any(found[name].shape != columns["train"][name].shape for name in used):
            reported = {(problem.code, problem.path) for problem in problems}
            own: list[Diagnostic] = []
            check_feeds(plan, plan.feeds, found, own)
            problems += [problem for problem in own if (problem.code, problem.path) not in reported]


def _may_differ(plan: DataPlan, column: str, found: Shape, ours: Shape) -> bool:
    """Whether the inputs and targets of a column have free sizes, such as images of any height, or become one length."""
    assert plan.feeds is not None
    differing = [axis for axis, (a, b) in enumerate(zip(found, ours, strict=False)) if a != b]
    if len(found) != len(ours):
        return False
    for place, feed in plan.feeds.items():
        kind, _, name = place.partition(".")
        wanted = plan.inputs[name].shape if kind == "inputs" else plan.needs[name].shape
        if column not in feed.columns or (differing == [0] and any(step.takes_ragged for step in feed.transforms)):
            continue  # the shape after the transforms is checked for each split
        # Statistics per index of an axis exist only for the training size.
        per_index = any(getattr(transform, "axis", None) not in (None, -1) for transform in feed.transforms)
        if per_index or len(ours) > len(wanted) or any(isinstance(wanted[axis], int) for axis in differing):
            return False
    return True
