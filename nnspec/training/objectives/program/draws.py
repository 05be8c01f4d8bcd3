"""What a program draws at random. Each class has the name that a spec uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from nnspec.generation.draws import BATCH_SIZE, DRAW_ALIASES, SAMPLER_DRAWS, Draw, DrawError, Shape, Text, field_of
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.layers.scalars import PositiveNumber
from nnspec.types import Config, Family, Named, TensorType

__all__ = ["DRAWS", "DrawSection"]


class permutation(Draw):  # noqa: N801
    """A random permutation of the batch indices, one index for each example."""

    dtype: ClassVar[str] = "int32"

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        import keras

        del fields
        return keras.ops.cast(keras.ops.argsort(keras.random.uniform((size,), seed=seed)), "int32")


class tokens(Draw):  # noqa: N801
    """Tokens in proportion to a power of their frequency in the training data (Mikolov et al. 2013: 0.75)."""

    dtype: ClassVar[str] = "int32"

    of: Text = Field(description="The field with the tokens.", examples=["words"])
    shape: Shape = Field([], description="The shape for one example, or the name of a field that has it.")
    power: PositiveNumber = Field(1.0, description="The power of the frequencies.")

    def type(self, fields: Mapping[str, TensorType]) -> TensorType:
        found = field_of(self.of, "of", fields)
        if not found.is_integer:
            raise DrawError(f"needs a field of tokens, and `{self.of}` is {found.dtype}", "of")
        return super().type(fields)

    def shares(self, counts: Any) -> Any:
        """The cumulative probabilities of the tokens.

        Args:
            counts: How often each token occurs, by token.
        """
        import numpy as np

        weights = np.asarray(counts, np.float64) ** self.power * (np.asarray(counts) > 0)
        return np.cumsum(weights / weights.sum()).astype(np.float32)

    def sample_from(self, shares: Any, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        """The tokens for a batch, with the probabilities of [`shares`][]; see [`Draw.sample`][]."""
        import keras

        ops = keras.ops
        values = keras.random.uniform(self._complete(size, fields), dtype="float32", seed=seed)
        # The last cumulative probability may be below 1 because of rounding.
        found = ops.searchsorted(shares, ops.reshape(values, (-1,)), side="right")
        last = int(shares.shape[0]) - 1
        return ops.reshape(ops.minimum(ops.cast(found, "int32"), last), ops.shape(values))


class view(Draw):  # noqa: N801
    """A copy of a field that random layers change."""

    main_argument: ClassVar[str | None] = "of"

    of: Text = Field(description="The field.", examples=["image"])


DRAWS = Family(
    kind="draw",
    modules={**SAMPLER_DRAWS.modules, **dict.fromkeys(("permutation", "tokens", "view"), __name__)},
    aliases={**DRAW_ALIASES, "negatives": "tokens", "shuffle": "permutation"},
)
"""Every draw by name."""


class DrawSection(Config):
    """A draw: ``{normal: [64]}``, ``permutation``, ``{view: image, layers: [RandomFlip]}``."""

    operation: ClassVar[str | None] = "draw"

    draw: Annotated[Config, Named(DRAWS)] = Field(description="What is drawn.")
    layers: list[Annotated[Config, Named(LAYERS)]] | None = Field(
        None, min_length=1, description="The random layers of a `view`, in order."
    )

    @model_validator(mode="after")
    def _layers_of_views(self) -> DrawSection:
        if isinstance(self.draw, view) and self.layers is None:
            raise ValueError(f"a view needs random layers: write `{{view: {self.draw.of}, layers: [RandomFlip]}}`")
        if not isinstance(self.draw, view) and self.layers is not None:
            raise ValueError("`layers` is for a `view`: remove it")
        return self

    @property
    def field(self) -> str | None:
        """The field that it reads."""
        named = getattr(self.draw, "of", getattr(self.draw, "shape", None))
        return named if isinstance(named, str) else None

    def type(self, fields: Mapping[str, TensorType]) -> TensorType:
        """The complete type; see [`Draw.type`][]."""
        from nnspec.layers.base import LayerError

        assert isinstance(self.draw, Draw)
        if not isinstance(self.draw, view):
            return self.draw.type(fields)
        found = field_of(self.draw.of, "of", fields)
        for layer in self.layers or ():
            assert isinstance(layer, Layer)
            try:
                if layer.weights({"x": found}):
                    raise DrawError(f"has the layer `{type(layer).__name__}`, which has weights", None, "use random layers")
                [found] = layer.output_types({"x": found}).values()
            except LayerError as error:
                raise DrawError(f"cannot be made: {error.message}", None, error.help) from None
        return TensorType((BATCH_SIZE, *found.shape), found.dtype)
