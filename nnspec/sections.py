"""Sections of a document as typed values."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from nnspec.spec import check
from nnspec.spec.tree import Tree
from nnspec.types import Config

SECTIONS = {
    "data": "nnspec.data.section.DataSection",
    "train": "nnspec.training.section.TrainSection",
    "sweep": "nnspec.sweeping.section.SweepSection",
    "generate": "nnspec.generation.section.GenerateSection",
    "export": "nnspec.graph.exported.ExportSection",
    "budget": "nnspec.graph.budget.Budget",
}
"""Class of each section by name; imported on first use."""


def read_section(name: str, tree: Tree | None) -> Config | None:
    """Return a section with its defaults; None if it is missing, has no class, or is invalid."""
    if tree is None or name not in SECTIONS:
        return None
    module, _, config = SECTIONS[name].rpartition(".")
    return check(cast("type[Config]", getattr(import_module(module), config)), tree, [], name=name)
