"""Greedy decoding and sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.generation.section import Sample
from nnspec.runtime.decoding.stepper import State, Stepper, log_probabilities

Tokens = NDArray[np.int64]


def greedy(stepper: Stepper, state: State, prompt: Tokens, most: int) -> tuple[Tokens, Tokens]:
    """Decode greedily: the most likely token at each step.

    Args:
        stepper: The decoder.
        state: The state before the first step.
        prompt: The first tokens of the sequences: rows, steps, −1 after the prompt of a row.
        most: The maximum number of tokens of a sequence.

    Returns:
        The tokens (rows, steps), 0 after the end, and the number of tokens before the end of each row.
    """
    return one_by_one(stepper, state, prompt, most, lambda logits, _: np.asarray(logits.argmax(-1)))


def drawn(stepper: Stepper, state: State, prompt: Tokens, most: int, way: Sample, first_row: int = 0) -> tuple[Tokens, Tokens]:
    """Sample tokens, with a separate seed for each row, so that results do not depend on the batch.

    Args:
        stepper: The decoder.
        state: The state before the first step.
        prompt: As in [`greedy`][].
        most: As in [`greedy`][].
        way: The sampling method.
        first_row: The index of the first row among all rows.
    """
    draws = np.stack([np.random.default_rng([way.seed, first_row + row]).random(most) for row in range(len(prompt))]).reshape(
        len(prompt), most
    )

    def draw(logits: NDArray[np.float32], step: int) -> Tokens:
        shares = np.cumsum(_shares(log_probabilities(logits, stepper.procedure), way), axis=-1)
        return np.asarray(np.argmax(shares > (draws[:, step] * shares[:, -1])[:, None], axis=-1))

    return one_by_one(stepper, state, prompt, most, draw)


def _shares(logs: NDArray[np.float64], way: Sample) -> NDArray[np.float64]:
    """The sampling probability of each token, after temperature, top-k and top-p."""
    logs = logs / way.temperature
    order = np.argsort(-logs, axis=-1, kind="stable")
    shares = np.exp(np.take_along_axis(logs, order, -1) - logs.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    if way.top_k is not None:
        shares[:, way.top_k :] = 0
        shares /= shares.sum(-1, keepdims=True)
    if way.top_p is not None:
        # The token at which the cumulative probability reaches top-p is included.
        shares[np.cumsum(shares, axis=-1) - shares >= way.top_p] = 0
    back = np.empty_like(shares)
    np.put_along_axis(back, order, shares, -1)
    return np.asarray(back)


def one_by_one(
    stepper: Stepper,
    state: State,
    prompt: Tokens,
    most: int,
    choose: Callable[[NDArray[Any], int], Tokens],
) -> tuple[Tokens, Tokens]:
    """Decode like [`greedy`][], with a function that chooses the next token from the logits and the step index."""
    procedure = stepper.procedure
    rows = len(prompt)
    given = [] if procedure.start is not None else [prompt[:, 0]]
    token = np.full(rows, procedure.start, np.int64) if procedure.start is not None else prompt[:, 0]
    forced = prompt if procedure.start is not None else prompt[:, 1:]
    finished, lengths = np.zeros(rows, bool), np.full(rows, len(given), np.int64)
    for step in range(most - len(given)):
        logits, state = stepper.step(state, token)
        token = choose(logits, step)
        if step < forced.shape[1]:
            token = np.where(forced[:, step] >= 0, forced[:, step], token)
        if procedure.end is not None:
            token = np.where(finished, 0, token)
            finished |= token == procedure.end
        lengths += ~finished
        given.append(token)
        if finished.all():
            break
    return np.stack(given, axis=1) if given else np.zeros((rows, 0), np.int64), lengths
