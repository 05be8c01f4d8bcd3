"""The units of outputs with transformed numeric targets, to convert predictions to the units of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.data.kinds import decision_rule
from nnspec.data.plan import TargetSource
from nnspec.data.units import Units, units_of
from nnspec.training.plan import OutputPlan


def output_units(
    outputs: Mapping[str, OutputPlan], sources: Mapping[str, TargetSource], state: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Units]:
    """The units of the outputs whose numeric predictions are not in the units of the data.

    Args:
        outputs: The plan of each output.
        sources: The targets that are computed from an input and have its transforms.
        state: What the transforms learned, by ``inputs.NAME`` and ``targets.NAME``.
    """
    found = {}
    for name, output in outputs.items():
        kind = output.loss.target_kind() if output.loss is not None else None
        if kind is None or decision_rule(kind).kind != "number" or kind in ("label", "sequence"):
            continue
        place = f"inputs.{sources[name].input}" if name in sources else f"targets.{name}"
        shape = [size if isinstance(size, int) else None for size in output.type.shape]
        units = units_of(state.get(place, []), shape)
        if units is not None:
            found[name] = units
    return found
