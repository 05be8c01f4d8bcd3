"""Resolution of paths: an argument of a node, ``unit/0/conv2d.filters``, or a value, ``train.batch_size``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.explanations.nodes import Located, locate, walk
from nnspec.explanations.origin import Link, Origin, Use, links
from nnspec.layers.base import Layer
from nnspec.sections import read_section
from nnspec.spec import Spec
from nnspec.spec.document import KEYS, SECTIONS
from nnspec.spec.evaluate import Scope, evaluate
from nnspec.spec.overrides import find, keys_of
from nnspec.spec.params import is_declaration
from nnspec.spec.step import Nested, Recurrence, inner_steps
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree
from nnspec.types import Config, closest
from nnspec.types.plain import plain

_EXAMPLES = "encoder/conv2d.filters, layers[3].Conv2D.padding or train.batch_size"


def origins(spec: Spec, path: str, before: MappingNode | None = None) -> list[Origin]:
    """Return the origins of the values at a path; several if a line of a block is used more than once.

    Args:
        spec: Spec to explain.
        path: An argument of a node, a node (all its arguments), or a path in the document.
        before: Document without overrides.

    Raises:
        NnspecError: If nothing has this path.
    """
    first = re.split(r"[.\[/]", path, maxsplit=1)[0]
    if first in KEYS and not path.startswith(f"{first}/"):
        return _of_document(spec, path, before)
    node, dot, argument = path.partition(".")
    keys = keys_of(argument) if dot else []
    if keys is None:
        raise NnspecError(f"`{path}` is not a valid path; write {_EXAMPLES}")
    return _of_node(locate(spec, node), keys, before)


# --- nodes ------------------------------------------------------------------------------------------------------------


def _of_node(at: Located, keys: Sequence[str | int], before: MappingNode | None) -> list[Origin]:
    content, arguments = at.step.content, at.step.arguments
    if isinstance(content, Layer) and content.expressions:
        return _of_expressions(at, content.expressions, keys, before)
    if isinstance(content, Layer):
        if keys:
            return [_of_config(at.name, content, arguments, keys, at.uses, before)]
        fields = list(type(content).model_fields)
        return [_of_config(at.name, content, arguments, [field], at.uses, before) for field in fields]
    if isinstance(content, Nested) and content.steps and content.steps[0].span == at.step.span:
        return _of_iterations(at, content, keys, before)
    if isinstance(content, Recurrence) and keys and keys[0] != "cell":
        return [_of_config(at.name, content.layer, arguments, keys, at.uses, before)]
    given = [key.value for key, _ in arguments.items()] if isinstance(arguments, MappingNode) else []
    tree = find(arguments, list(keys)) if keys and isinstance(arguments, MappingNode) else None
    if tree is None:
        parts = [step.name for step in inner_steps(content)]
        facts = f"its parts are {', '.join(parts[:12])}" if parts else ""
        facts += f"{' and ' if facts and given else ''}{f'its arguments are {given}' if given else ''}"
        raise NnspecError(f"`{at.name}` is a use of `{at.step.op}`, not a layer; {facts or 'it has no arguments'}")
    return [Origin(f"{at.name}.{_joined(keys)}", tree.plain(), links(tree, before), at.uses)]


def _of_expressions(
    at: Located, found: Mapping[str, str], keys: Sequence[str | int], before: MappingNode | None
) -> list[Origin]:
    """Return the origins of the expressions of a ``Compute`` step, or of one of its results."""
    arguments = at.step.arguments
    wanted = [str(key) for key in keys] or list(found)
    if (len(wanted) > 1 and keys) or wanted[0] not in found:
        raise NnspecError(f"`{at.name}` has no `{_joined(keys)}`; its results are {', '.join(found)}")
    origins = []
    for result in wanted:
        tree = arguments.get(result) if isinstance(arguments, MappingNode) else arguments
        name = f"{at.name}.{result}" if isinstance(arguments, MappingNode) else at.name
        if tree is not None:
            origins.append(Origin(name, tree.plain(), links(tree, before), at.uses))
    return origins


def _of_iterations(at: Located, content: Nested, keys: Sequence[str | int], before: MappingNode | None) -> list[Origin]:
    """Return the origins for a repeated step: of the first iteration, and of later ones that differ."""
    found: dict[str, Origin] = {}
    for step in content.steps:
        iteration = Located(f"{at.name}/{step.name}", step, at.uses)
        for origin in _of_node(iteration, keys, before):
            found.setdefault(f"{origin.name.partition('.')[2]} {origin.value}", origin)
    return list(found.values())


def _of_config(
    name: str, config: Any, tree: Tree | None, keys: Sequence[str | int], uses: tuple[Use, ...], before: MappingNode | None,
    *, called: str = "",
) -> Origin:  # fmt: skip
    """Return the origin of an argument of a typed object, or of a value inside it; may be a default."""
    value: Any = config
    owner = called or type(config).__name__
    for key in keys:
        if isinstance(value, Config):
            kind = type(value)
            owner = owner if value is config else kind.__name__
            tree = _arguments(kind, tree)
            if key == kind.__name__:
                continue
            if key not in kind.model_fields:
                near = closest(str(key), kind.model_fields)
                help = f"did you mean `{near}`?" if near else f"its arguments are {', '.join(kind.model_fields) or 'none'}"
                raise NnspecError(f"`{owner}` has no argument `{key}`; {help}")
            value = getattr(value, str(key))
        else:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                raise NnspecError(f"`{name}` has no `{_joined(keys)}`") from None
        tree = find(tree, [key]) if tree is not None else None
    origin = links(tree, before) if tree is not None else (Link(f"the default of `{owner}`"),)
    return Origin(f"{name}.{_joined(keys)}", tree.plain() if tree is not None else plain(value, defaults=True), origin, uses)


def _arguments(kind: type[Config], tree: Tree | None) -> Tree | None:
    """Return the arguments of a typed object, which may be written ``{Name: {…}}`` or as a bare main argument."""
    name = kind.__name__
    if isinstance(tree, MappingNode) and len(tree) == 1 and name in tree and name not in kind.model_fields:
        tree = tree.get(name)
    if isinstance(tree, MappingNode) and kind.mapping is not None:
        return MappingNode([(Scalar(kind.mapping, tree.span), tree)], tree.span, tree.place)
    if isinstance(tree, MappingNode) or tree is None or kind.main_argument is None:
        return tree if isinstance(tree, MappingNode) else None
    return MappingNode([(Scalar(kind.main_argument, tree.span), tree)], tree.span, tree.place)


def _joined(keys: Sequence[str | int]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


# --- values of the document -------------------------------------------------------------------------------------------


def _of_document(spec: Spec, path: str, before: MappingNode | None) -> list[Origin]:
    keys = keys_of(path)
    if keys is None:
        raise NnspecError(f"`{path}` is not a valid path; write {_EXAMPLES}")
    found = [origin for at, rest in _steps_at(spec, path) for origin in _of_node(at, rest, before)]
    if found:
        return found
    top = str(keys[0])
    tree = spec.section(top) if top in SECTIONS else spec.document.get(top)
    value = find(tree, keys[1:]) if tree is not None else None
    if value is not None and top == "params" and len(keys) == 2 and is_declaration(value):
        value = spec.params[str(keys[1])].default
    if value is not None:
        value = _evaluated(value, spec)
        return [Origin(path, value.plain(), links(value, before))]
    section = read_section(top, tree)
    if section is not None and len(keys) > 1:
        return [_of_config(top, section, tree, keys[1:], (), before, called=top)]
    raise NnspecError(_no_place(spec, path, keys))


def _steps_at(spec: Spec, path: str) -> list[tuple[Located, list[str | int]]]:
    """Return the graph's layers that come from the step at a path, with the remaining path."""
    found: list[tuple[Located, list[str | int]]] = []
    for at in walk(spec):
        rest = path.removeprefix(at.step.path)
        if isinstance(at.step.content, Layer) and rest != path and rest.startswith(f".{at.step.op}"):
            keys = keys_of(rest[1:])
            if keys and keys[0] == at.step.op:
                found.append((at, keys[1:]))
    return found


def _evaluated(tree: Tree, spec: Spec) -> Tree:
    """Evaluate a value with the document's params; unchanged if it needs the params of a block."""
    given = {name: param.default for name, param in spec.params.items() if param.default is not None}
    scope = Scope().inner(given, [])
    found = evaluate(tree, scope, [])
    return tree if found.unknown else found


def _no_place(spec: Spec, path: str, keys: Sequence[str | int]) -> str:
    tree: Tree | None = spec.document
    for depth, key in enumerate(keys):
        inner = find(tree, [key]) if tree is not None else None
        if inner is None:
            known = [str(k.value) for k, _ in tree.items()] if isinstance(tree, MappingNode) else []
            near = closest(str(key), known)
            size = f"it has {len(tree.items)} entries, numbered from 0" if isinstance(tree, SequenceNode) else ""
            help = f"; did you mean `{near}`?" if near else f"; {size}" if size else ""
            return f"{spec.file} has no `{_joined(keys[: depth + 1])}`{help}"
        tree = inner
    return f"`{path}` cannot be explained"
