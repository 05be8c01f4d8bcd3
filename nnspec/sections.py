"""The sections of a document as typed values, each read by the class that knows its keys and defaults."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from nnspec.spec import check
from nnspec.spec.tree import Tree
from nnspec.types import Config

__all__ = ["SECTIONS", "read_section"]

SECTIONS = {
    "data": "nnspec.data.section.DataSection",
    "train": "nnspec.training.section.TrainSection",
    "sweep": "nnspec.sweeping.section.SweepSection",
    "generate": "nnspec.generation.section.GenerateSection",
    "export": "nnspec.graph.exported.ExportSection",
    "budget": "nnspec.graph.budget.Budget",
}
"""Each section's class by the section's name; imported when it is first read."""


def read_section(name: str, tree: Tree | None) -> Config | None:
    """A section with its defaults in place; None where it is not there, has no class, or cannot be read."""
    if tree is None or name not in SECTIONS:
        return None
    module, _, config = SECTIONS[name].rpartition(".")
    return check(cast("type[Config]", getattr(import_module(module), config)), tree, [], name=name)
