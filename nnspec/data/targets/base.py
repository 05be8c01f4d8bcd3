"""Targets that are computed from an input: what a source of targets is, and how its values are checked and made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.places import locate
from nnspec.data.shape_checks import target_shape
from nnspec.data.targets.values import read_target
from nnspec.data.values import read_input
from nnspec.diagnostics import Diagnostic
from nnspec.types import TensorType

if TYPE_CHECKING:
    from nnspec.data.examples import Examples
    from nnspec.data.plan import DataPlan, Feed, Need
    from nnspec.data.readers.base import Table

__all__ = ["TargetSource", "check_target_sources", "fits_targets", "made_targets", "read_sequences", "with_windows"]

Values = NDArray[Any]


@dataclass(frozen=True)
class TargetSource:
    """Uses an input itself as the target. Subclasses compute something else from it.

    Attributes:
        input: The input.
    """

    input: str

    @property
    def window(self) -> int | None:
        """The length of the examples that are cut from the rows; None if each row is an example."""
        return None

    @property
    def is_input(self) -> bool:
        """Whether the target is the input's values, so that what changes the input at random changes the target too."""
        return True

    @property
    def is_scored(self) -> bool:
        """Whether predictions are compared with this target one by one after training."""
        return True

    def shape(self, need: Need, values: Values) -> tuple[int | None, ...]:
        """The shape of one target.

        Args:
            need: What the loss requires.
            values: The input's values, (N, …).
        """
        del values
        return target_shape(need, {})

    def of(self, values: Any) -> Any:
        """The targets of an input's values, (N, …)."""
        return values

    def aligned(self, values: Values) -> Values:
        """What the output at each position predicts, as values of the input: the labels of its positions."""
        return values

    def check(self, plan: DataPlan, output: str) -> Iterator[Diagnostic]:
        """Reports what in the section ``data`` contradicts this source.

        Args:
            plan: The data as far as they have been checked.
            output: The output whose target it is.
        """
        del plan, output
        yield from ()

    def cut(self, plan: DataPlan, feed: Feed, examples: Examples, problems: list[Diagnostic]) -> Examples:
        """The examples that are cut from the rows; the rows themselves if there is no window."""
        del plan, feed, problems
        return examples


def check_target_sources(plan: DataPlan, problems: list[Diagnostic]) -> None:
    """Reports targets that are named in the data although they are computed from an input.

    Args:
        plan: The data as far as they have been checked.
        problems: What is wrong is appended here.
    """
    for output, source in plan.target_sources.items():
        if output in plan.section.targets:
            span, path = locate(plan.tree, "targets", output)
            problems.append(d.TargetIsMade.at(span, path, help="remove it", name=output, input=source.input))
        problems.extend(source.check(plan, output))


def fits_targets(values: Values, table: Table, feed: Feed, plan: DataPlan, problems: list[Diagnostic]) -> bool:
    """Whether an input's values can be the target of every loss whose target is computed from it.

    Args:
        values: The values of the input, after its transforms.
        table: Where they are from.
        feed: Which columns they are.
        plan: The plan.
        problems: What is wrong is appended here.
    """
    before = len(problems)
    for output, source in plan.target_sources.items():
        if source.input == feed.name:
            need = plan.needs[output]
            # An invalid value is reported at the input's column, as the target of the output.
            read_target(values, table, replace(feed, name=output), need, source.shape(need, values), problems)
    return len(problems) == before


def read_sequences(
    values: Values, table: Table, feed: Feed, plan: DataPlan, problems: list[Diagnostic], *, rows: int | None
) -> Values | None:
    """Checks rows of any length as an input and as the target they are, by the smallest and the largest value of each row.

    Args:
        values: An array of arrays.
        table: Where they are from.
        feed: Which columns they are.
        plan: The plan.
        problems: What is wrong is appended here.
        rows: The number of rows of the table in which tokens are looked up; None if they are not looked up.

    Returns:
        The values; None if they are invalid.
    """
    dtype = plan.inputs[feed.name].dtype
    for pick in (np.min, np.max):
        ends = np.array([pick(row) if len(row) else 0 for row in values])
        made = read_input(ends, table, feed, TensorType((), dtype), problems, rows=rows)
        if made is None or not fits_targets(made, table, feed, plan, problems):
            return None
    return values


def made_targets(inputs: Mapping[str, Any], sources: Mapping[str, TargetSource]) -> dict[str, Any]:
    """The targets that are computed from inputs, by output; those of windows are made when the windows are cut."""
    return {output: source.of(inputs[source.input]) for output, source in sources.items() if source.window is None}


def with_windows(plan: DataPlan, feeds: Mapping[str, Feed], examples: Examples, problems: list[Diagnostic]) -> Examples:
    """The same data with windows of the rows as examples, if a target source asks for them.

    Args:
        plan: The plan.
        feeds: How its inputs get their values.
        examples: The rows.
        problems: That there is nothing to cut is appended here.
    """
    for source in plan.target_sources.values():
        if source.window is not None:
            return source.cut(plan, feeds[f"inputs.{source.input}"], examples, problems)
    return examples
