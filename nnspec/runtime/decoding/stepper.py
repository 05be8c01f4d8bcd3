"""Decoder steps, independent of the runtime of the networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.decoding.procedure import Procedure
from nnspec.runtime.session import Arrays, Run


@dataclass(frozen=True)
class State:
    """The state between two steps, with rows first.

    Attributes:
        fixed: The decoder inputs that are equal at every step.
        carried: The decoder inputs from the previous step.
        tokens: The tokens read so far; unused if the decoder reads only the last one.
        steps: The number of steps so far.
    """

    fixed: Arrays
    carried: Arrays
    tokens: NDArray[np.int64]
    steps: int

    def take(self, rows: NDArray[np.int64]) -> State:
        """Select rows, in order and with repeats."""
        fixed, carried = ({name: array[rows] for name, array in part.items()} for part in (self.fixed, self.carried))
        return replace(self, fixed=fixed, carried=carried, tokens=self.tokens[rows])

    def reorder(self, rows: NDArray[np.int64]) -> State:
        """Select rows, if each is exchanged only with rows of the same source."""
        carried = {name: array[rows] for name, array in self.carried.items()}
        return replace(self, carried=carried, tokens=self.tokens[rows])


class Stepper:
    """Runs a decoder step by step.

    Args:
        procedure: The decoding procedure.
        encode: The encoder, from named inputs to named outputs, including masks; None for a language model.
        decode: The decoder.
    """

    def __init__(self, procedure: Procedure, encode: Run | None, decode: Run) -> None:
        self.procedure = procedure
        self._encode = encode
        self._decode = decode

    def begin(self, inputs: Mapping[str, NDArray[Any]], rows: int) -> State:
        """Compute the state before the first step.

        Args:
            inputs: The encoder's inputs, by name.
            rows: The number of sequences.
        """
        procedure = self.procedure
        encoded = self._encode(inputs) if self._encode is not None else {}
        fixed = {name: encoded[output] for name, output in procedure.memory.items()}
        fixed |= {name: np.ones(encoded[output].shape[:2], bool) for name, output in procedure.unmasked.items()}
        carried = {name: np.zeros((rows, *sizes), dtype) for name, (sizes, dtype) in procedure.zeros.items()}
        carried |= {name: encoded[output] for name, output in procedure.begin.items()}
        return State(fixed, carried, np.zeros((rows, 0), np.int64), 0)

    def step(self, state: State, token: NDArray[np.int64]) -> tuple[NDArray[np.float32], State]:
        """Run one step; returns the logits of the next token (rows, vocabulary) and the new state."""
        procedure = self.procedure
        read = np.concatenate([state.tokens, token[:, None]], axis=1) if procedure.whole else token[:, None]
        inputs = {procedure.token: read.astype(procedure.dtype), **state.fixed, **state.carried}
        if procedure.position is not None:
            inputs[procedure.position] = np.full(len(token), state.steps, np.int64)
        answer = self._decode(inputs)
        logits = answer[procedure.logits]
        carried = {name: answer[output] for name, output in procedure.carry.items()}
        after = State(state.fixed, carried, read if procedure.whole else state.tokens, state.steps + 1)
        return logits if logits.ndim == 2 else logits[:, -1], after


def log_probabilities(logits: NDArray[Any], procedure: Procedure) -> NDArray[np.float64]:
    """The log-probability of each token, along the last axis."""
    wide = logits.astype(np.float64)
    if procedure.probabilities:
        return np.asarray(np.log(np.maximum(wide, np.finfo(np.float64).tiny)))
    wide -= wide.max(-1, keepdims=True)
    return np.asarray(wide - np.log(np.exp(wide).sum(-1, keepdims=True)))
