"""One sequence for each source, a token at a time: the likeliest, or one that is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.generation.section import Sample
from nnspec.runtime.decoding.stepper import State, Stepper, log_probabilities

__all__ = ["drawn", "greedy", "one_by_one"]

Tokens = NDArray[np.int64]


def greedy(stepper: Stepper, state: State, prompt: Tokens, most: int) -> tuple[Tokens, Tokens]:
    """The likeliest token each time.

    Args:
        stepper: The decoder.
        state: Before the first step.
        prompt: The tokens that the sequences begin with: rows, steps, −1 where a row has no more.
        most: How many tokens a sequence has at most.

    Returns:
        The tokens, rows and steps, 0 behind the end; and how many come before it, by row.
    """
    return one_by_one(stepper, state, prompt, most, lambda logits, _: np.asarray(logits.argmax(-1)))


def drawn(stepper: Stepper, state: State, prompt: Tokens, most: int, way: Sample, first_row: int = 0) -> tuple[Tokens, Tokens]:
    """Tokens drawn at random, row by row from a seed of its own, so that neither the batch nor other rows matter.

    Args:
        stepper: The decoder.
        state: Before the first step.
        prompt: As in [`greedy`][].
        most: Likewise.
        way: How they are drawn.
        first_row: The number of the first row among all.
    """
    draws = np.stack([np.random.default_rng([way.seed, first_row + row]).random(most) for row in range(len(prompt))]).reshape(
        len(prompt), most
    )

    def draw(logits: NDArray[np.float32], step: int) -> Tokens:
        shares = np.cumsum(_shares(log_probabilities(logits, stepper.procedure), way), axis=-1)
        return np.asarray(np.argmax(shares > (draws[:, step] * shares[:, -1])[:, None], axis=-1))

    return one_by_one(stepper, state, prompt, most, draw)


def _shares(logs: NDArray[np.float64], way: Sample) -> NDArray[np.float64]:
    """How often each token is to be drawn: those that are not, never."""
    logs = logs / way.temperature
    order = np.argsort(-logs, axis=-1, kind="stable")
    shares = np.exp(np.take_along_axis(logs, order, -1) - logs.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    if way.top_k is not None:
        shares[:, way.top_k :] = 0
        shares /= shares.sum(-1, keepdims=True)
    if way.top_p is not None:
        # The token that reaches the probability is the last that counts.
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
    """As [`greedy`][], with another way to choose the next token from the logits and the step's number."""
    told = stepper.procedure
    rows = len(prompt)
    given = [] if told.start is not None else [prompt[:, 0]]
    token = np.full(rows, told.start, np.int64) if told.start is not None else prompt[:, 0]
    forced = prompt if told.start is not None else prompt[:, 1:]
    finished, lengths = np.zeros(rows, bool), np.full(rows, len(given), np.int64)
    for step in range(most - len(given)):
        logits, state = stepper.step(state, token)
        token = choose(logits, step)
        if step < forced.shape[1]:
            token = np.where(forced[:, step] >= 0, forced[:, step], token)
        if told.end is not None:
            token = np.where(finished, 0, token)
            finished |= token == told.end
        lengths += ~finished
        given.append(token)
        if finished.all():
            break
    return np.stack(given, axis=1) if given else np.zeros((rows, 0), np.int64), lengths
