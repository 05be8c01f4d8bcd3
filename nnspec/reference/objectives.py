"""The training objectives: those of the code, and those that are programs in files."""

from __future__ import annotations

from dataclasses import dataclass

from nnspec.reference.markdown import table
from nnspec.spec.dumping import flow
from nnspec.spec.objectives import shipped_objective, shipped_objectives, shipped_text
from nnspec.training.objectives import OBJECTIVES
from nnspec.training.objectives.program.draws import DRAWS
from nnspec.types import PluginError

__all__ = ["DRAWS", "ListedObjective", "objective_text", "objectives", "shipped", "shipped_reference"]


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
    found = [ListedObjective(name, "program", about) for name, about in shipped().items()]
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
    from nnspec.reference.members import group_of, member_text

    return member_text(group_of(OBJECTIVES), name)


def shipped() -> dict[str, str]:
    """The objectives that are programs of this package, each with what it does."""
    return {name: shipped_objective(name).about for name in shipped_objectives()}


def shipped_reference(name: str) -> str:
    """Render the reference of an objective that is a program of this package."""
    found = shipped_objective(name)
    rows = []
    for param in found.block.params.values():
        default = "required" if param.default is None else f"`{flow(param.default.plain())}`"
        rows.append([f"`{param.name}`", found.naming.get(param.name, param.text()) or "any value", default, param.help])
    parts = [f"## {name}", f"*Objective, a [program](../programs.md#objectives).* {found.about}"]
    parts += [table(["param", "type", "default", "description"], rows)] if rows else []
    return "\n\n".join([*parts, f"`nnspec objectives {name}` prints its file."]) + "\n"
