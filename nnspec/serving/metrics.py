"""Prometheus metrics of the server."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_MIN_INTERVAL = 0.1
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The metrics of one server. Labels are names of existing routes and models, never text sent by a client."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._exported, self._exported_at = b"", float("-inf")
        of_model = ("model", "version")
        self.requests = Counter("nnspec_requests", "Requests answered.", ("route", "model", "status"), registry=self._registry)
        self.seconds = Histogram(
            "nnspec_request_seconds",
            "Seconds from the request headers to the end of the response.",
            ("route", "model"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.batch_rows = Histogram("nnspec_batch_rows", "Rows per batch.", of_model, buckets=_ROWS, registry=self._registry)
        self.batch_seconds = Histogram(
            "nnspec_batch_seconds", "Seconds of ONNX Runtime per batch.", of_model, buckets=_SECONDS, registry=self._registry
        )
        self.reloads = Counter(
            "nnspec_model_reloads", "Reloads of changed model files.", (*of_model, "outcome"), registry=self._registry
        )
        self._waiting = Gauge("nnspec_waiting_requests", "Requests waiting for a model.", of_model, registry=self._registry)
        self._per_row = Gauge(
            "nnspec_row_seconds", "The fitted `a` of batch seconds `a * rows + b`.", of_model, registry=self._registry
        )
        self._per_batch = Gauge(
            "nnspec_batch_fixed_seconds", "The fitted `b` of batch seconds `a * rows + b`.", of_model, registry=self._registry
        )
        self._held = Gauge(
            "nnspec_held_bytes", "Bytes used by all requests: bodies, tensors, and responses.", registry=self._registry
        )

    def of_batches(self, model: str, version: str) -> Callable[[int, float], None]:
        """Create the callback that records the rows and seconds of each batch of a model."""
        rows_of, seconds_of = self.batch_rows.labels(model, version), self.batch_seconds.labels(model, version)

        def record(rows: int, seconds: float) -> None:
            rows_of.observe(rows)
            seconds_of.observe(seconds)

        return record

    def queue(self, model: str, version: str, waiting: int, a: float, b: float) -> None:
        """Record the queue length of a model and its batch cost."""
        self._waiting.labels(model, version).set(waiting)
        self._per_row.labels(model, version).set(a)
        self._per_batch.labels(model, version).set(b)

    def text(self, update_gauges: Callable[[], int]) -> tuple[bytes, str]:
        """Export all metrics in the text format of Prometheus, with the content type.

        Args:
            update_gauges: Updates the queue metrics and returns the bytes used by requests.
        """
        # Exporting takes some milliseconds and blocks the event loop, so it runs at most ten times per second.
        if monotonic() - self._exported_at > _MIN_INTERVAL:
            self._held.set(update_gauges())
            self._exported = generate_latest(self._registry)
            self._exported_at = monotonic()
        return self._exported, CONTENT_TYPE_LATEST
