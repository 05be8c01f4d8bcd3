"""Targets that are computed from an input. NumPy is imported only when values are computed."""

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
    """Uses an input as its own target. Subclasses compute other targets from it.

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
        """Whether the target equals the input, so that augmentations of the input change the target too."""
        return True

    @property
    def is_scored(self) -> bool:
        """Whether predictions are compared with this target for each example after training."""
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
        """The labels of the positions, as values of the input: what the output predicts at each position."""
        return values

    def check(self, plan: DataPlan, output: str) -> Iterator[Diagnostic]:
        """Report conflicts of the section ``data`` with this source.

        Args:
            plan: The plan so far.
            output: The output of the target.
        """
        del plan, output
        yield from ()

    def cut(self, plan: DataPlan, feed: Feed, examples: Examples, problems: list[Diagnostic]) -> Examples:
        """Cut the rows into windows; without a window, return the rows unchanged."""
        del plan, feed, problems
        return examples


def check_target_sources(plan: DataPlan, problems: list[Diagnostic]) -> None:
    """Report targets that are named in the data although they are computed from an input.

    Args:
        plan: The plan so far.
        problems: Problems are appended here.
    """
    for output, source in plan.target_sources.items():
        if output in plan.section.targets:
            span, path = locate(plan.tree, "targets", output)
            problems.append(d.TargetIsComputed.at(span, path, help="remove it", name=output, input=source.input))
        problems.extend(source.check(plan, output))
