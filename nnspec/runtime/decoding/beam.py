"""Beam search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnspec.generation.section import Beam
from nnspec.runtime.decoding.stepper import State, Stepper, log_probabilities

Tokens = NDArray[np.int64]
Scores = NDArray[np.float64]


def penalty(length: int, way: Beam) -> float:
    """The length penalty, which divides log-probabilities (Wu et al. 2016, equation 14).

    Example:
        >>> penalty(1, Beam(width=4)), penalty(13, Beam(width=4, length_penalty=1.0))
        (1.0, 3.0)
    """
    return float(((5 + length) / 6) ** way.length_penalty)


def beam_search(stepper: Stepper, state: State, prompt: Tokens, most: int, way: Beam) -> tuple[Tokens, Tokens, Scores]:
    """Find the best sequence of each row.

    At each step every open sequence is extended by every token. Per row, the best `width` unfinished candidates stay open, and
    finished ones among the best `width` are kept. A row is done when `width` sequences are kept, or when no open one can still
    exceed the best.

    Args:
        stepper: The decoder.
        state: The state before the first step, with a row per source.
        prompt: As in [`greedy`][nnspec.runtime.decoding.one_by_one.greedy].
        most: The maximum number of tokens of a sequence.
        way: The beam width and the length penalty.

    Returns:
        The tokens, the number of tokens before the end, and the score of each sequence: its log-probability over the penalty.
    """
    search = _Search(stepper, prompt, most, way)
    state = state.take(np.repeat(np.arange(len(prompt)), way.width))
    for step in range(most - search.known):
        logits, state = stepper.step(state, search.last())
        state = state.reorder(search.extend(log_probabilities(logits, stepper.procedure), step))
        if search.done():
            break
    return search.best()


class _Search:
    """The open sequences of each row, and its best finished ones."""

    def __init__(self, stepper: Stepper, prompt: Tokens, most: int, way: Beam) -> None:
        procedure = stepper.procedure
        self._end, self._way, self._most = procedure.end, way, most
        rows, width = len(prompt), way.width
        self.known = 0 if procedure.start is not None else 1
        self._forced = prompt[:, self.known :]
        first = np.full(rows, procedure.start) if procedure.start is not None else prompt[:, 0]
        self._first = np.repeat(first, width).reshape(rows, width, 1).astype(np.int64)
        self._tokens = self._first[..., :0] if procedure.start is not None else self._first
        # Initially all open sequences of a row are equal: only one of them counts.
        self._scores = np.full((rows, width), -np.inf)
        self._scores[:, 0] = 0
        self._kept: list[list[tuple[float, Tokens]]] = [[] for _ in range(rows)]
        self._closed = np.zeros(rows, bool)

    def last(self) -> Tokens:
        """The last token of each open sequence."""
        tokens = self._tokens if self._tokens.shape[2] else self._first
        return np.asarray(tokens[..., -1].reshape(-1))

    def extend(self, logs: Scores, step: int) -> Tokens:
        """Extend by one token; returns the parent of each new sequence."""
        rows, width = self._scores.shape
        logs = self._only_forced(logs.reshape(rows, width, -1), step)
        size = logs.shape[-1]
        every = (self._scores[..., None] + logs).reshape(rows, -1)
        ends = 0 if self._end is None else 1
        count = min(width * (1 + ends), every.shape[1])
        order = np.argsort(-every, axis=1, kind="stable")[:, :count]
        parents, tokens = order // size, order % size
        chosen = np.zeros((rows, width), np.int64)
        for row in range(rows):
            if not self._closed[row]:
                chosen[row] = self._extend_row(row, every[row], order[row], parents[row], tokens[row])
        sources = chosen // size
        self._scores = np.take_along_axis(every, chosen, 1)
        self._scores[self._closed] = -np.inf
        before = np.take_along_axis(self._tokens, sources[..., None], 1)
        self._tokens = np.concatenate([before, (chosen % size)[..., None]], axis=2)
        self._close()
        return np.asarray((np.arange(rows)[:, None] * width + sources).reshape(-1))

    def _only_forced(self, logs: Scores, step: int) -> Scores:
        """Set the probability of all tokens other than the prompt's to 0, where the prompt has one."""
        if step >= self._forced.shape[1]:
            return logs
        logs = logs.copy()
        for row, token in enumerate(self._forced[:, step]):
            if token >= 0:
                own = logs[row, :, token].copy()
                logs[row] = -np.inf
                logs[row, :, token] = own
        return logs

    def _extend_row(self, row: int, every: Scores, order: Tokens, parents: Tokens, tokens: Tokens) -> Tokens:
        """Keep finished sequences among the best, and return the best unfinished ones."""
        width = self._way.width
        ends = tokens == self._end if self._end is not None else np.zeros(len(tokens), bool)
        for place in np.flatnonzero(ends[:width]):
            score = every[order[place]]
            if np.isfinite(score) and len(self._kept[row]) < width:
                sequence = np.append(self._tokens[row, parents[place]], tokens[place])
                self._kept[row].append((score / penalty(len(sequence), self._way), sequence))
        return np.asarray(order[~ends][:width])

    def _close(self) -> None:
        """Close the rows whose best sequence can no longer be exceeded."""
        for row, kept in enumerate(self._kept):
            if self._closed[row] or not kept:
                continue
            bound = self._scores[row].max() / penalty(self._most, self._way)
            self._closed[row] = len(kept) >= self._way.width or max(score for score, _ in kept) >= bound

    def done(self) -> bool:
        return bool(self._closed.all())

    def best(self) -> tuple[Tokens, Tokens, Scores]:
        """The best sequence of each row, including open ones."""
        found = []
        for row, kept in enumerate(self._kept):
            length = self._tokens.shape[2]
            still = [] if self._closed[row] else [
                (score / penalty(length, self._way), tokens)
                for score, tokens in zip(self._scores[row], self._tokens[row], strict=True)
                if np.isfinite(score)
            ]  # fmt: skip
            found.append(max([*kept, *still], key=lambda entry: entry[0]))
        longest = max((len(tokens) for _, tokens in found), default=0)
        tokens = np.zeros((len(found), longest), np.int64)
        for row, (_, sequence) in enumerate(found):
            tokens[row, : len(sequence)] = sequence
        ended = [len(sequence) > 0 and sequence[-1] == self._end for _, sequence in found]
        lengths = np.array([len(sequence) - end for (_, sequence), end in zip(found, ended, strict=True)], np.int64)
        return tokens, lengths, np.array([score for score, _ in found])
