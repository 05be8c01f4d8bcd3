"""The check that a detector predicts as many classes as the annotated boxes have."""

from __future__ import annotations

from typing import Any

from nnspec.data.prepare import Prepared
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import Model
from nnspec.layers.interfaces import Detects
from nnspec.training import problems as t
from nnspec.training.checks.split_metrics import annotation_fields
from nnspec.training.plan import TrainingPlan

_MOST_SHOWN = 6


def check_detected_classes(plan: TrainingPlan, model: Model, prepared: Prepared) -> list[Diagnostic]:
    """Compare the scores of detections with the classes of the boxes in the data.

    Args:
        plan: The plan.
        model: The networks.
        prepared: The data.

    Returns:
        Warnings: more scores than classes, which may be wanted if these data do not have all classes.

    Raises:
        SpecError: If there are more classes than scores: further ones would not be learned.
    """
    fields = annotation_fields(plan.data)
    steps = prepared.state.get(f"inputs.{fields['class']}", []) if "class" in fields else []
    learned = next((step["learned"]["classes"] for step in steps if step["transform"] == "label_encode"), None)
    if learned is None:
        return []
    shown = ", ".join(f"`{name}`" for name in learned[:_MOST_SHOWN]) + (" …" if len(learned) > _MOST_SHOWN else "")
    warnings: list[Diagnostic] = []
    for graph in model.networks.values():
        for node in graph.nodes.values():
            scores = node.input_types.get("scores") if isinstance(node.layer, Detects) else None
            units = scores.shape[-1] if scores is not None and scores.rank else None
            if not isinstance(units, int) or units == len(learned):
                continue
            found: dict[str, Any] = {"units": units, "classes": len(learned), "shown": shown}
            if units < len(learned):
                help = f"predict {len(learned)} scores for each box"
                raise SpecError([t.FewerScoresThanClasses.at(node.span, node.path, help=help, **found)])
            help = f"predict {len(learned)} scores for each box, or list all classes in `label_encode` if these data lack some"
            warnings.append(t.MoreScoresThanClasses.at(node.span, node.path, help=help, **found))
    return warnings
