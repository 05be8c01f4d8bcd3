"""What a sampler or a program draws at random. Each class has the name that a spec uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Number, PositiveInt
from nnspec.types import Config, Dim, Family, TensorType, did_you_mean, listed, symbol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Text = Annotated[str, Strict()]
Shape = list[PositiveInt] | Text
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
        return TensorType((BATCH_SIZE, *self.sizes(fields)), self.dtype)

    def sizes(self, fields: Mapping[str, TensorType]) -> Sequence[int | Dim]:
        """The shape for one example; see [`type`][]."""
        shape = getattr(self, "shape", [])
        return shape if isinstance(shape, list) else field_of(shape, "shape", fields).shape

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        """The values for a batch, a Keras tensor.

        Args:
            size: The number of examples.
            fields: The tensors of the data fields.
            seed: Keras's source of random numbers.
        """
        raise NotImplementedError

    def values(self, random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        """Values of a shape, an array that is equal on every machine.

        Args:
            random: The source of random numbers.
            shape: The complete shape.
        """
        raise NotImplementedError

    def _complete(self, size: int, fields: Mapping[str, Any]) -> tuple[int, ...]:
        shape = getattr(self, "shape", [])
        return (size, *shape) if isinstance(shape, list) else tuple(fields[shape].shape)


def field_of(name: str, argument: str, fields: Mapping[str, TensorType]) -> TensorType:
    if name not in fields:
        help = did_you_mean(name, fields, f"the fields are {listed(fields)}")
        raise DrawError(f"names `{name}`, which is not a field", argument, help)
    return fields[name]


class normal(Draw):  # noqa: N801
    """Normally distributed numbers of mean 0 and standard deviation 1."""

    main_argument: ClassVar[str | None] = "shape"

    shape: Shape = Field(description="The shape for one example, or the name of a field that has it.", examples=[[64]])

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        import keras

        return keras.random.normal(self._complete(size, fields), dtype="float32", seed=seed)

    def values(self, random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return random.standard_normal(shape, "float32")


class uniform(Draw):  # noqa: N801
    """Uniformly distributed numbers from `low` up to `high`."""

    main_argument: ClassVar[str | None] = "shape"

    shape: Shape = Field(description="The shape for one example, or the name of a field that has it.", examples=[[64]])
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

    def values(self, random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return random.uniform(self.low, self.high, shape).astype("float32")


class integers(Draw):  # noqa: N801
    """Integers from 0 up to `below`, all with the same probability."""

    dtype: ClassVar[str] = "int32"

    shape: Shape = Field([], description="The shape for one example, or the name of a field that has it.")
    below: Annotated[int, Strict(), Field(ge=1, lt=2**31)] = Field(
        description="The number that all are below.", examples=[1000]
    )

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        import keras

        return keras.random.randint(self._complete(size, fields), 0, self.below, "int32", seed=seed)

    def values(self, random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return random.integers(0, self.below, shape, "int32")


class bernoulli(Draw):  # noqa: N801
    """1.0 with a probability, else 0.0."""

    shape: Shape = Field([], description="The shape for one example, or the name of a field that has it.")
    probability: _Rate = Field(0.5, description="The probability of 1.")

    def sample(self, size: int, fields: Mapping[str, Any], seed: Any) -> Any:
        import keras

        shares = keras.random.uniform(self._complete(size, fields), dtype="float32", seed=seed)
        return keras.ops.cast(shares < self.probability, "float32")

    def values(self, random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        return (random.random(shape, "float32") < self.probability).astype("float32")


DRAW_ALIASES = {"gaussian": "normal", "randint": "integers", "choice": "integers"}
"""The names of draws in other libraries."""

SAMPLER_DRAWS = Family(
    kind="random value",
    modules=dict.fromkeys(("bernoulli", "integers", "normal", "uniform"), __name__),
    aliases=DRAW_ALIASES,
)
"""The draws of a sampler, by name. They read no data."""
