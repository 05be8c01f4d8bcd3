"""Objectives that documents and packages define: a program with params."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Note
from nnspec.layers import snake_name
from nnspec.spec import problems as p
from nnspec.spec.blocks import BLOCK_NAME, Block, bind, block_params
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.evaluate import Scope
from nnspec.spec.keys import known_keys
from nnspec.spec.limits import Limits
from nnspec.spec.program import ProgramSource
from nnspec.spec.reader import read_file
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import did_you_mean, listed

__all__ = ["DefinedObjective", "program_of", "read_objectives", "shipped_objective", "shipped_objectives", "shipped_text"]

_KEYS = ("description", "params", "draw", "layers", "minimize", "show", "average")
_NAMING = ("network", "field")
"""Types of params that are names of the document."""


@dataclass(frozen=True)
class DefinedObjective:
    """An objective as defined.

    Attributes:
        block: Its name and params.
        tree: The keys of its program.
        naming: The params that name a network or a field.
        about: What it does.
    """

    block: Block
    tree: MappingNode
    naming: Mapping[str, str]
    about: str


def read_objectives(tree: Tree | None, scope: Scope, problems: list[Diagnostic]) -> dict[str, DefinedObjective]:
    """Read the section ``objectives``.

    Args:
        tree: The section; None if there is none.
        scope: Params of the document.
        problems: List to which problems are appended.
    """
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return {}
    if not isinstance(tree, MappingNode):
        help = "write a name under `objectives:`"
        problems.append(p.NotAMapping.at(tree.span, tree.path, help=help, what="`objectives`", got=tree.kind))
        return {}
    found = {}
    for key, value in tree.items():
        objective = _read(key, value, scope, problems)
        if objective is not None:
            found[objective.block.name] = objective
    return found


def _read(key: Scalar, tree: Tree, scope: Scope, problems: list[Diagnostic]) -> DefinedObjective | None:
    name = str(key.value)
    if not BLOCK_NAME.fullmatch(name):
        problems.append(p.BadName.at(key.span, tree.path, name=name, what="an objective", pattern=BLOCK_NAME.pattern))
    if not isinstance(tree, MappingNode):
        help = "write `params:`, `layers:` and `minimize:` under it"
        problems.append(p.NotAMapping.at(tree.span, tree.path, help=help, what=f"the objective `{name}`", got=tree.kind))
        return None
    tree = known_keys(tree, _KEYS, f"the objective `{name}`", problems)
    given = tree.get("params")
    naming: dict[str, str] = {}
    params = _as_text(given, naming) if isinstance(given, MappingNode) else given
    block = Block(name, block_params(name, params, problems), (), None, None, None, None, scope, key.span, tree.path)
    about = tree.get("description")
    rest = [(each, value) for each, value in tree.items() if each.value not in ("params", "description")]
    text = str(about.value) if isinstance(about, Scalar) else ""
    return DefinedObjective(block, MappingNode(rest, tree.span, tree.place), naming, text)


def _as_text(params: MappingNode, naming: dict[str, str]) -> MappingNode:
    """Return the params with names of the document as strings, and note which they are."""
    entries: list[tuple[Scalar, Tree]] = []
    for key, value in params.items():
        kind = value.get("type") if isinstance(value, MappingNode) else value
        if isinstance(kind, Scalar) and kind.value in _NAMING and not kind.quoted:
            naming[str(key.value)] = str(kind.value)
            text = Scalar("str", kind.span, kind.place)
            if isinstance(value, MappingNode):
                own = [(name, text if name.value == "type" else each) for name, each in value.items()]
                value = MappingNode(own, value.span, value.place)
            else:
                value = text
        entries.append((key, value))
    return MappingNode(entries, params.span, params.place)


def program_of(
    objective: DefinedObjective,
    arguments: Tree | None,
    at: Scalar,
    networks: Iterable[str],
    fields: Iterable[str],
    problems: list[Diagnostic],
) -> ProgramSource:
    """Return the program of one use of an objective.

    Args:
        objective: The objective.
        arguments: Its arguments.
        at: Its name in the document.
        networks: The networks of the document.
        fields: The data fields.
        problems: List to which problems are appended.
    """
    scope = bind(objective.block, arguments, at.span, "train.objective", problems)
    known = {"network": list(networks), "field": list(fields)}
    for param, kind in objective.naming.items():
        value = scope.trees.get(param)
        if not isinstance(value, Scalar) or not isinstance(value.value, str) or value.value in known[kind]:
            continue
        elsewhere = value.span.file != at.span.file
        span, path = (at.span, "train.objective") if elsewhere else (value.span, value.path)
        what = "networks" if kind == "network" else "fields"
        help = did_you_mean(value.value, known[kind], f"the {what} are {listed(known[kind])}" if known[kind] else "")
        if elsewhere:
            help = f"write `{objective.block.name}: {{{param}: …}}`; " + help
        notes = [Note(f"`{param}` is declared here", objective.block.params[param].span)]
        reason = f"`{param}` names `{value.value}`, which is not a {kind} of the document"
        problems.append(p.WrongValue.at(span, path, help=help, notes=notes, reason=reason))
        scope.add(param, Unknown(span), problems)
    own = {*_own_names(objective.tree), *objective.block.params}
    renamed = {name: _other_name(name, own) for name in known["field"] if name in own}
    for param, kind in objective.naming.items():
        value = scope.trees.get(param)
        if kind == "field" and isinstance(value, Scalar) and value.value in renamed:
            scope.add(param, Scalar(renamed[str(value.value)], value.span, value.place), problems)
    return ProgramSource(objective.tree, scope, at.span, frozenset(objective.naming), renamed)


def _own_names(tree: Tree | None) -> Iterator[str]:
    """Yield the names that an objective gives to its draws, averages, steps and results."""
    for key, value in tree.items() if isinstance(tree, MappingNode) else ():
        if key.value in ("draw", "average") and isinstance(value, MappingNode):
            yield from (str(name.value) for name, _ in value.items())
        elif key.value == "layers" and isinstance(value, SequenceNode):
            for step in value.items:
                yield from _step_names(step)


def _step_names(step: Tree) -> Iterator[str]:
    if not isinstance(step, MappingNode):
        yield snake_name(str(step.plain()))
        return
    for key, value in step.items():
        if key.value in ("name", "as") and isinstance(value, Scalar):
            yield str(value.value)
        elif key.value not in STEP_KEYS:
            yield snake_name(str(key.value))
        if key.value == "Compute" and isinstance(value, MappingNode):
            yield from (str(result.value) for result, _ in value.items())
        yield from _own_names(value)  # steps in a `Repeat` or a residual block


def _other_name(name: str, own: Collection[str]) -> str:
    """Return what an objective calls a field whose name it uses for something else: it reads fields by its params."""
    name = f"{name}_field"
    while name in own:
        name += "_"
    return name


# --- objectives of this package -----------------------------------------------------------------------------------------------


def _folder() -> Path:
    return Path(str(files("nnspec"))) / "objectives"


@cache
def shipped_objectives() -> tuple[str, ...]:
    """The names of the objectives that come with this package."""
    return tuple(sorted(path.name.partition(".")[0] for path in _folder().glob("*.nnspec.yaml")))


def shipped_text(name: str) -> str:
    """The file of an objective that comes with this package."""
    return (_folder() / f"{name}.nnspec.yaml").read_text("utf-8")


@cache
def shipped_objective(name: str) -> DefinedObjective:
    """An objective that comes with this package."""
    problems: list[Diagnostic] = []
    path = _folder() / f"{name}.nnspec.yaml"
    tree = read_file(path, problems, Limits(), shown=f"nnspec/objectives/{path.name}")
    assert isinstance(tree, MappingNode)
    assert not problems, problems
    found = read_objectives(tree.get("objectives"), Scope(), problems)
    assert not problems, problems
    return found[name]
