"""Seeds of everything random in a build, derived from the build's seed."""

from __future__ import annotations

import hashlib


class Seeds:
    """The seeds of one layer.

    Each is derived from the build's seed, the layer's path and what is drawn, so that a layer's initial weights do not change
    when other layers are added or removed.

    Args:
        seed: The build's seed; None if the build is not reproducible.
        place: The layer's path.

    Example:
        >>> Seeds(7, "dense").of("kernel_initializer") == Seeds(7, "dense").of("kernel_initializer")
        True
        >>> Seeds(7, "dense").of("kernel_initializer") == Seeds(7, "dense_1").of("kernel_initializer")
        False
    """

    def __init__(self, seed: int | None, place: str) -> None:
        self._seed = seed
        self._place = place

    def of(self, what: str) -> int | None:
        """The seed of one draw, from 0 to 2³¹ − 1, or None."""
        if self._seed is None:
            return None
        digest = hashlib.sha256(f"{self._seed}:{self._place}:{what}".encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1

    def within(self, part: str) -> Seeds:
        """The seeds of a layer inside this one."""
        return Seeds(self._seed, f"{self._place}/{part}")
