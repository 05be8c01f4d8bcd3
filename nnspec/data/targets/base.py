"""Targets that are computed from an input: what a source of targets is. NumPy is imported with the first values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnspec.data import problems as d
from nnspec.data.locations import locate
from nnspec.data.shape_checks import target_shape
from nnspec.diagnostics import Diagnostic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnspec.data.examples import Examples
    from nnspec.data.plan import DataPlan, Feed, Need

    Values = NDArray[Any]

__all__ = ["TargetSource", "check_target_sources"]


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
            problems.append(d.TargetIsComputed.at(span, path, help="remove it", name=output, input=source.input))
        problems.extend(source.check(plan, output))
