"""The static check of ``weight: {border: …}`` and ``crop`` of mask targets."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.data import problems as d
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, Need
from nnspec.data.section import DataSection
from nnspec.diagnostics import Diagnostic
from nnspec.spec.tree import MappingNode

_CLASSIFICATION = ("class", "distribution", "probability", "sign")


def check_weights(plan: DataPlan, problems: list[Diagnostic]) -> None:
    """Report border weights of a target that is not a mask, or whose loss is not a mean over positions."""
    for name, given in plan.section.targets.items():
        if given.weight is None or given.weight.border is None or name not in plan.needs:
            continue
        reason, help = _why_not(name, plan.needs[name])
        if name in plan.target_sources:
            reason, help = (
                f"the target of `{name}` is computed from the input `{plan.target_sources[name].input}`",
                "remove `weight`",
            )
        if reason:
            problems.append(
                d.NoBorderWeights.at(*locate(plan.tree, "targets", name, "weight", "border"), help=help, reason=reason)
            )


def check_crops(section: DataSection, tree: MappingNode, needs: Mapping[str, Need], problems: list[Diagnostic]) -> None:
    """Report ``crop`` of a target without height and width."""
    for name, given in section.targets.items():
        if given.crop is not None and name in needs and len(needs[name].shape) < 2:
            place = locate(tree, "targets", name, "crop")
            problems.append(d.CannotCrop.at(*place, help="remove it", name=name, shape=needs[name].output))


def _why_not(name: str, need: Need) -> tuple[str, str]:
    axes = len(need.output.shape) - 1
    if need.kind not in _CLASSIFICATION:
        return f"`{need.loss}` of `{name}` is not a classification loss", "remove `weight`, or use a classification loss"
    if axes < 2:
        return f"`{name}` has shape {need.output}, which is not a mask", "remove `weight`"
    if not need.by_position:
        help = "use `BinaryCrossentropy`, or remove `weight`"
        return f"`{need.loss}` of `{name}` is a single value for all positions", help
    if need.kind in ("probability", "sign") and need.output.shape[-1] != 1:
        help = "give the layer one unit, or use a loss with mutually exclusive classes"
        return f"`{name}` has {need.output.shape[-1]} masks that may overlap, but each position has only one weight", help
    return "", ""
