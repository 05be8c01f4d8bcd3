"""Checks that a network does not read the tokens that it predicts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from nnspec.data.examples import Examples
from nnspec.data.locations import locate
from nnspec.diagnostics import SpecError
from nnspec.training.objectives.next_token.problems import ReadsAhead
from nnspec.training.plan import TrainingPlan

_MOST = 16
"""The number of examples to test."""


def check_causality(model: keras.Model, plan: TrainingPlan, examples: Examples) -> None:
    """Changes the last token of a few examples and compares the predictions at earlier positions.

    Args:
        model: The model, with its initial weights.
        plan: The training plan.
        examples: The training examples.

    Raises:
        SpecError: If a prediction changes: the network would copy its targets.
    """
    for output, source in plan.target_sources.items():
        batch = examples.batch(slice(0, _MOST))
        tokens = np.asarray(batch.inputs[source.input])
        valid = tokens != 0
        last = tokens.shape[1] - 1 - valid[:, ::-1].argmax(1)
        rows = np.flatnonzero(valid.any(1) & (last > 0))
        changed = tokens.copy()
        # A token of the same batch is in every embedding table, and a token that is not padding keeps the mask.
        changed[rows, last[rows]] = [_other(tokens[valid], tokens[row, last[row]]) for row in rows]
        before, after = (
            np.asarray(model({**batch.inputs, source.input: given}, training=False)[output], np.float32)
            for given in (tokens, changed)
        )
        earlier = np.arange(tokens.shape[1])[None] < last[:, None]
        difference = np.abs(before - after).max(-1) * earlier
        if difference.max(initial=0.0) > _tolerance(before):
            row, position = np.unravel_index(int(difference.argmax()), difference.shape)
            where = f"token {last[row] + 1} of an example changes the prediction of `{output}` at token {position + 1}"
            help = "use `use_causal_mask: true` and `padding: causal`, and no bidirectional layers"
            problem = ReadsAhead.at(*locate(plan.tree, "objective"), help=help, name=output, where=where)
            raise SpecError([problem])


def _other(tokens: Any, token: Any) -> Any:
    """A token that differs from the given one, if there is one."""
    return next((other for other in tokens if other != token), token)


def _tolerance(values: Any) -> float:
    """The largest difference due to rounding, since the order of summation varies."""
    return 1e-4 * float(np.abs(values).max(initial=0.0))
