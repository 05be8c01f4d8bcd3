"""The public functions that span several parts: what the commands call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnspec.diagnostics import Diagnostic
from nnspec.graph import build as build_graphs
from nnspec.spec import Limits, read_spec

__all__ = ["inspect", "validate"]


def validate(
    file: str | Path,
    overrides: Sequence[str] = (),
    *,
    root: Path | None = None,
    limits: Limits | None = None,
    data: bool = False,
) -> list[Diagnostic]:
    """Everything that is wrong with a spec, and warnings, in the order of the file. No framework is loaded.

    Args:
        file: The spec.
        overrides: ``path=value`` each.
        root: What the spec's paths may not leave.
        limits: What the document may cost.
        data: Whether to open the data as well, which needs NumPy and what the readers need.

    Example:
        >>> validate("specs/lenet5.nnspec.yaml")
        []
    """
    problems: list[Diagnostic] = []
    spec = read_spec(file, problems, overrides, root=root, limits=limits)
    if spec is not None:
        model = build_graphs(spec, problems)
    return sorted(problems, key=lambda problem: (problem.span.file, problem.span.line, problem.span.column))


def inspect(file: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """What ``nnspec inspect --format json`` prints; see [`describe`][nnspec.graph.describe.describe].

    Raises:
        SpecError: Where the spec has errors.

    Example:
        >>> inspect("specs/lenet5.nnspec.yaml")["networks"]["main"]["macs"]
        416520
    """
    from nnspec.graph import compile
    from nnspec.graph.describe import describe
    from nnspec.spec import load

    return describe(compile(load(file, overrides)))
