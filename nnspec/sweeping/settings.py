"""The settings of a sweep, checked before the first trial."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.graph import compile
from nnspec.spec import Spec
from nnspec.spec.changes import changed_values
from nnspec.sweeping.check import check_sweep
from nnspec.sweeping.section import SweepSection
from nnspec.training.check import check_training
from nnspec.training.checks.monitors import epoch_metrics
from nnspec.training.plan import Monitor
from nnspec.types import did_you_mean, listed

_MOST_LISTED = 6


@dataclass(frozen=True)
class Search:
    """What is searched, which all workers of a sweep must agree on.

    Attributes:
        section: The section ``sweep``. The number of trials, the seed and pruning may differ between workers.
        monitor: The metric to optimize.
        document: The spec without the section, with overrides applied.
    """

    section: SweepSection
    monitor: Monitor
    document: Mapping[str, Any]

    @cached_property
    def record(self) -> dict[str, Any]:
        """The content as JSON."""
        over = self.section.model_dump(mode="json")["over"]
        record = {"over": over, "monitor": asdict(self.monitor), "spec": self.document}
        return dict(json.loads(json.dumps(record, default=str)))

    @cached_property
    def hash(self) -> str:
        """A hash of the content."""
        return sha256(json.dumps(self.record, sort_keys=True).encode()).hexdigest()[:16]

    def differences(self, record: Mapping[str, Any]) -> list[str]:
        """What changed since a record, one line each.

        Args:
            record: The ``record`` of another search.
        """
        now = {key: self.record[key] for key in record if key in self.record}
        found = [f"{path}: {what}" for path, what in changed_values(dict(record), now)]
        return found[:_MOST_LISTED] + ([f"… and {len(found) - _MOST_LISTED} more"] if len(found) > _MOST_LISTED else [])


def search_of(spec: Spec) -> Search:
    """What the section ``sweep`` of a spec searches.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If there is no such section, or the metric is unknown.
    """
    problems: list[Diagnostic] = []
    section = check_sweep(spec, problems)
    if section is None:
        if problems:
            raise SpecError(problems)
        raise NnspecError(
            f"the spec {spec.file} has no section `sweep`\n"
            "  = help: write `sweep: {over: {train.optimizer.Adam.learning_rate: {float: [1e-4, 1e-2], log: true}}}`"
        )
    plan = check_training(spec, compile(spec), problems, require_data=True)
    if plan is None or any(problem.is_error for problem in problems):
        raise SpecError(problems)
    document = {name: value for name, value in spec.document.plain().items() if name != "sweep"}
    if section.monitor is None:
        return Search(section, plan.monitor, document)
    metrics = epoch_metrics(plan.outputs, plan.data).modes
    mode = metrics.get(section.monitor)
    if mode is None:
        help = did_you_mean(section.monitor, metrics, "use " + listed(metrics))
        raise NnspecError(f"cannot monitor `{section.monitor}`: it is unknown, or has no direction\n  = help: {help}")
    return Search(section, Monitor(section.monitor, mode), document)
