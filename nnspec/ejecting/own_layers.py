"""The source of Keras layers of this package, with what they need, to be written into another file."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from nnspec.diagnostics import NnspecError

__all__ = ["PACKAGE", "OwnLayers", "every_name", "is_own"]

_FROM = "nnspec.keras_backend.layers"
PACKAGE = "model"
"""The package under which the classes of a file are registered with Keras."""

_DROPPED = re.compile(r"  # (type: ignore|noqa)\S*(: \S+)?$", re.MULTILINE)


@cache
def every_name() -> frozenset[str]:
    """The names that the sources of all layers define and import."""
    package = importlib.import_module(_FROM)
    found: set[str] = set()
    for module in pkgutil.iter_modules(package.__path__, f"{_FROM}."):
        definitions, imports = _contents(module.name)
        found |= definitions.keys() | imports.keys()
    return frozenset(found)


def is_own(kind: type) -> bool:
    """Whether a class is one of this package."""
    return kind.__module__.partition(".")[0] == "nnspec"


class OwnLayers:
    """The classes that a file needs, in the order in which they can be defined."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], None] = {}
        self._imports: set[tuple[str, str]] = set()
        self._modules: list[str] = []

    def add(self, kind: type) -> str:
        """Add a class and all that it needs; returns its name.

        Raises:
            NnspecError: If its source needs other parts of this package.
        """
        self._add(kind.__module__, kind.__name__, kind.__name__)
        return kind.__name__

    def _add(self, module: str, name: str, wanted_by: str) -> None:
        if module != _FROM and not module.startswith(f"{_FROM}.") and not _is_literal(module, name):
            raise NnspecError(f"cannot eject the layer `{wanted_by}`: its code needs `{module}`")
        if (module, name) in self._found:
            return
        if any(name == other for _, other in self._found):
            raise NnspecError(f"cannot eject the layer `{wanted_by}`: the name `{name}` is defined twice")
        definitions, imports = _contents(module)
        if name not in definitions:
            raise NnspecError(f"cannot eject the layer `{wanted_by}`: `{module}` does not define `{name}`")
        self._found[module, name] = None
        used = {node.id for node in ast.walk(definitions[name]) if isinstance(node, ast.Name)}
        for each in sorted(used):
            if each in imports:
                source, original = imports[each]
                if source.partition(".")[0] == "nnspec":
                    self._add(source, original, wanted_by)
                else:
                    self._imports.add((source, original))
            elif each in definitions and each != name:
                self._add(module, each, wanted_by)
        if module not in self._modules:
            self._modules.append(module)

    @property
    def future(self) -> str:
        """The first import statement: annotations of the sources are not evaluated."""
        return "from __future__ import annotations" if self._found else ""

    @property
    def imports(self) -> Iterable[str]:
        """The import statements of the sources, besides Keras."""
        found: dict[str, list[str]] = {}
        for source, name in sorted(self._imports):
            found.setdefault(source, []).append(name)
        lines = [
            f"from {source} import {', '.join(names)}" if names[0] else f"import {source}" for source, names in found.items()
        ]
        return [line for line in lines if line not in ("import keras", "from keras import ops")]

    @property
    def sources(self) -> list[str]:
        """The definitions."""
        found = []
        for module in self._modules:
            definitions, _ = _contents(module)
            for name, node in definitions.items():
                if (module, name) in self._found:
                    found.append(_source(module, node))
        return found


@cache
def _contents(module: str) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
    """The definitions of a module by name, and the module and name of each import."""
    definitions: dict[str, Any] = {}
    imports: dict[str, tuple[str, str]] = {}
    for node in ast.parse(_text(module)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    definitions[target.id] = node
        elif isinstance(node, ast.Import):
            imports |= {each.asname or each.name: (each.name, "") for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports |= {each.asname or each.name: (node.module, each.name) for each in node.names}
    return definitions, imports


def _is_literal(module: str, name: str) -> bool:
    """Whether a name is that of a number or a text: its definition needs nothing else of its module."""
    definition = _contents(module)[0].get(name)
    value = definition.value if isinstance(definition, ast.Assign | ast.AnnAssign) else None
    return isinstance(value.operand if isinstance(value, ast.UnaryOp) else value, ast.Constant)


@cache
def _text(module: str) -> str:
    return inspect.getsource(importlib.import_module(module))


def _source(module: str, node: Any) -> str:
    lines = _text(module).splitlines()
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
    text = _DROPPED.sub("", "\n".join(lines[first - 1 : node.end_lineno]))
    return text.replace('register_keras_serializable("nnspec")', f'register_keras_serializable("{PACKAGE}")')
