"""Builds the Keras functional model of a graph, and names its weights as the spec does. Importing this loads Keras."""

from nnspec.keras_backend.model import to_keras
from nnspec.keras_backend.weights import set_weight_arrays, weight_arrays

__all__ = ["set_weight_arrays", "to_keras", "weight_arrays"]
