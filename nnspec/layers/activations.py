"""Activation functions as layers."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Number, PositiveInt, WholeNumber
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import known_size, require_float
from nnspec.layers.interfaces import ConvolvedOver
from nnspec.types import TensorType, Weight
from nnspec.types.activation_names import OVER_LAST_AXIS, ActivationName

_NotNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Activation(ConvolvedOver):
    """An activation function by name, with its default parameters."""

    main_argument: ClassVar[str | None] = "activation"
    passes_mask: ClassVar[bool] = True

    activation: ActivationName = Field(description="The function.")

    @property
    def same_at_every_position(self) -> bool:
        return True

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        return self if self.activation not in OVER_LAST_AXIS or set(sizes) == {1} else None

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        if not x.rank and self.activation in OVER_LAST_AXIS:
            raise LayerError(
                f"`{self.activation}` needs at least one axis, got a scalar ()",
                help="declare the input's shape as `[N]`",
                argument="activation",
            )
        return single(x.shape)


def activation_of(layer: Layer) -> Activation | None:
    """Return a layer's ``activation`` argument as an `Activation` layer, or None if it is unset or linear.

    Example:
        >>> from nnspec.layers.core import Dense
        >>> activation_of(Dense(units=3, activation="relu"))
        Activation(activation='relu')
    """
    name = getattr(layer, "activation", None)
    return None if name in (None, "linear") else Activation(activation=name)


class _ElementByElement(ConvolvedOver):
    """Base class of element-wise activation functions."""

    passes_mask: ClassVar[bool] = True

    @property
    def same_at_every_position(self) -> bool:
        return True

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        del sizes
        return self

    def infer(self, inputs: Inputs) -> Outputs:
        require_float(self, inputs["x"])
        return single(inputs["x"].shape)


class ReLU(_ElementByElement):
    """The rectified linear unit: x above the threshold, a slope below it, clipped at a maximum (Nair and Hinton 2010)."""

    main_argument: ClassVar[str | None] = "max_value"

    max_value: _NotNegative | None = Field(None, description="The maximum output; null: unlimited.")
    negative_slope: _NotNegative = Field(0.0, description="The slope below the threshold.")
    threshold: _NotNegative = Field(0.0, description="The input value above which the output equals the input.")

    def is_discontinuous(self, inputs: Inputs) -> bool:
        del inputs
        return self.threshold > 0


class LeakyReLU(_ElementByElement):
    """The rectified linear unit with a slope below 0 (Maas et al. 2013)."""

    main_argument: ClassVar[str | None] = "negative_slope"

    negative_slope: _NotNegative = Field(0.3, description="The slope below 0.")


class ELU(_ElementByElement):
    """The exponential linear unit: x above 0, ``alpha · (exp(x) − 1)`` below (Clevert et al. 2016)."""

    main_argument: ClassVar[str | None] = "alpha"

    alpha: Number = Field(1.0, description="The output approaches −alpha for large negative inputs.")


class PReLU(Layer):
    """The rectified linear unit with learned slopes below 0 (He et al. 2015)."""

    passes_mask: ClassVar[bool] = True

    alpha_initializer: AnyInitializer = Field("Zeros", validate_default=True, description="Initializer of the slopes.")
    alpha_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the slopes.")
    alpha_constraint: AnyConstraint | None = Field(None, description="Constraint on the slopes.")
    shared_axes: PositiveInt | list[PositiveInt] | None = Field(
        None, description="Axes that share one slope, counted from 1: [1, 2] after a Conv2D gives one slope per channel."
    )

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        if any(axis > x.rank for axis in self.shared):
            raise LayerError(
                f"`shared_axes` names an axis that {x} does not have: its axes are 1 to {x.rank}",
                help="remove `shared_axes`, or name other axes",
                argument="shared_axes",
            )
        self.slopes(x)
        return single(x.shape)

    @property
    def shared(self) -> tuple[int, ...]:
        """The axes that share one slope."""
        return (self.shared_axes,) if isinstance(self.shared_axes, int) else tuple(self.shared_axes or ())

    def slopes(self, x: TensorType) -> tuple[int, ...]:
        """Return the shape of the slopes."""
        return tuple(1 if axis + 1 in self.shared else known_size(self, x, axis) for axis in range(x.rank))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (self.owns("alpha", self.slopes(inputs["x"])),)


class Softmax(ConvolvedOver):
    """Softmax: ``exp(x)`` divided by its sum along one or more axes (Bridle 1990)."""

    main_argument: ClassVar[str | None] = "axis"
    passes_mask: ClassVar[bool] = True

    axis: WholeNumber | list[WholeNumber] = Field(-1, description="The axis or axes, where 0 is the batch axis.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        self.axes(x)
        if x.mask is not None:
            last = self.axes(x) == (x.rank,)
            raise LayerError(
                f"Softmax takes only a mask with the shape of its input {x}, got a mask of {len(x.mask)} axes",
                help="write `Activation: softmax`, which uses the last axis and propagates the mask"
                if last
                else "to weight steps and ignore padding, write `Attention` with `from: {query: …, value: …}`; it uses the "
                "mask of `value`",
                port="x",
            )
        return single(x.shape)

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        return self if self.axis == -1 and set(sizes) == {1} else None

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input if the sum covers several positions."""
        rank = inputs["x"].rank
        return EVERYTHING if set(self.axes(inputs["x"])) != {rank} else None

    @property
    def activation_name(self) -> str:
        return "softmax"

    def axes(self, x: TensorType) -> tuple[int, ...]:
        """Return the axes, where 0 is the batch axis.

        Raises:
            LayerError: If the input has no such axes.
        """
        given = [self.axis] if isinstance(self.axis, int) else self.axis
        found = tuple(axis if axis >= 0 else axis + x.rank + 1 for axis in given)
        if not found or len(set(found)) < len(found) or any(not 1 <= axis <= x.rank for axis in found):
            raise LayerError(
                f"Softmax got axis {self.axis}, but the axes of {x} are 1 to {x.rank}",
                help="remove `axis` to use the last axis" if x.rank else "declare the input's shape as `[N]`",
                argument="axis",
            )
        return found
