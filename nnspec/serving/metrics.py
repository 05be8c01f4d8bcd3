"""Prometheus metrics of the server.

If the server has several processes, prometheus_client stores their values in the folder of `PROMETHEUS_MULTIPROC_DIR`, and each
process exports those of all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_MIN_INTERVAL = 0.1
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The metrics of one server. Labels are names of existing routes and models, never text sent by a client."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.is_shared = SHARED in os.environ
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
        self.restarts = Counter(
            "nnspec_process_restarts", "Processes that replaced one that had ended.", registry=self._registry
        )
        processes = Gauge("nnspec_processes", "Processes that serve.", registry=self._registry, multiprocess_mode="livesum")
        processes.set(1)
        self._waiting = Gauge(
            "nnspec_waiting_requests",
            "Requests waiting for a model.",
            of_model,
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._per_row = Gauge(
            "nnspec_row_seconds",
            "The fitted `a` of batch seconds `a * rows + b`, of one process.",
            of_model,
            registry=self._registry,
            multiprocess_mode="livemostrecent",
        )
        self._per_batch = Gauge(
            "nnspec_batch_fixed_seconds",
            "The fitted `b` of batch seconds `a * rows + b`, of one process.",
            of_model,
            registry=self._registry,
            multiprocess_mode="livemostrecent",
        )
        self._held = Gauge(
            "nnspec_held_bytes",
            "Bytes used by all requests: bodies, tensors, and responses.",
            registry=self._registry,
            multiprocess_mode="livesum",
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

    def hold(self, size: int) -> None:
        """Record the bytes used by requests."""
        self._held.set(size)

    def text(self, update_gauges: Callable[[], None]) -> tuple[bytes, str]:
        """Export all metrics in the text format of Prometheus, with the content type.

        Args:
            update_gauges: Updates the gauges of this process.
        """
        # Exporting takes some milliseconds and blocks the event loop, so it runs at most ten times per second.
        if monotonic() - self._exported_at > _MIN_INTERVAL:
            update_gauges()
            self._exported = generate_latest(self._all() if self.is_shared else self._registry)
            self._exported_at = monotonic()
        return self._exported, CONTENT_TYPE_LATEST

    def _all(self) -> CollectorRegistry:
        """The metrics of all processes."""
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry
