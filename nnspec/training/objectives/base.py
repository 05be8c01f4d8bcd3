"""What an objective is, and the one that goes without saying. The classes have the names that a spec uses."""

from __future__ import annotations

from typing import ClassVar

from nnspec.types import Config

__all__ = ["Objective", "supervised"]


class Objective(Config):
    """What a network learns: where the targets of its losses come from."""

    losses_of_its_own: ClassVar[bool] = False
    """Whether it says itself what is made small: the section then names no losses of outputs."""


class supervised(Objective):  # noqa: N801
    """To give the targets that the data have."""
