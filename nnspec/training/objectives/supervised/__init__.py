"""Supervised learning: outputs are compared with the targets of the data. The class has the name that a spec uses."""

from __future__ import annotations

from typing import ClassVar

from nnspec.training.objectives.base import Objective

__all__ = ["supervised"]


class supervised(Objective):  # noqa: N801
    """Predicts the targets of the data."""

    reads_whole_graph: ClassVar[bool] = False
