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
    "neighbors": "nnspec.neighbors.section.NeighborsSection",
    "export": "nnspec.graph.exported.ExportSection",
    "budget": "nnspec.graph.budget.Budget",
}
"""Class of each section by name; imported on first use."""

OTHERS = {"generate": "nnspec.generation.section.SamplerSection"}
"""Second class of a section, which has other keys."""


def section_classes(name: str) -> list[type[Config]]:
    """Return the classes of a section; a section with several is of the one that has its keys."""
    return [_class(places[name]) for places in (SECTIONS, OTHERS) if name in places]


def read_section(name: str, tree: Tree | None) -> Config | None:
    """Return a section with its defaults; None if it is missing, has no class, or is invalid."""
    if tree is None or name not in SECTIONS:
        return None
    found = (check(config, tree, [], name=name) for config in section_classes(name))
    return next((section for section in found if section is not None), None)


def _class(place: str) -> type[Config]:
    module, _, config = place.rpartition(".")
    return cast("type[Config]", getattr(import_module(module), config))
