"""State shared by all requests of a server."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from nnspec.serving.bodies import Bodies
from nnspec.serving.journal import Journal
from nnspec.serving.metrics import Metrics
from nnspec.serving.repository import Repository
from nnspec.serving.settings import Settings
from nnspec.serving.thread_pools import ThreadPools


@dataclass
class State:
    """State shared by all requests of a server.

    Attributes:
        settings: The settings.
        repository: The models.
        metrics: The metrics.
        journal: The log.
        bodies: The reader of request bodies.
        work: The thread pools.
        draining: Whether the server is shutting down.
    """

    settings: Settings
    repository: Repository
    metrics: Metrics
    journal: Journal
    bodies: Bodies
    work: ThreadPools
    draining: bool = False

    @classmethod
    def of(cls, request: Request) -> State:
        """The state of the server of a request."""
        found = request.app.state.nnspec
        assert isinstance(found, cls)
        return found
