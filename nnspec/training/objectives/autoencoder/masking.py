"""Masks tokens of a batch on every backend."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nnspec.data.token_masking import FIRST_TOKEN, MaskTokens
from nnspec.keras_backend.seeds import Seeds


class TokenMasking:
    """Masks the tokens of an input, with the same random numbers for validation in each epoch.

    Args:
        arguments: The shares.
        tokens: The number of tokens; random ones are below it.
        seed: The seed of the training.
        name: A name for the purpose; other names draw other random numbers.
    """

    def __init__(self, arguments: MaskTokens, tokens: int, seed: int, name: str) -> None:
        self._arguments, self._tokens = arguments, tokens
        self._seeds = {
            training: keras.random.SeedGenerator(Seeds(seed, place).of("mask_tokens"))
            for training, place in ((True, name), (False, f"{name}_watched"))
        }
        self._first = self._seeds[False].state.numpy()

    @property
    def variables(self) -> list[Any]:
        """The states of the random generators."""
        return [generator.state for generator in self._seeds.values()]

    def __call__(self, tokens: Any, *, training: bool) -> tuple[Any, Any]:
        """Masks tokens, (N, …); returns them, and which were selected."""
        seed, given, shape = self._seeds[training], self._arguments, ops.shape(tokens)
        chosen = ops.logical_and(
            keras.random.uniform(shape, seed=seed) < given.probability, ops.greater_equal(tokens, FIRST_TOKEN)
        )
        share = keras.random.uniform(shape, seed=seed)
        other = ops.cast(keras.random.randint(shape, FIRST_TOKEN, self._tokens, seed=seed), tokens.dtype)
        hidden = ops.where(share < given.random, other, ops.full_like(tokens, given.token))
        hidden = ops.where(share >= 1.0 - given.keep, tokens, hidden)
        return ops.where(chosen, hidden, tokens), chosen

    def restart(self) -> None:
        """Restarts the draws of validation."""
        self._seeds[False].state.assign(self._first)
