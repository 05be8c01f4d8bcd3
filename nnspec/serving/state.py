"""What all requests of one server share."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from nnspec.serving.bodies import Bodies
from nnspec.serving.journal import Journal
from nnspec.serving.metrics import Metrics
from nnspec.serving.repository import Repository
from nnspec.serving.settings import Settings
from nnspec.serving.work import Work

__all__ = ["State"]


@dataclass
class State:
    """What all requests of one server share.

    Attributes:
        settings: What it was told.
        repository: The models.
        metrics: The figures.
        journal: What is written down.
        bodies: What reads bodies.
        work: Threads for what would hold up the loop.
        draining: Whether it has been asked to end.
    """

    settings: Settings
    repository: Repository
    metrics: Metrics
    journal: Journal
    bodies: Bodies
    work: Work
    draining: bool = False

    @classmethod
    def of(cls, request: Request) -> State:
        """The state of a request's server."""
        found = request.app.state.nnspec
        assert isinstance(found, cls)
        return found
