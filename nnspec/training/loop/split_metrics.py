"""Metrics of whole splits: the outputs of a network, batch by batch, and what accumulates them on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Batch, Examples
from nnspec.training.catalogue.metrics.base import FRAMES, Accumulator
from nnspec.training.loop.backend import Rows
from nnspec.training.loop.prefetch import AHEAD, Prefetcher
from nnspec.training.plan import SplitMetricPlan
from nnspec.training.processes.group import current

Arrays = dict[str, NDArray[Any]]


class SplitMetrics:
    """Computes the metrics of a training or an evaluation. Several processes predict a part of the batches each.

    Args:
        plans: The metrics.
        models: Returns the networks, by name, with their current weights.
    """

    def __init__(self, plans: Sequence[SplitMetricPlan], models: Callable[[], Mapping[str, keras.Model]]) -> None:
        self._plans, self._models = plans, models

    def results(self, examples: Examples, batch_size: int) -> dict[str, float]:
        """The values for a split, by their names in the log.

        Args:
            examples: The examples.
            batch_size: The number of examples that are predicted at a time.
        """
        found: dict[str, float] = {}
        for accumulator in self.accumulated(examples, batch_size):
            found |= accumulator.results()
        return found

    def accumulated(self, examples: Examples, batch_size: int) -> list[Accumulator]:
        """The accumulated metrics of a split, in their order."""
        found = [plan.metric.accumulator() for plan in self._plans]
        for batch in self.batches(examples, batch_size):
            for accumulator, (outputs, fields) in zip(found, batch, strict=True):
                accumulator.add(outputs, fields)
        return found

    def batches(self, examples: Examples, batch_size: int) -> Iterator[list[tuple[Arrays, Arrays]]]:
        """The outputs and the fields that each metric reads, batch by batch in the order of the examples, by its own names.

        Args:
            examples: The examples.
            batch_size: The number of examples that are predicted at a time.
        """
        if not self._plans:
            return
        group, count, models = current(), -(-len(examples) // batch_size), self._models()
        rounds = range(0, count, group.count)
        # A process without a batch in the last round predicts the last one again: all take part in the exchange.
        mine = [_rows_of(min(first + group.index, count - 1), batch_size, len(examples)) for first in rounds]
        for first, (rows_read, given) in zip(rounds, _batches_ahead(examples, mine), strict=True):
            own = self._read(models, examples, rows_read, given, batch_size)
            read = {name: group.gathered(values) for name, values in own.items()}
            for batch in range(first, min(first + group.count, count)):
                rows = slice(0, min(batch_size, len(examples) - batch * batch_size))
                yield [
                    (
                        {part: read[plan.network, name][batch - first][rows] for part, name in plan.reads.outputs.items()},
                        {part: read["", name][batch - first][rows] for part, name in _fields(plan, read).items()},
                    )
                    for plan in self._plans
                ]

    def _read(
        self, models: Mapping[str, keras.Model], examples: Examples, rows: Rows, given: Batch, batch_size: int
    ) -> dict[tuple[str, str], NDArray[Any]]:
        """The outputs by network and name, and the fields by ``""`` and name, of a batch, which is filled to its size."""
        values = {**given.targets, **given.inputs}
        found: dict[tuple[str, str], NDArray[Any]] = {}
        for plan in self._plans:
            found |= {("", name): values[name] for name in plan.reads.fields.values()}
            frames = examples.frames.get(plan.reads.frames or "")
            if frames is not None:
                own = frames.rows(examples.rows[rows])
                found["", _frames_of(plan)] = np.concatenate([own.scale, own.offset], 1)
            wanted = [name for name in plan.reads.outputs.values() if (plan.network, name) not in found]
            if wanted:
                inputs = {port: values[field] for port, field in plan.inputs.items()}
                outputs = models[plan.network].predict_on_batch(inputs)
                found |= {(plan.network, name): np.asarray(outputs[name]) for name in plan.reads.outputs.values()}
        return {name: _filled(array, batch_size) for name, array in found.items()}


def _rows_of(batch: int, batch_size: int, count: int) -> Rows:
    """The positions of the examples of a batch."""
    return np.arange(batch * batch_size, min((batch + 1) * batch_size, count))


def _batches_ahead(examples: Examples, batches: Sequence[Rows]) -> Iterator[tuple[Rows, Batch]]:
    """The batches in order; those that are read when they are used are read ahead, while earlier ones are predicted."""
    prefetcher = Prefetcher()
    submitted = 1
    for number, rows in enumerate(batches):
        while examples.is_read_on_access and submitted < min(number + 1 + AHEAD, len(batches)):
            prefetcher.submit(examples, batches[submitted])
            submitted += 1
        yield rows, prefetcher.take(examples, rows)


def _frames_of(plan: SplitMetricPlan) -> str:
    """The name of the places of images among the fields that are read, which is none of a field."""
    return f"({FRAMES} of {plan.reads.frames})"


def _fields(plan: SplitMetricPlan, read: Mapping[tuple[str, str], NDArray[Any]]) -> dict[str, str]:
    """The fields that a metric reads, by its own names, with the places of images if they are known."""
    frames = {FRAMES: _frames_of(plan)} if ("", _frames_of(plan)) in read else {}
    return {**plan.reads.fields, **frames}


def _filled(array: NDArray[Any], size: int) -> NDArray[Any]:
    """Repeats the last row up to a number of rows, so that the arrays of all processes have one shape."""
    missing = size - len(array)
    return array if missing <= 0 else np.concatenate([array, np.repeat(array[-1:], missing, 0)])
