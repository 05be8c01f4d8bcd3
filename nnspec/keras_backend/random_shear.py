"""A random slant of pictures. Keras 3.15.1 cannot load its own where a factor is one number: it saves −f, and refuses that."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["RandomShear"]


@keras.saving.register_keras_serializable("nnspec")
class RandomShear(keras.layers.RandomShear):  # type: ignore[misc]
    """Keras's layer, saved with the factors it was given."""

    def __init__(self, x_factor: Any = 0.0, y_factor: Any = 0.0, **arguments: Any) -> None:
        super().__init__(x_factor=x_factor, y_factor=y_factor, **arguments)
        self.given = {"x_factor": x_factor, "y_factor": y_factor}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.given}
