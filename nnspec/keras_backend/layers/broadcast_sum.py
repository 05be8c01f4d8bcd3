"""Sums and means of inputs that broadcast."""

from __future__ import annotations

from functools import reduce
from typing import Any

import keras

from nnspec.keras_backend.layers.addition import add


@keras.saving.register_keras_serializable("nnspec")
class BroadcastAdd(keras.layers.Add):  # type: ignore[misc]
    """Keras's ``Add``, correct for each batch size if its inputs broadcast."""

    def _merge_function(self, inputs: list[Any]) -> Any:
        return reduce(add, inputs)


@keras.saving.register_keras_serializable("nnspec")
class BroadcastAverage(keras.layers.Average):  # type: ignore[misc]
    """Keras's ``Average``, correct for each batch size if its inputs broadcast."""

    def _merge_function(self, inputs: list[Any]) -> Any:
        return reduce(add, inputs) / len(inputs)
