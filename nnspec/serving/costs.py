"""What a batch costs, learned from those that ran, and whether it pays to wait for one more row."""

from __future__ import annotations

__all__ = ["Cost", "Gaps"]

_KEPT = 0.98
"""What part of what was learned is kept at each new batch: about the last 50 count."""


class Cost:
    """The line ``seconds = a·rows + b`` through the batches that ran, the later ones counting more.

    Example:
        >>> cost = Cost()
        >>> for rows in (1, 2, 4, 8):
        ...     cost.learn(rows, 0.001 * rows + 0.01)
        >>> round(cost.a, 6), round(cost.b, 6)
        (0.001, 0.01)
    """

    def __init__(self) -> None:
        self._n = self._x = self._y = self._xx = self._xy = 0.0
        self.a = self.b = 0.0

    def learn(self, rows: int, seconds: float) -> None:
        """Takes in a batch that ran."""
        for name, value in (("_n", 1), ("_x", rows), ("_y", seconds), ("_xx", rows * rows), ("_xy", rows * seconds)):
            setattr(self, name, _KEPT * getattr(self, name) + value)
        spread = self._n * self._xx - self._x * self._x
        # Batches of one size tell nothing of `b`: then it is 0, and nobody waits.
        slope = (self._n * self._xy - self._x * self._y) / spread if spread > 1e-6 * self._xx * self._n else self._y / self._x
        # A line that falls, or begins below zero, is noise: then the other coefficient has it all.
        self.a = min(max(slope, 0.0), self._y / self._x)
        self.b = (self._y - self.a * self._x) / self._n

    def waiting_pays(self, rows: int, gap: float) -> bool:
        """Whether all are answered sooner, on average, if a batch waits for one more row.

        Waiting delays each of ``rows`` by ``gap`` and by the ``a`` of one more row. Not waiting, the row that comes waits for
        the rest of this batch and then pays ``a + b`` alone. The sums differ by ``b − (rows + 1)·gap − rows·a``.

        Args:
            rows: How many there are.
            gap: Seconds until the next is expected.

        Example:
            >>> cost = Cost()
            >>> cost.a, cost.b = 0.0001, 0.01
            >>> cost.waiting_pays(1, gap=0.001), cost.waiting_pays(20, gap=0.001)
            (True, False)
        """
        return (rows + 1) * gap + rows * self.a < self.b


class Gaps:
    """How long it is from one request to the next, the later ones counting more."""

    def __init__(self) -> None:
        self._last: float | None = None
        self.mean = float("inf")

    def arrived(self, now: float) -> None:
        """Takes in a request that came."""
        if self._last is not None:
            gap = now - self._last
            self.mean = gap if self.mean == float("inf") else 0.9 * self.mean + 0.1 * gap
        self._last = now
