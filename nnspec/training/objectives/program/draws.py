"""What a program or a generator draws at random. Each class has the name that a spec uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.layers.scalars import Number, PositiveInt, PositiveNumber
from nnspec.types import Config, Dim, Family, Named, TensorType, symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BATCH_SIZE", "DRAWS", "Draw", "DrawError", "DrawSection"]

_Text = Annotated[str, Strict()]
_Shape = list[PositiveInt] | _Text
_Rate = Annotated[float, Strict(), Field(ge=0, le=1)]

BATCH_SIZE = symbol("B")
"""The size of the batch in a program."""
assert isinstance(BATCH_SIZE, Dim)


class DrawError(Exception):
    """A draw does not fit the data fields.

    Attributes:
        reason: Why.
        argument: The argument at fault; None for the draw itself.
        help: What to write.
    """

    def __init__(self, reason: str, argument: str | None = None, help: str = "") -> None:
        super().__init__(reason)
        self.reason, self.argument, self.help = reason, argument, help


class Draw(Config):
    """Random values of each example."""

    dtype: ClassVar[str] = "float32"

    def type(self, fields: Mapping[str, TensorType]) -> TensorType:
        """The complete type, with the batch as the first axis.

        Args:
            fields: The types of the data fields for one example.

        Raises:
            DrawError: If it does not fit the fields.
        """
        return TensorType((BATCH_SIZE, *self._sizes(fields)), self.dtype)

    def _sizes(self, fields: Mapping[str, TensorType]) -> Sequence[int | Dim]:
        shape = getattr(self, "shape", [])
        return shape if isinstance(shape, list) else _field(shape, "shape", fields).shape

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        """The values for a batch, a Keras tensor.

        Args:
            size: The number of examples.
            fields: The tensors of the data fields.
            seed: Keras's source of random numbers.
        """
        raise NotImplementedError

    def _complete(self, size: int, fields: Mapping[str, Any]) -> tuple[int, ...]:
        shape = getattr(self, "shape", [])
        return (size, *shape) if isinstance(shape, list) else tuple(fields[shape].shape)


def _field(name: str, argument: str, fields: Mapping[str, TensorType]) -> TensorType:
    from nnspec.types import did_you_mean, listed

    if name not in fields:
        help = did_you_mean(name, fields, f"the fields are {listed(fields)}")
        raise DrawError(f"names `{name}`, which is not a field", argument, help)
    return fields[name]


class normal(Draw):  # noqa: N801
    """Normally distributed numbers of mean 0 and standard deviation 1."""

    main_argument: ClassVar[str | None] = "shape"

    shape: _Shape = Field(description="The shape for one example, or the name of a field that has it.")

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        import keras

        return keras.random.normal(self._complete(size, fields), dtype="float32", seed=seed)


class uniform(Draw):  # noqa: N801
    """Uniformly distributed numbers from `low` up to `high`."""

    main_argument: ClassVar[str | None] = "shape"

    shape: _Shape = Field(description="The shape for one example, or the name of a field that has it.")
    low: Number = Field(0.0, description="The lowest value.")
    high: Number = Field(1.0, description="The value that all are below.")

    @model_validator(mode="after")
    def _ordered(self) -> uniform:
        if self.low >= self.high:
            raise ValueError(f"`low` must be below `high`, and {self.low:g} is not below {self.high:g}")
        return self

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        import keras

        return keras.random.uniform(self._complete(size, fields), self.low, self.high, "float32", seed=seed)


class integers(Draw):  # noqa: N801
    """Integers from 0 up to `below`, all with the same probability."""

    dtype: ClassVar[str] = "int32"

    shape: _Shape = Field([], description="The shape for one example, or the name of a field that has it.")
    below: Annotated[int, Strict(), Field(ge=1, lt=2**31)] = Field(description="The number that all are below.")

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        import keras

        return keras.random.randint(self._complete(size, fields), 0, self.below, "int32", seed=seed)


class bernoulli(Draw):  # noqa: N801
    """1.0 with a probability, else 0.0."""

    shape: _Shape = Field([], description="The shape for one example, or the name of a field that has it.")
    probability: _Rate = Field(0.5, description="The probability of 1.")

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        import keras

        shares = keras.random.uniform(self._complete(size, fields), dtype="float32", seed=seed)
        return keras.ops.cast(shares < self.probability, "float32")


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

    of: _Text = Field(description="The field with the tokens.")
    shape: _Shape = Field([], description="The shape for one example, or the name of a field that has it.")
    power: PositiveNumber = Field(1.0, description="The power of the frequencies.")

    def type(self, fields: Mapping[str, TensorType]) -> TensorType:
        found = _field(self.of, "of", fields)
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

    of: _Text = Field(description="The field.")

    def type(self, fields: Mapping[str, TensorType]) -> TensorType:
        return _field(self.of, "of", fields)


_NAMES = ("bernoulli", "integers", "normal", "permutation", "tokens", "uniform", "view")

DRAWS = Family(
    kind="draw",
    modules=dict.fromkeys(_NAMES, __name__),
    aliases={
        "gaussian": "normal",
        "randint": "integers",
        "choice": "integers",
        "negatives": "tokens",
        "shuffle": "permutation",
    },
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
        found = self.draw.type(fields)
        if self.layers is None:
            return found
        for layer in self.layers:
            assert isinstance(layer, Layer)
            try:
                if layer.weights({"x": found}):
                    raise DrawError(f"has the layer `{type(layer).__name__}`, which has weights", None, "use random layers")
                [found] = layer.output_types({"x": found}).values()
            except LayerError as error:
                raise DrawError(f"cannot be made: {error.message}", None, error.help) from None
        return TensorType((BATCH_SIZE, *found.shape), found.dtype)
