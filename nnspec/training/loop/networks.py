"""The Keras models of what is trained, one for each network, and their weights by the spec's names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import keras

from nnspec.graph import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.training.loop.freezing import freeze

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Networks"]


class Networks:
    """The models of a training.

    Args:
        graphs: The networks, by name.
        seed: Makes the first weights repeatable.

    Attributes:
        models: Their models, by the same names.
    """

    def __init__(self, graphs: Mapping[str, Graph], seed: int) -> None:
        self._graphs = graphs
        self.models: dict[str, keras.Model] = {name: to_keras(graph, seed=seed) for name, graph in graphs.items()}

    @property
    def variables(self) -> list[Any]:
        """Every variable, in an order that is the same each time a spec is built."""
        return [variable for model in self.models.values() for variable in model.variables]

    def weights(self) -> dict[str, NDArray[Any]]:
        """Every weight's values, by the spec's name."""
        return {
            n: array for name, graph in self._graphs.items() for n, array in weight_arrays(self.models[name], graph).items()
        }

    def set_weights(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Gives weights their values; those that are not named keep theirs.

        Raises:
            NnspecError: If an array has another shape than its weight.
        """
        for name, graph in self._graphs.items():
            if given := graph.own(arrays):
                set_weight_arrays(self.models[name], graph, {**weight_arrays(self.models[name], graph), **given})

    def freeze(self, places: Collection[str]) -> None:
        """Keeps the weights of some layers from training, and lets all others train."""
        for name, graph in self._graphs.items():
            freeze(self.models[name], graph, places)
