"""Whether a network that predicts the next token can read it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from nnspec.data.examples import Examples
from nnspec.data.locations import locate
from nnspec.diagnostics import SpecError
from nnspec.training.objectives.next_token.problems import ReadsAhead
from nnspec.training.plan import TrainingPlan

__all__ = ["refuse_looking_ahead"]

_MOST = 16
"""The number of examples that are tried."""


def refuse_looking_ahead(model: keras.Model, plan: TrainingPlan, examples: Examples) -> None:
    """Changes the last token of a few examples and compares the predictions at earlier positions.

    Args:
        model: The model, with its first weights.
        plan: What is trained.
        examples: What it is trained on.

    Raises:
        SpecError: If one changes: the network would copy its targets.
    """
    for output, source in plan.target_sources.items():
        batch = examples.batch(slice(0, _MOST))
        tokens = np.asarray(batch.inputs[source.input])
        there = tokens != 0
        last = tokens.shape[1] - 1 - there[:, ::-1].argmax(1)
        rows = np.flatnonzero(there.any(1) & (last > 0))
        others = tokens.copy()
        # A token of the same batch, so that every table has it; one that is no padding, so that the mask stays.
        others[rows, last[rows]] = [_other(tokens[there], tokens[row, last[row]]) for row in rows]
        said, again = (
            np.asarray(model({**batch.inputs, source.input: given}, training=False)[output], np.float32)
            for given in (tokens, others)
        )
        before = np.arange(tokens.shape[1])[None] < last[:, None]
        differs = np.abs(said - again).max(-1) * before
        if differs.max(initial=0.0) > _noise(said):
            row, position = np.unravel_index(int(differs.argmax()), differs.shape)
            where = f"token {last[row] + 1} of an example changes what `{output}` says at token {position + 1}"
            help = "use `use_causal_mask: true`, `padding: causal`, and no layer that runs backwards"
            problem = ReadsAhead.at(*locate(plan.tree, "objective"), help=help, name=output, where=where)
            raise SpecError([problem])


def _other(tokens: Any, token: Any) -> Any:
    """A token that is another than the one that is given, where there is one."""
    return next((other for other in tokens if other != token), token)


def _noise(values: Any) -> float:
    """What rounding can come to: sums of a batch are not always added up in one order."""
    return 1e-4 * float(np.abs(values).max(initial=0.0))
