"""One step of a decoder, whatever runs its networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.decoding.procedure import Procedure
from nnspec.runtime.session import Arrays, Run

__all__ = ["State", "Stepper", "log_probabilities"]


@dataclass(frozen=True)
class State:
    """What the next step starts from, the rows first.

    Attributes:
        fixed: What the decoder is fed at every step.
        carried: What it is fed from the step before.
        tokens: The tokens that it has read; of no interest where it reads the last alone.
        steps: How many steps there have been.
    """

    fixed: Arrays
    carried: Arrays
    tokens: NDArray[np.int64]
    steps: int

    def take(self, rows: NDArray[np.int64]) -> State:
        """Some rows, in that order, each as often as it is named."""
        fixed, carried = ({name: array[rows] for name, array in part.items()} for part in (self.fixed, self.carried))
        return replace(self, fixed=fixed, carried=carried, tokens=self.tokens[rows])

    def reorder(self, rows: NDArray[np.int64]) -> State:
        """The same, where rows change places only with those that have the same source."""
        carried = {name: array[rows] for name, array in self.carried.items()}
        return replace(self, carried=carried, tokens=self.tokens[rows])


class Stepper:
    """Runs a decoder step by step.

    Args:
        procedure: Which names mean what.
        encode: The encoder, from its inputs to its outputs by name, masks among them; None for a language model.
        decode: The decoder.
    """

    def __init__(self, procedure: Procedure, encode: Run | None, decode: Run) -> None:
        self.procedure = procedure
        self._encode = encode
        self._decode = decode

    def begin(self, inputs: Mapping[str, NDArray[Any]], rows: int) -> State:
        """The state before the first step.

        Args:
            inputs: The encoder's inputs, by its names.
            rows: How many sequences are decoded.
        """
        told = self.procedure
        encoded = self._encode(inputs) if self._encode is not None else {}
        fixed = {name: encoded[output] for name, output in told.memory.items()}
        fixed |= {name: np.ones(encoded[output].shape[:2], bool) for name, output in told.unmasked.items()}
        carried = {name: np.zeros((rows, *sizes), dtype) for name, (sizes, dtype) in told.zeros.items()}
        carried |= {name: encoded[output] for name, output in told.begin.items()}
        return State(fixed, carried, np.zeros((rows, 0), np.int64), 0)

    def step(self, state: State, token: NDArray[np.int64]) -> tuple[NDArray[np.float32], State]:
        """The logits of the token after this one: rows, vocabulary; and the state then."""
        told = self.procedure
        read = np.concatenate([state.tokens, token[:, None]], axis=1) if told.whole else token[:, None]
        inputs = {told.token: read.astype(told.dtype), **state.fixed, **state.carried}
        if told.position is not None:
            inputs[told.position] = np.full(len(token), state.steps, np.int64)
        answer = self._decode(inputs)
        logits = answer[told.logits]
        carried = {name: answer[output] for name, output in told.carry.items()}
        after = State(state.fixed, carried, read if told.whole else state.tokens, state.steps + 1)
        return logits if logits.ndim == 2 else logits[:, -1], after


def log_probabilities(logits: NDArray[Any], procedure: Procedure) -> NDArray[np.float64]:
    """The log-probability of each token, along the last axis."""
    wide = logits.astype(np.float64)
    if procedure.probabilities:
        return np.asarray(np.log(np.maximum(wide, np.finfo(np.float64).tiny)))
    wide -= wide.max(-1, keepdims=True)
    return np.asarray(wide - np.log(np.exp(wide).sum(-1, keepdims=True)))
