"""Training objectives. The module of an objective is imported when a spec first names it."""

from __future__ import annotations

from typing import Any

from nnspec.spec.tree import MappingNode, Scalar
from nnspec.types import Family, Plugins
from nnspec.types.plugins import reason_of

__all__ = ["DEFAULT", "OBJECTIVES", "objective_named"]

DEFAULT = "supervised"
"""The default objective."""


def _fault(kind: Any, name: str) -> str | None:
    """Why a plug-in's object is not an objective; None if it is one."""
    from nnspec.training.objectives.base import Objective

    if not isinstance(kind, type) or not issubclass(kind, Objective):
        return "is not a subclass of `nnspec.training.objectives.base.Objective`"
    if kind.__name__ != name:
        return f"is called `{kind.__name__}`, not `{name}`"
    for flag in ("has_own_losses", "reads_whole_graph", "predicts"):
        if not isinstance(getattr(kind, flag), bool):
            return f"has a `{flag}` that is not a bool"
    if not isinstance(getattr(kind, "report", None), str):
        return "has a `report` that is not the name of a module"
    try:
        kind.model_rebuild()
    except Exception as error:  # pydantic raises whatever a field's annotation raises
        return f"has fields that pydantic cannot read ({reason_of(error)})"
    return None


OBJECTIVES = Family(
    kind="objective",
    modules={
        "autoencoder": f"{__name__}.autoencoder",
        "contrastive": f"{__name__}.contrastive",
        "gan": f"{__name__}.gan",
        "language_model": f"{__name__}.next_token",
        "program": f"{__name__}.program",
        "sequence_to_sequence": f"{__name__}.next_token",
        "supervised": f"{__name__}.supervised",
    },
    aliases={
        "adversarial": "gan",
        "lm": "language_model",
        "simclr": "contrastive",
        "seq2seq": "sequence_to_sequence",
        "classification": "supervised",
        "regression": "supervised",
    },
    plugins=Plugins("nnspec.objectives", _fault),
)
"""Every objective by name, including those of the entry point group ``nnspec.objectives``."""


def objective_named(train: MappingNode | None) -> str:
    """The name of the objective in a section ``train``, known or not; the default if it names none.

    Args:
        train: The YAML tree of the section; None if there is none.
    """
    given = train.get("objective") if train is not None else None
    named = next(iter(given.items()))[0] if isinstance(given, MappingNode) and len(given) == 1 else given
    return str(named.value) if isinstance(named, Scalar) else DEFAULT
