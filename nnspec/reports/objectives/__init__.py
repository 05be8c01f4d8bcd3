"""The parts of a report that depend on the objective, one module for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from nnspec.reports.elements import Html
    from nnspec.reports.findings import Finding
    from nnspec.training.evaluation.evaluate import Evaluation
    from nnspec.training.objectives.base import Objective
    from nnspec.training.run.folder import Run

__all__ = ["ObjectiveReport", "report_of"]


class ObjectiveReport(Protocol):
    """The part of a report that depends on the objective: a module with these two functions."""

    def findings(self, run: Run) -> Iterable[Finding]:
        """The findings in the log of a run."""

    def sections(self, run: Run, found: Evaluation | None) -> Sequence[Html]:
        """Further sections of the report.

        Args:
            run: The run.
            found: Its evaluation; None if there is none.
        """


def report_of(objective: type[Objective]) -> ObjectiveReport:
    """The part of the report of an objective.

    Args:
        objective: The objective of the run.
    """
    return cast("ObjectiveReport", import_module(objective.report))
