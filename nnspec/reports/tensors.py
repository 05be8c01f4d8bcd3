"""Intermediate tensors of a trained network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph import Graph
from nnspec.graph.model import Ref


def tensors_of(
    graph: Graph, weights: Mapping[str, NDArray[Any]], refs: Mapping[str, Ref], inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Computes tensors of a network.

    Args:
        graph: The network.
        weights: Its weights by identity.
        refs: The tensors, by the names to return them under.
        inputs: Its inputs, with the batch axis first.
    """
    part = graph.giving(refs)
    return {name: np.asarray(value, np.float32) for name, value in keras_reference(part, weights)(inputs).items()}
