"""From a graph to a Keras functional model, and its weights by the spec's names. Importing this loads Keras."""

from nnspec.keras_backend.model import to_keras
from nnspec.keras_backend.weights import set_weight_arrays, weight_arrays

__all__ = ["set_weight_arrays", "to_keras", "weight_arrays"]
