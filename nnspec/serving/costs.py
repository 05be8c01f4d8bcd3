"""A model of batch latency, and whether waiting for one more row reduces the mean latency."""

from __future__ import annotations

_DECAY = 0.98
"""Weight of the previous statistics at each new batch, a window of about 50 batches."""


class Cost:
    """Fit of ``seconds = a·rows + b`` to past batches with exponential decay.

    Example:
        >>> cost = Cost()
        >>> for rows in (1, 2, 4, 8):
        ...     cost.update(rows, 0.001 * rows + 0.01)
        >>> round(cost.a, 6), round(cost.b, 6)
        (0.001, 0.01)
    """

    def __init__(self) -> None:
        self._n = self._x = self._y = self._xx = self._xy = 0.0
        self.a = self.b = 0.0

    def update(self, rows: int, seconds: float) -> None:
        """Add a batch to the fit."""
        for name, value in (("_n", 1), ("_x", rows), ("_y", seconds), ("_xx", rows * rows), ("_xy", rows * seconds)):
            setattr(self, name, _DECAY * getattr(self, name) + value)
        spread = self._n * self._xx - self._x * self._x
        # If all batches have the same size, `b` is unknown and set to 0, so that no batch waits.
        slope = (self._n * self._xy - self._x * self._y) / spread if spread > 1e-6 * self._xx * self._n else self._y / self._x
        # A negative slope or intercept is noise and is set to 0.
        self.a = min(max(slope, 0.0), self._y / self._x)
        self.b = (self._y - self.a * self._x) / self._n

    def should_wait(self, rows: int, gap: float) -> bool:
        """Whether the mean latency decreases if a batch waits for one more row.

        Waiting delays each of ``rows`` by ``gap`` and by the ``a`` of one more row. Without waiting, the next row waits for
        the rest of this batch and then takes ``a + b``. The sums differ by ``b − (rows + 1)·gap − rows·a``.

        Args:
            rows: The number of rows in the batch.
            gap: The expected seconds until the next row.

        Example:
            >>> cost = Cost()
            >>> cost.a, cost.b = 0.0001, 0.01
            >>> cost.should_wait(1, gap=0.001), cost.should_wait(20, gap=0.001)
            (True, False)
        """
        return (rows + 1) * gap + rows * self.a < self.b


class ArrivalGaps:
    """Exponential moving average of the time between requests."""

    def __init__(self) -> None:
        self._last: float | None = None
        self.mean = float("inf")

    def arrived(self, now: float) -> None:
        """Record the arrival of a request."""
        if self._last is not None:
            gap = now - self._last
            self.mean = gap if self.mean == float("inf") else 0.9 * self.mean + 0.1 * gap
        self._last = now
