"""User-defined layers: ``blocks``, their params, and binding of arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.diagnostics import Diagnostic, Span
from nnspec.layers.unsupported import FOREIGN_NAMES
from nnspec.spec import problems as p
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.evaluate import Scope
from nnspec.spec.hints import spaced
from nnspec.spec.keys import known_keys
from nnspec.spec.params import Param, check_value, read_param, settled
from nnspec.spec.shapes import NAME
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import closest, listed, renamed, suggested

BLOCK_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = ("description", "params", "check", "inputs", "layers", "outputs")


@dataclass(frozen=True)
class Block:
    """A user-defined layer.

    Attributes:
        name: Name of the block.
        params: Params by name.
        inputs: Names of the inputs inside the block.
        shapes: Declared shapes of its inputs, not yet evaluated; an input without one accepts any tensor.
        layers: Steps, not yet evaluated.
        outputs: Value of ``outputs``; None for the last step.
        checks: Value of ``check``.
        scope: Params of the document that defines the block.
        span: Location of the definition.
        path: Path of the definition.
    """

    name: str
    params: Mapping[str, Param]
    inputs: tuple[str, ...]
    shapes: MappingNode | None
    layers: Tree | None
    outputs: Tree | None
    checks: Tree | None
    scope: Scope
    span: Span
    path: str


def read_block(key: Scalar, tree: Tree, scope: Scope, problems: list[Diagnostic]) -> Block | None:
    """Read the definition of a block. Its steps are checked at each use, when the params are known."""
    name = str(key.value)
    if not BLOCK_NAME.fullmatch(name) or name in STEP_KEYS:
        reason = f"{BLOCK_NAME.pattern}, and must not be one of {', '.join(STEP_KEYS)}"
        problems.append(p.BadName.at(key.span, tree.path, name=name, what="a block", pattern=reason))
    if not isinstance(tree, MappingNode):
        help = "write `layers:` under it, and a list of steps"
        problems.append(p.NotAMapping.at(tree.span, tree.path, help=help, what=f"the block `{name}`", got=tree.kind))
        return None
    tree = known_keys(tree, _KEYS, f"the block `{name}`", problems)
    if "layers" not in tree:
        problems.append(p.MissingKey.at(key.span, tree.path, help="write `layers:` under it", where=f"`{name}`", key="layers"))
    return Block(
        name,
        block_params(name, tree.get("params"), problems),
        *_inputs(name, tree.get("inputs"), problems),
        tree.get("layers"),
        tree.get("outputs"),
        tree.get("check"),
        scope,
        key.span,
        tree.path,
    )


def block_params(name: str, tree: Tree | None, problems: list[Diagnostic]) -> dict[str, Param]:
    """Read the params of a block or an objective."""
    if tree is None:
        return {}
    if not isinstance(tree, MappingNode):
        help = "write `params: {filters: int, strides: 1}`"
        problems.append(p.NotAMapping.at(tree.span, tree.path, help=help, what=f"the params of `{name}`", got=tree.kind))
        return {}
    found: dict[str, Param] = {}
    for key, value in tree.items():
        if key.value in STEP_KEYS:
            reason = f"{BLOCK_NAME.pattern}, and must not be one of {', '.join(STEP_KEYS)}"
            problems.append(p.BadName.at(key.span, tree.path, name=key.value, what="a block param", pattern=reason))
        found[str(key.value)] = read_param(key, value, problems, of_block=True)
    return found


def _inputs(name: str, tree: Tree | None, problems: list[Diagnostic]) -> tuple[tuple[str, ...], MappingNode | None]:
    """Return the names of the inputs, and the shapes of those that declare one."""
    if tree is None:
        return ("x",), None
    if isinstance(tree, MappingNode) and len(tree):
        for key, value in tree.items():
            if not NAME.fullmatch(str(key.value)):
                problems.append(p.BadName.at(key.span, value.path, name=key.value, what="an input", pattern=NAME.pattern))
        given = [entry for entry in tree.items() if not (isinstance(entry[1], Scalar) and entry[1].value is None)]
        return tuple(str(key.value) for key, _ in tree.items()), MappingNode(given, tree.span, tree.place) if given else None
    names = [item.value for item in tree.items if isinstance(item, Scalar)] if isinstance(tree, SequenceNode) else []
    if not names or not all(isinstance(n, str) for n in names) or len(set(names)) < len(names):
        reason = f"the inputs of `{name}` must be a list of unique names, or a mapping of names to shapes"
        help = "write `inputs: [x]`, or `inputs: {x: null, h: [64]}`; null accepts any shape"
        problems.append(p.WrongValue.at(tree.span, tree.path, help=help, reason=reason))
        return ("x",), None
    return tuple(str(n) for n in names), None


def bind(block: Block, arguments: Tree | None, span: Span, path: str, problems: list[Diagnostic]) -> Scope:
    """Return the scope of one use of a block: the document's params and the block's own.

    A param whose argument is missing or has the wrong type (which is reported) has an unknown value.
    """
    unknown = isinstance(arguments, Unknown)
    given: dict[str, tuple[Scalar, Tree]] = {}
    if unknown:
        pass
    elif arguments is not None and not (isinstance(arguments, Scalar) and arguments.value is None):
        if not isinstance(arguments, MappingNode):
            first = next(iter(block.params), None)
            help = f"write `{block.name}: {{{first}: …}}`" if first else f"`{block.name}` has no params"
            problems.append(
                p.NotAMapping.at(arguments.span, arguments.path, help=help, what=f"`{block.name}`", got=arguments.kind)
            )
            unknown = True
        else:
            given = {str(key.value): (key, value) for key, value in arguments.items()}
    else:
        given = {}
    values: dict[str, Tree] = {}
    misspelt: set[str | None] = set()
    needed = [name for name, declared in block.params.items() if declared.default is None and name not in given]
    for name, (key, value) in given.items():
        if name not in block.params:
            # Whatever its name, it is probably the required param that is missing.
            suggestion = closest(name, block.params) or (needed[0] if len(needed) == 1 else None)
            misspelt.add(suggestion)
            known = listed(block.params)
            help = f"the params are {known}" if known else "it has no params"
            if suggestion is not None:
                help = suggested(name, suggestion, block.params)
            if (ours := FOREIGN_NAMES.get(name, "")) in block.params and ours not in given:
                help = renamed(name, ours)
            help = spaced(name, block.params) or help
            problems.append(p.UnknownKey.at(key.span, value.path, help=help, key=name, where=f"`{block.name}`"))
    scope = block.scope.inner({}, problems)
    for name, declared in block.params.items():
        before = len(problems)
        param = settled(declared, scope, problems)
        default = param.default
        if name in given:
            values[name] = given[name][1]
            check_value(param, given[name][1], problems)
        elif name in misspelt or unknown:
            values[name] = Unknown(span)
        elif default is None:
            help = f"write `{block.name}: {{{name}: …}}`"
            problems.append(p.MissingKey.at(span, path, help=help, where=f"`{block.name}`", key=name))
        else:
            values[name] = default
        if len(problems) > before:
            values[name] = Unknown(span)
        scope.add(name, values[name], problems)
    return block.scope.inner(values, problems)
