"""What Prometheus is told."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Metrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_OFTEN = 0.1
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The figures of one server. Labels are names of routes and of models that exist, never what a client wrote."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._written, self._written_at = b"", float("-inf")
        of_model = ("model", "version")
        self.requests = Counter("nnspec_requests", "Requests answered.", ("route", "model", "status"), registry=self._registry)
        self.seconds = Histogram(
            "nnspec_request_seconds",
            "From a request's head to the end of its answer.",
            ("route", "model"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.batch_rows = Histogram(
            "nnspec_batch_rows", "Rows that were computed at once.", of_model, buckets=_ROWS, registry=self._registry
        )
        self.batch_seconds = Histogram(
            "nnspec_batch_seconds", "What ONNX Runtime took.", of_model, buckets=_SECONDS, registry=self._registry
        )
        self.reloads = Counter("nnspec_model_reloads", "Files that changed.", (*of_model, "outcome"), registry=self._registry)
        self._waiting = Gauge("nnspec_waiting_requests", "Requests that wait for a model.", of_model, registry=self._registry)
        self._per_row = Gauge("nnspec_row_seconds", "The `a` of `a * rows + b`.", of_model, registry=self._registry)
        self._per_batch = Gauge("nnspec_batch_fixed_seconds", "The `b` of it.", of_model, registry=self._registry)
        self._held = Gauge(
            "nnspec_held_bytes", "What all requests hold: bodies, what is made of them, answers.", registry=self._registry
        )

    def of_batches(self, model: str, version: str) -> Callable[[int, float], None]:
        """What is to be told the rows and the seconds of each batch of a model."""
        rows_of, seconds_of = self.batch_rows.labels(model, version), self.batch_seconds.labels(model, version)

        def told(rows: int, seconds: float) -> None:
            rows_of.observe(rows)
            seconds_of.observe(seconds)

        return told

    def queue(self, model: str, version: str, waiting: int, a: float, b: float) -> None:
        """How long a model's queue is now, and what its batches cost."""
        self._waiting.labels(model, version).set(waiting)
        self._per_row.labels(model, version).set(a)
        self._per_batch.labels(model, version).set(b)

    def text(self, look: Callable[[], int]) -> tuple[bytes, str]:
        """All of it as Prometheus reads it, and the content type.

        Args:
            look: Sets what is looked at only now, and returns the bytes that requests hold.
        """
        # Written at most ten times a second: it takes some milliseconds, in which nobody else is answered.
        if monotonic() - self._written_at > _OFTEN:
            self._held.set(look())
            self._written = generate_latest(self._registry)
            self._written_at = monotonic()
        return self._written, CONTENT_TYPE_LATEST
