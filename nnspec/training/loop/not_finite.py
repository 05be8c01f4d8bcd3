"""Why a loss became NaN or infinite: what was seen, and what is likely."""

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

__all__ = ["Diverged", "explanation"]

_GROWN = 1e4
_HUGE = 1e4
_HUGE_IN_HALF = 65_504.0
"""The largest number of float16 (IEEE 754-2019)."""
_ROWS_SHOWN = 8


class Diverged(NnspecError):
    """A training whose loss became NaN or infinite: the same again would come to the same."""


def explanation(error: NotFiniteLoss, at: Position, section: TrainSection, examples: Examples) -> str:
    """What happened, in which step, on which examples, and what is likely the cause.

    Args:
        error: What was found.
        at: Where the training stands.
        section: The phase's section ``train``.
        examples: What is trained on.
    """
    what = "not a number (NaN)" if math.isnan(error.loss) else "infinite"
    where = f"the loss became {what} at step {at.step:,}, in epoch {at.epoch + 1}"
    rows = ", ".join(f"{row + 1:,}" for row in error.rows[:_ROWS_SHOWN])
    more = f", … ({len(error.rows):,} in all)" if len(error.rows) > _ROWS_SHOWN else ""
    batch = f"its batch: row{'s' if len(error.rows) > 1 else ''} {rows}{more} of the training data"
    causes = list(_causes(error, at, section, examples))
    return "\n".join([f"{where}; {batch}", *(f"  = likely: {cause}" for cause in causes[:2])])


def _causes(error: NotFiniteLoss, at: Position, section: TrainSection, examples: Examples) -> Iterator[str]:
    """From the most telling to what can always be said."""
    yield from _bad_values(error, examples, _HUGE_IN_HALF if section.precision == "mixed_float16" else _HUGE)
    if math.isfinite(error.before) and abs(error.before) > _GROWN:
        yield (
            f"the learning rate is too high: the loss was {error.before:.3g} the step before, it grew without bound. "
            "Lower `learning_rate`, or set `clip: {norm: 1}`"
        )
    if section.precision == "mixed_float16":
        yield (
            f"something went above {_HUGE_IN_HALF:,.0f}, the largest number of float16. Take `precision: mixed_bfloat16`, "
            "or float32"
        )
    if at.phase_step <= 1:
        yield (
            "it was so from the first step: a logarithm or a division by 0 in the loss or in the activation before it. "
            "Look at what the loss takes: probabilities, logits or positive numbers"
        )
    yield (
        "the learning rate is too high, or the loss takes a logarithm of 0 or divides by it. Lower `learning_rate`, or set "
        "`clip: {norm: 1}`"
    )


def _bad_values(error: NotFiniteLoss, examples: Examples, most: float) -> Iterator[str]:
    """What is wrong with the batch's own values."""
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
                yield f"{place} is not finite in row {row:,} of the training data. Correct it, or `impute` it"
            elif largest.max() > most:
                row = error.rows[int(largest.argmax())] + 1
                help = "Bring it to a size around 1 with the transform `standardize` or `rescale`"
                yield f"{place} is as large as {largest.max():.3g} in row {row:,} of the training data. {help}"
