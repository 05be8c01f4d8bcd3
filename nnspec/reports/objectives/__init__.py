"""The parts of a report that depend on the objective, one module for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from nnspec.training.objectives.plugin import guarding

if TYPE_CHECKING:
    from nnspec.html_elements import Html
    from nnspec.reports.findings import Finding
    from nnspec.training.evaluation.evaluate import Evaluation
    from nnspec.training.run.folder import Run

__all__ = ["ObjectiveReport", "RunReport", "report_of"]


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


def report_of(run: Run) -> RunReport:
    """The part of the report that depends on the objective of a run.

    Raises:
        PluginError: If a plug-in has no such module.
    """
    with guarding(run.objective, f"its report `{run.objective.report}`"):
        module = import_module(run.objective.report)
        for name in ("findings", "sections"):
            if not callable(getattr(module, name, None)):
                raise TypeError(f"it has no function `{name}`")
    return RunReport(run, cast("ObjectiveReport", module))


@dataclass(frozen=True)
class RunReport:
    """The part of the report of one run that depends on its objective.

    Attributes:
        run: The run.
        module: The module of the objective's report.
    """

    run: Run
    module: ObjectiveReport

    def findings(self) -> list[Finding]:
        """What the log shows that someone should look at."""
        with guarding(self.run.objective, "`findings` of its report"):
            return list(self.module.findings(self.run))

    def sections(self, found: Evaluation | None) -> list[Html]:
        """The objective's own sections.

        Args:
            found: The predictions; None if there are none.
        """
        with guarding(self.run.objective, "`sections` of its report"):
            return list(self.module.sections(self.run, found))
