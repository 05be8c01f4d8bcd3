"""The checks of batch sizes for batches that are sampled by class: ``data.batches``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnspec.data import problems as d
from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.training.plan import TrainingPlan

if TYPE_CHECKING:
    from nnspec.data.prepare import Prepared


def check_batch_sizes(plan: TrainingPlan) -> Iterator[Diagnostic]:
    """Report batch sizes that ``data.batches`` does not divide."""
    given = plan.data.section.batches if plan.data is not None else None
    if given is None:
        return
    for i, phase in enumerate(plan.phases):
        size = phase.section.batch_size
        if size % given.each:
            below = size - size % given.each
            reason = f"a batch of {size} examples cannot have {given.each} of each class"
            help = f"write `batch_size: {below or given.each}`, a multiple of {given.each}"
            yield d.CannotSampleClasses.at(*_place(plan, i), help=help, reason=reason)


def check_class_counts(plan: TrainingPlan, prepared: Prepared) -> None:
    """Check that there are as many classes as a batch has.

    Raises:
        SpecError: If there are fewer.
    """
    given = plan.data.section.batches if plan.data is not None else None
    if given is None:
        return
    found = int(prepared.classes["train"].max()) + 1
    for i, phase in enumerate(plan.phases):
        wanted = phase.section.batch_size // given.each
        if wanted > found:
            reason = f"a batch of {phase.section.batch_size} examples has {wanted} classes of {given.each}"
            reason += f", but the training data have {found}"
            help = f"write `batch_size: {found * given.each}`, or a larger `each` in `data.batches`"
            raise SpecError([d.CannotSampleClasses.at(*_place(plan, i), help=help, reason=reason)])


def _place(plan: TrainingPlan, phase: int) -> tuple[Span, str]:
    found = locate(plan.tree, "phases", phase, "batch_size")
    return found if found[1].endswith("batch_size") else locate(plan.tree, "batch_size")
