"""The static check of what a mask has beside its column: ``weight: {border: …}`` and ``crop``."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.data import problems as d
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, Need
from nnspec.data.section import DataSection
from nnspec.diagnostics import Diagnostic
from nnspec.spec.tree import MappingNode

__all__ = ["check_crops", "check_weights"]

_OF_OBJECTS = ("class", "distribution", "probability", "sign")


def check_weights(plan: DataPlan, problems: list[Diagnostic]) -> None:
    """Says where border weights are asked for and the target is no mask, or its loss no sum over positions."""
    for name, given in plan.section.targets.items():
        if given.weight is None or given.weight.border is None or name not in plan.needs:
            continue
        reason, help = _why_not(name, plan.needs[name])
        if name in plan.target_sources:
            reason, help = (
                f"the target of `{name}` is made of the input `{plan.target_sources[name].input}`",
                "take `weight` away",
            )
        if reason:
            problems.append(
                d.NoBorderWeights.at(*locate(plan.tree, "targets", name, "weight", "border"), help=help, reason=reason)
            )


def check_crops(section: DataSection, tree: MappingNode, needs: Mapping[str, Need], problems: list[Diagnostic]) -> None:
    """Says where what is to be cropped is no picture."""
    for name, given in section.targets.items():
        if given.crop is not None and name in needs and len(needs[name].shape) < 2:
            place = locate(tree, "targets", name, "crop")
            problems.append(d.CannotCrop.at(*place, help="take it away", name=name, shape=needs[name].output))


def _why_not(name: str, need: Need) -> tuple[str, str]:
    axes = len(need.output.shape) - 1
    if need.kind not in _OF_OBJECTS:
        return f"`{need.loss}` of `{name}` takes no classes", "take `weight` away, or use a loss of classes"
    if axes < 2:
        return f"`{name}` has the shape {need.output}, which is no mask", "take `weight` away: there are no gaps"
    if not need.by_position:
        help = "use `BinaryCrossentropy`, or take `weight` away"
        return f"`{need.loss}` of `{name}` is one number of all positions together", help
    if need.kind in ("probability", "sign") and need.output.shape[-1] != 1:
        help = "give the layer one unit, or use a loss of one class of several"
        return f"`{name}` has {need.output.shape[-1]} masks that may overlap, and one weight for each position", help
    return "", ""
