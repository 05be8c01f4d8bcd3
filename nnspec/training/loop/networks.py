"""The Keras models of the trained networks, and their weights by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import keras

from nnspec.graph import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.keras_backend.weights import owners

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Networks:
    """The models of a training.

    Args:
        graphs: The networks, by name.
        seed: The seed of the initial weights.
        composed: Networks that are not trained themselves, but consist of these and steps without weights, by name.

    Attributes:
        models: The models, by the same names.
    """

    def __init__(self, graphs: Mapping[str, Graph], seed: int, composed: Mapping[str, Graph] | None = None) -> None:
        self._graphs, self._seed = graphs, seed
        self._composed, self._built = composed or {}, dict[str, keras.Model]()
        self.models: dict[str, keras.Model] = {name: to_keras(graph, seed=seed) for name, graph in graphs.items()}

    @property
    def variables(self) -> list[Any]:
        """All variables, in the same order each time a spec is built."""
        return [variable for model in self.models.values() for variable in model.variables]

    def predictors(self) -> dict[str, keras.Model]:
        """The models, and those of the composed networks, which have the current weights until the next step."""
        if self._composed:
            weights = self.weights()
            for name, graph in self._composed.items():
                if name not in self._built:
                    self._built[name] = to_keras(graph, seed=self._seed)
                set_weight_arrays(self._built[name], graph, graph.own(weights))
        return self.models | self._built

    def weights(self) -> dict[str, NDArray[Any]]:
        """The values of all weights, by their names in the spec."""
        return {
            n: array for name, graph in self._graphs.items() for n, array in weight_arrays(self.models[name], graph).items()
        }

    def set_weights(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Sets weights; those that are not named are unchanged.

        Raises:
            NnspecError: If the shape of an array differs from that of its weight.
        """
        for name, graph in self._graphs.items():
            if given := graph.own(arrays):
                set_weight_arrays(self.models[name], graph, {**weight_arrays(self.models[name], graph), **given})

    def freeze(self, places: Collection[str]) -> None:
        """Freezes the given layers and unfreezes all others.

        A frozen batch normalization uses its moving averages.

        Args:
            places: The weight scopes to freeze, in addition to those that the networks freeze.
        """
        for name, graph in self._graphs.items():
            for node, keras_layer in owners(self.models[name], graph):
                keras_layer.trainable = not (node.frozen or node.weights_at in places)
