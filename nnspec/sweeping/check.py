"""The static check of the section ``sweep``. No framework is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nnspec.diagnostics import Diagnostic
from nnspec.spec import Spec, check
from nnspec.spec.overrides import find
from nnspec.spec.tree import MappingNode, Tree
from nnspec.sweeping import problems as s
from nnspec.sweeping.section import Range, SweepSection
from nnspec.types import did_you_mean

_MOST_PATHS = 10_000


def check_sweep(
    spec: Spec, problems: list[Diagnostic], again: Callable[[Sequence[str]], list[Diagnostic]] | None = None
) -> SweepSection | None:
    """Checks the section ``sweep``.

    Args:
        spec: The spec.
        problems: Problems are appended here.
        again: Checks the document with further overrides. If it is given, and there are no errors so far, it is called with the
            ends of each range and each choice, one at a time. Errors of combinations are only found by training.

    Returns:
        The section; None if there is none, or it has errors.
    """
    tree = spec.section("sweep")
    section = check(SweepSection, tree, problems, name="sweep") if tree is not None else None
    if section is None or tree is None:
        return None
    is_valid = not any(problem.is_error for problem in problems)
    over = tree.get("over")
    for path, range_ in section.over.items():
        at = _place(over, path) or tree
        if find(spec.document, path) is None:
            help = did_you_mean(
                path,
                [known for known in _paths(spec.document) if not known.startswith("sweep")],
                "add the value to the document",
            )
            key = over.key(path) if isinstance(over, MappingNode) else None
            problems.append(s.NoSuchPlace.at((key or at).span, at.path, help=help, where=path))
        elif is_valid and again is not None:
            for value in (*range_.samples, *_second(spec, path, range_)):
                wrong = [found for found in again([setting(path, value)]) if found.is_error]
                if wrong:
                    reason = f"{wrong[0].message} ({wrong[0].code})"
                    problems.append(
                        s.BadValue.at(at.span, at.path, help=wrong[0].help, where=path, value=_text(value), reason=reason)
                    )
                    break
    return section


def _second(spec: Spec, path: str, range_: Range) -> list[Any]:
    """Return the second value of a range for a param that must be a multiple, which the ends alone do not show."""
    param = spec.params.get(path.removeprefix("params."))
    if param is None or "multiple_of" not in param.bounds() or range_.int is None:
        return []
    value = range_.int[0] + int(range_.step or 1)
    return [value] if value <= range_.int[1] else []


def setting(path: str, value: Any) -> str:
    """Formats a value and its path as for ``--set``.

    Example:
        >>> setting("params.width", 32), setting("params.kind", "gru")
        ('params.width=32', 'params.kind="gru"')
    """
    return f"{path}={_text(value)}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _place(over: Tree | None, path: str) -> Tree | None:
    return over.get(path) if isinstance(over, MappingNode) else None


def _paths(document: MappingNode) -> list[str]:
    """The paths of the document's values, up to a limit, for suggestions."""
    found: list[str] = []
    for path in _walk(document, ""):
        found.append(path)
        if len(found) >= _MOST_PATHS:
            break
    return found


def _walk(tree: Tree | None, path: str) -> Iterator[str]:
    if isinstance(tree, MappingNode):
        for key, value in tree.items():
            inner = f"{path}.{key.value}" if path else str(key.value)
            yield inner
            yield from _walk(value, inner)
