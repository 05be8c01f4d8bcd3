"""Where a training stands: all that is not in the weights, the optimizer and the metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = ["Position"]


@dataclass
class Position:
    """Where a training stands: all that the loop knows which the weights and the optimizer do not.

    Attributes:
        epoch: Epochs finished, over all phases.
        step: Steps made, over all phases.
        in_epoch: Steps made in the epoch that has begun.
        phase: The phase, from 0.
        phase_epoch: Epochs finished in it.
        phase_step: Steps made in it.
        over: Whether early stopping has ended the phase.
        best: The best value of the metric that is watched.
        best_epoch: The epoch that had it, counted from 1.
        counted: The value that early stopping last counted as better.
        waited: Epochs since then.
        plateau: The value that the lowering of the learning rate last counted as better.
        plateau_waited: Epochs since then.
        cooldown: Epochs for which it waits after it lowered the rate.
        seconds: Time spent.
        epoch_seconds: Time spent in the epoch that has begun.
        epoch_examples: Examples of it.
    """

    epoch: int = 0
    step: int = 0
    in_epoch: int = 0
    phase: int = 0
    phase_epoch: int = 0
    phase_step: int = 0
    over: bool = False
    best: float | None = None
    best_epoch: int = 0
    counted: float | None = None
    waited: int = 0
    plateau: float | None = None
    plateau_waited: int = 0
    cooldown: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    epoch_examples: int = 0

    def as_json(self) -> dict[str, Any]:
        """Itself as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> Position:
        """Itself again.

        Raises:
            ValueError: If a value is missing, is of another type, or cannot be.

        Example:
            >>> Position.from_json(Position(epoch=3, best=0.5).as_json()) == Position(epoch=3, best=0.5)
            True
        """
        if not isinstance(values, Mapping):
            raise ValueError("its position is no mapping")
        for field in fields(cls):
            value = values.get(field.name)
            if not _ALLOWED[str(field.type)](value):
                raise ValueError(f"its position has the value {value!r:.60} for `{field.name}`")
        position = cls(**{field.name: values[field.name] for field in fields(cls)})
        if position.best_epoch > position.epoch:
            raise ValueError(f"its position says that epoch {position.best_epoch} was best, of {position.epoch}")
        return position

    def next_phase(self, *, comparable: bool) -> None:
        """Enters the next phase.

        Args:
            comparable: Whether the metric that is watched means the same there; what is best is else counted anew.
        """
        self.phase += 1
        self.phase_epoch = self.phase_step = self.waited = self.plateau_waited = self.cooldown = 0
        self.over = False
        self.counted = self.plateau = None
        if not comparable:
            self.best = None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) < 2**53)


_ALLOWED: dict[str, Callable[[Any], bool]] = {
    "int": _is_count,
    "bool": lambda value: isinstance(value, bool),
    "float": lambda value: _is_number(value) and 0 <= value < math.inf,
    "float | None": lambda value: value is None or _is_number(value),
}
"""What a field may hold, by its annotation."""
