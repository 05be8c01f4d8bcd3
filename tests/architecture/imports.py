"""The import statements of the package, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import nnspec

ROOT = Path(nnspec.__file__).parent

Kind = Literal["module", "function", "type"]


@dataclass(frozen=True)
class Import:
    """An import of one module.

    Attributes:
        file: The importing file, relative to the package.
        line: Its line.
        target: The imported module, or the imported name's module.
        kind: ``module`` if it runs when the file is imported, ``function`` if it runs later, ``type`` under `TYPE_CHECKING`.
    """

    file: str
    line: int
    target: str
    kind: Kind

    @property
    def source_part(self) -> str:
        """The package, or the module outside of packages, that imports."""
        return self.file.partition("/")[0].removesuffix(".py")

    @property
    def target_part(self) -> str | None:
        """The package or module of nnspec that is imported; None for other distributions."""
        first, _, rest = self.target.partition(".")
        return (rest.partition(".")[0] or "__init__") if first == "nnspec" else None

    def __str__(self) -> str:
        return f"nnspec/{self.file}:{self.line} imports {self.target}"


@cache
def package_imports() -> tuple[Import, ...]:
    """All imports of the package, those inside functions included."""
    return tuple(each for path in sorted(ROOT.rglob("*.py")) for each in _imports_of(path))


def _imports_of(path: Path) -> Iterator[Import]:
    file = path.relative_to(ROOT).as_posix()

    def visit(node: ast.AST, kind: Kind) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(file, child.lineno, name.name, kind) for name in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield from (Import(file, child.lineno, target, kind) for target in _targets(child))
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                yield from visit(child, "type")
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from visit(child, "function")
            else:
                yield from visit(child, kind)

    return visit(ast.parse(path.read_text(encoding="utf-8")), "module")


def _targets(node: ast.ImportFrom) -> list[str]:
    """The imported module, or the submodules of it that are imported by name."""
    module = node.module or ""
    names = [f"{module}.{name.name}" for name in node.names]
    modules = [name for name in names if _is_module(name)]
    return modules + ([module] if len(modules) < len(names) else [])


def _is_module(name: str) -> bool:
    first, *rest = name.split(".")
    path = ROOT.joinpath(*rest)
    return first == "nnspec" and (path.is_dir() or path.with_suffix(".py").is_file())
