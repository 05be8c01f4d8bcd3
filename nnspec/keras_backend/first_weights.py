"""Initial weights that Keras draws without an argument for their initializer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnspec.graph.model import Graph
from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.seeds import Seeds
from nnspec.types import Config

__all__ = ["draw_again"]


def draw_again(variables: Mapping[str, Any], graph: Graph, seed: int) -> None:
    """Draws them again with the build's seed, which Keras does not use for them, such as AdditiveAttention's scale.

    Args:
        variables: The model's weights by the spec's names.
        graph: The model's graph.
        seed: The build's seed.
    """
    for identity, weight, node in graph.weights():
        first = weight.initializer
        if first is not None and "seed" in type(first).model_fields and not any(first is own for own in _inside(node.layer)):
            seeds = Seeds(seed, node.weights_at).within(weight.name)
            variables[identity].assign(keras_object(first, seeds)(weight.shape, dtype=variables[identity].dtype))


def _inside(config: Config) -> Iterator[Config]:
    """The configs among a config's arguments, and recursively among theirs."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Config):
            yield value
            yield from _inside(value)
