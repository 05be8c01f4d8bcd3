"""``budget``: limits on the size and cost of a model, checked with the graph."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import problems as g
from nnspec.graph.model import Model
from nnspec.spec import Spec, check
from nnspec.spec.checked import check_known
from nnspec.types import Config, Dim

_Count = Annotated[int, Field(gt=0, strict=True)]


class Budget(Config):
    """Limits on the model; ``validate`` fails if one is exceeded."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"parameters": 100_000, "macs": 5_000_000}]})

    parameters: _Count | None = Field(
        None, description="The most elements of all weights of the document's own network.", examples=[100_000]
    )
    macs: _Count | None = Field(
        None,
        description="The most multiply–accumulates for one example; not checked if they depend on a symbol.",
        examples=[5_000_000],
    )
    onnx_bytes: _Count | None = Field(
        None, description="The largest size of the ONNX file, checked when one is written.", examples=[1_000_000]
    )


def check_onnx_bytes(spec: Spec, size: int) -> None:
    """Check the size of an ONNX file before it is written.

    Raises:
        SpecError: If the file exceeds the budget.
    """
    problems: list[Diagnostic] = []
    section = spec.section("budget")
    budget = check(Budget, section, problems, name="budget") if section is not None else None
    if section is not None and budget is not None and budget.onnx_bytes is not None and size > budget.onnx_bytes:
        at = section.get("onnx_bytes") or section
        raise SpecError([g.OverBudget.at(at.span, at.path, what="onnx_bytes", got=size, most=budget.onnx_bytes)])


def check_budget(spec: Spec, model: Model, problems: list[Diagnostic]) -> None:
    """Append a diagnostic for each limit of the budget that the model exceeds."""
    section = spec.section("budget")
    if section is None:
        return
    budget = check_known(Budget, section, problems, name="budget").value
    if budget is None or "main" not in model.networks:
        return
    graph = model.main
    # A model that exceeds the budget without its invalid layers also does with them.
    help = "steps with errors are not counted" if graph.gaps.layers else ""
    figures: dict[str, int | Dim] = {"parameters": graph.parameters, "macs": graph.macs}
    for what, got in figures.items():
        most, at = getattr(budget, what), section.get(what)
        if most is not None and at is not None and isinstance(got, int) and got > most:
            problems.append(g.OverBudget.at(at.span, at.path, help=help, what=what, got=got, most=most))
