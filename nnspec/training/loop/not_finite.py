"""Explanations of a loss that became NaN or infinite."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.diagnostics import NnspecError
from nnspec.training.loop.loop import NotFiniteLoss
from nnspec.training.loop.position import Position
from nnspec.training.section import TrainSection

_LARGE_LOSS = 1e4
_LARGE_VALUE = 1e4
_MAX_FLOAT16 = 65_504.0
"""The largest float16 number (IEEE 754-2019)."""
_ROWS_SHOWN = 8


class Diverged(NnspecError):
    """A training whose loss became NaN or infinite. A resumed training would fail in the same way."""


def explanation(error: NotFiniteLoss, at: Position, section: TrainSection, examples: Examples) -> str:
    """Describes the failed step, its examples and the likely causes.

    Args:
        error: The error.
        at: The position of the training.
        section: The section ``train`` of the phase.
        examples: The training examples.
    """
    what = "not a number (NaN)" if math.isnan(error.loss) else "infinite"
    where = f"the loss became {what} at step {at.step:,}, in epoch {at.epoch + 1}"
    rows = ", ".join(f"{row + 1:,}" for row in error.rows[:_ROWS_SHOWN])
    more = f", … ({len(error.rows):,} in all)" if len(error.rows) > _ROWS_SHOWN else ""
    batch = f"its batch: row{'s' if len(error.rows) > 1 else ''} {rows}{more} of the training data"
    causes = list(_causes(error, at, section, examples))
    return "\n".join([f"{where}; {batch}", *(f"  = likely: {cause}" for cause in causes[:2])])


def _causes(error: NotFiniteLoss, at: Position, section: TrainSection, examples: Examples) -> Iterator[str]:
    """The causes, from the most specific to the most general."""
    yield from _bad_values(error, examples, _MAX_FLOAT16 if section.precision == "mixed_float16" else _LARGE_VALUE)
    if math.isfinite(error.before) and abs(error.before) > _LARGE_LOSS:
        yield (
            f"the learning rate is too high: the loss grew without bound, to {error.before:.3g} in the previous step. "
            "Lower `learning_rate`, or set `clip: {norm: 1}`"
        )
    if section.precision == "mixed_float16":
        yield (
            f"a value exceeded {_MAX_FLOAT16:,.0f}, the largest float16 number. Use `precision: mixed_bfloat16` or `float32`"
        )
    if at.phase_step <= 1:
        yield (
            "it occurred in the first step: a logarithm of 0 or a division by 0 in the loss or in the last activation. "
            "Check what the loss expects: probabilities, logits or positive numbers"
        )
    yield (
        "the learning rate is too high, or the loss takes a logarithm of 0 or divides by 0. Lower `learning_rate`, or set "
        "`clip: {norm: 1}`"
    )


def _bad_values(error: NotFiniteLoss, examples: Examples, most: float) -> Iterator[str]:
    """Values of the batch that are not finite or very large."""
    groups: Mapping[str, Mapping[str, NDArray[Any]]] = {
        "inputs": examples.inputs,
        "targets": examples.targets,
        "weights": examples.weights,
    }
    for kind, group in groups.items():
        for name, array in group.items():
            if array.dtype.kind != "f":
                continue
            values = np.asarray(array[error.rows], np.float64).reshape(len(error.rows), -1)
            largest = np.abs(values).max(1, initial=0.0)
            place = f"`{name}` ({kind[:-1]})"
            if not np.isfinite(largest).all():
                row = error.rows[int(np.argmin(np.isfinite(largest)))] + 1
                yield f"{place} is not finite in row {row:,} of the training data. Correct it, or use the transform `impute`"
            elif largest.max() > most:
                row = error.rows[int(largest.argmax())] + 1
                help = "Scale it with the transform `standardize` or `rescale`"
                yield f"{place} is as large as {largest.max():.3g} in row {row:,} of the training data. {help}"
