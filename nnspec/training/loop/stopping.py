"""Early stopping, and lowering the learning rate on a plateau."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnspec.training.loop.position import Position
from nnspec.training.plan import Monitor
from nnspec.training.section import EarlyStopping, ReduceOnPlateau


def should_stop(rule: EarlyStopping, monitor: Monitor, at: Position, value: float) -> bool:
    """Whether to stop early, as Keras's `EarlyStopping` does.

    Args:
        rule: When to stop.
        monitor: The metric.
        at: The position after the epoch, which is updated.
        value: The value of the metric in the epoch.
    """
    if at.phase_epoch <= rule.start_from_epoch:
        return False
    at.waited += 1
    if monitor.better(value, at.counted, rule.min_delta):
        at.counted = value
        if rule.baseline is None or monitor.better(value, rule.baseline, rule.min_delta):
            at.waited = 0
        return False
    return at.waited >= rule.patience and at.phase_epoch > 1


@dataclass(frozen=True)
class Plateau:
    """Lowers the learning rate when a metric no longer improves, as Keras's `ReduceLROnPlateau` does.

    Attributes:
        rule: When, and by how much.
        monitor: The metric.
        optimizer: The optimizer; the inner one of a loss-scaling optimizer.
    """

    rule: ReduceOnPlateau
    monitor: Monitor
    optimizer: Any

    def after_epoch(self, at: Position, record: dict[str, Any]) -> None:
        """Updates the position, and the learning rate if due."""
        value = record[self.monitor.name]
        if at.cooldown:
            at.cooldown -= 1
            at.plateau_waited = 0
        if self.monitor.better(value, at.plateau, self.rule.min_delta):
            at.plateau, at.plateau_waited = value, 0
        elif not at.cooldown:
            at.plateau_waited += 1
            if at.plateau_waited >= self.rule.patience and self._lower():
                at.cooldown, at.plateau_waited = self.rule.cooldown, 0

    def _lower(self) -> bool:
        rate = float(self.optimizer.learning_rate)
        if rate <= np.float32(self.rule.min_lr):
            return False
        self.optimizer.learning_rate = max(rate * self.rule.factor, self.rule.min_lr)
        return True
