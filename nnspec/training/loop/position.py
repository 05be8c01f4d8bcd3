"""The position of a training: its state except variables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Position:
    """The position of a training: the state of the loop, without weights, optimizer and metrics.

    Attributes:
        epoch: Completed epochs, over all phases.
        step: Completed steps, over all phases.
        in_epoch: Completed steps of the current epoch.
        phase: The phase, from 0.
        phase_epoch: Completed epochs of the phase.
        phase_step: Completed steps of the phase.
        over: Whether early stopping has ended the phase.
        best: The best value of the monitored metric.
        best_epoch: The epoch with that value, from 1.
        counted: The last improved value of early stopping.
        waited: Epochs since then.
        plateau: The last improved value of `reduce_on_plateau`.
        plateau_waited: Epochs since then.
        cooldown: Remaining cooldown epochs of `reduce_on_plateau`.
        seconds: Training time.
        epoch_seconds: Training time of the current epoch.
        epoch_examples: Examples of the current epoch.
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
        """Converts the position to plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> Position:
        """Restores a position.

        Raises:
            ValueError: If a value is missing or invalid.

        Example:
            >>> Position.from_json(Position(epoch=3, best=0.5).as_json()) == Position(epoch=3, best=0.5)
            True
        """
        if not isinstance(values, Mapping):
            raise ValueError("its position is not a mapping")
        for field in fields(cls):
            value = values.get(field.name)
            if not _ALLOWED[str(field.type)](value):
                raise ValueError(f"its position has the value {value!r:.60} for `{field.name}`")
        position = cls(**{field.name: values[field.name] for field in fields(cls)})
        if position.best_epoch > position.epoch:
            raise ValueError(f"its position has the best epoch {position.best_epoch} of {position.epoch}")
        return position

    def next_phase(self, *, comparable: bool) -> None:
        """Enters the next phase.

        Args:
            comparable: Whether the next phase monitors a comparable metric; otherwise the best value is reset.
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
"""The valid values of a field, by its annotation."""
