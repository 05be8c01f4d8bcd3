"""The training objectives: those of the code, and those that are programs in files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from nnspec.spec.objectives import shipped_objective, shipped_objectives, shipped_text
from nnspec.training.objectives import OBJECTIVES
from nnspec.training.objectives.base import Objective
from nnspec.types import PluginError

__all__ = ["ListedObjective", "objective_text", "objectives"]


@dataclass(frozen=True)
class ListedObjective:
    """An objective in a list.

    Attributes:
        name: Its name.
        kind: ``built-in``, ``program`` or ``plug-in``.
        about: What it does, in one sentence.
    """

    name: str
    kind: str
    about: str


def objectives() -> list[ListedObjective]:
    """List every objective by name.

    Example:
        >>> [each.kind for each in objectives() if each.name in ("distillation", "gan")]
        ['program', 'built-in']
    """
    found = [ListedObjective(name, "program", shipped_objective(name).about) for name in shipped_objectives()]
    for name in OBJECTIVES.names(plugins=True):
        try:
            about = (OBJECTIVES.get(name).__doc__ or "").partition("\n")[0]
        except PluginError as error:
            about = str(error)
        found.append(ListedObjective(name, "plug-in" if OBJECTIVES.is_plugin(name) else "built-in", about))
    return sorted(found, key=lambda each: each.name)


def objective_text(name: str) -> str | None:
    """Describe an objective: its file, or its arguments. None if there is none of this name.

    Example:
        >>> objective_text("distillation").splitlines()[1]
        'nnspec: 1'
    """
    if name in shipped_objectives():
        return shipped_text(name)
    if name not in OBJECTIVES:
        return None
    kind = cast("type[Objective]", OBJECTIVES.get(name))
    lines = [f"# {name}", "", *(line.strip() for line in (kind.__doc__ or "").strip().splitlines()), ""]
    for argument, field in kind.model_fields.items():
        default = "required" if field.is_required() else f"default: {_shown(field.get_default(call_default_factory=True))}"
        lines.append(f"- `{argument}` ({default}): {field.description or ''}".rstrip(": "))
    return "\n".join(lines).rstrip() + "\n"


def _shown(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
