"""The static check of what the metrics of a file in 8-bit integers may lose."""

from __future__ import annotations

from nnspec.diagnostics import Diagnostic
from nnspec.spec import Spec
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.checks.monitors import epoch_metrics
from nnspec.training.plan import TrainingPlan
from nnspec.types import did_you_mean, listed


def check_int8_bounds(spec: Spec, plan: TrainingPlan, problems: list[Diagnostic]) -> None:
    """Check that ``export.int8.lose_at_most`` names metrics of the outputs.

    Args:
        spec: The spec.
        plan: The training plan.
        problems: Problems are appended here.
    """
    bounds = spec.section("export")
    for name in ("int8", "lose_at_most"):
        found = bounds.get(name) if bounds is not None else None
        bounds = found if isinstance(found, MappingNode) else None
    if bounds is None or not plan.outputs:
        return
    known = epoch_metrics(plan.outputs, None).modes
    known = {metric: better for metric, better in known.items() if not metric.startswith("val_")}
    for key, value in bounds.items():
        if key.value not in known:
            help = did_you_mean(str(key.value), known, "the metrics are " + listed(known))
            problems.append(t.UnknownMonitor.at(key.span, value.path, help=help, name=key.value))
