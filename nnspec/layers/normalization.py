"""Normalization layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, Strict, field_validator

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, Fraction, WholeNumber
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import known_size, require_float
from nnspec.layers.initializers import Ones
from nnspec.layers.interfaces import ConvolvedOver, RemovesOffset
from nnspec.types import TensorType, Weight

Epsilon = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]

_RENORM = "batch renormalization is not supported; remove it"


class BatchNormalization(ConvolvedOver, RemovesOffset):
    """Normalizes each channel to mean 0 and variance 1 (Ioffe and Szegedy 2015).

    Training uses the statistics of the batch; inference uses their moving averages.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "renorm": _RENORM,
        "renorm_clipping": _RENORM,
        "renorm_momentum": _RENORM,
        "synchronized": "statistics are computed per device; remove it",
    }
    passes_mask: ClassVar[bool] = True

    axis: WholeNumber = Field(-1, description="The channel axis, where 0 is the batch axis.")
    momentum: Fraction = Field(0.99, description="Momentum of the moving averages.")
    epsilon: Epsilon = Field(1e-3, description="Added to the variance.")
    center: Flag = Field(True, description="Whether to learn an offset, beta.")
    scale: Flag = Field(True, description="Whether to learn a factor, gamma.")
    beta_initializer: AnyInitializer = Field("zeros", validate_default=True, description="Initializer of the offset.")
    gamma_initializer: AnyInitializer = Field("ones", validate_default=True, description="Initializer of the factor.")
    moving_mean_initializer: AnyInitializer = Field("zeros", validate_default=True, description="Initializer of the mean.")
    moving_variance_initializer: AnyInitializer = Field(
        "ones", validate_default=True, description="Initializer of the variance."
    )
    beta_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the offset.")
    gamma_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the factor.")
    beta_constraint: AnyConstraint | None = Field(None, description="Constraint on the offset.")
    gamma_constraint: AnyConstraint | None = Field(None, description="Constraint on the factor.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        known_size(self, x, self.channel_axis(x.rank))
        if x.mask is not None and len(x.mask) != x.rank - 1:
            raise LayerError(
                f"BatchNormalization needs a mask with one axis less than its input {x}, got one of {len(x.mask)} axes",
                help="move it to where the mask has all axes of the input except the last",
                port="x",
            )
        return single(x.shape)

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        return self if self.axis == -1 and set(sizes) == {1} else None

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """The mean of each channel is taken over the batch and all positions."""
        return axis == self.channel_axis(x.rank) or x.shape[axis] == 1

    def channel_axis(self, rank: int) -> int:
        """Return the channel axis, without the batch axis: 0 to ``rank − 1``.

        Raises:
            LayerError: If the input has no such axis.
        """
        return axis_of(self.axis, rank)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        x = inputs["x"]
        shape = (known_size(self, x, self.channel_axis(x.rank)),)
        gamma = (self.owns("gamma", shape),) if self.scale else ()
        beta = (self.owns("beta", shape),) if self.center else ()
        statistics = (
            self.owns("moving_mean", shape, trainable=False),
            self.owns("moving_variance", shape, trainable=False),
        )
        return gamma + beta + statistics


def axis_of(axis: int, rank: int) -> int:
    """Return an axis to normalize, without the batch axis: 0 to ``rank − 1``.

    Raises:
        LayerError: If the input has no such axis.
    """
    place = axis - 1 if axis > 0 else axis + rank
    if axis == 0 or not 0 <= place < rank:
        axes = "it has only the batch axis" if not rank else f"its axes are 1 to {rank}, or −{rank} to −1"
        raise LayerError(
            f"the input has no axis {axis} to normalize: {axes}",
            help="remove `axis`: the channels are the last axis" if rank else "declare the input's shape as `[1]`",
            argument="axis",
        )
    return place


class AlongAxes(ConvolvedOver):
    """Base class of normalizations along given axes."""

    axis: WholeNumber | list[WholeNumber] = Field(-1, description="The axis or axes, where 0 is the batch axis.")

    def infer(self, inputs: Inputs) -> Outputs:
        require_float(self, inputs["x"])
        self.axes(inputs["x"].rank)
        return single(inputs["x"].shape)

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        return self if self.axis in (-1, [-1]) and set(sizes) == {1} else None

    def axes(self, rank: int) -> tuple[int, ...]:
        """Return the axes in increasing order, without the batch axis."""
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        if len({axis_of(axis, rank) for axis in given}) < max(1, len(given)):
            raise LayerError("`axis` is empty or lists an axis twice", help="list each axis once", argument="axis")
        return tuple(sorted(axis_of(axis, rank) for axis in given))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input if the statistics cover several positions."""
        rank = inputs["x"].rank
        return EVERYTHING if set(self.axes(rank)) != {rank - 1} else None

    def normalized(self, inputs: Inputs) -> tuple[int, ...]:
        """Return the sizes of the axes."""
        x = inputs["x"]
        return tuple(known_size(self, x, axis) for axis in self.axes(x.rank))


class _Affine(Layer):
    """The learned factor and offset of a normalization."""

    epsilon: Epsilon = Field(1e-3, description="Added to the variance.")
    center: Flag = Field(True, description="Whether to learn an offset, beta.")
    scale: Flag = Field(True, description="Whether to learn a factor, gamma.")
    beta_initializer: AnyInitializer = Field("zeros", validate_default=True, description="Initializer of the offset.")
    gamma_initializer: AnyInitializer = Field("ones", validate_default=True, description="Initializer of the factor.")
    beta_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the offset.")
    gamma_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the factor.")
    beta_constraint: AnyConstraint | None = Field(None, description="Constraint on the offset.")
    gamma_constraint: AnyConstraint | None = Field(None, description="Constraint on the factor.")

    def affine_weights(self, shape: tuple[int, ...]) -> tuple[Weight, ...]:
        """Return the factor and the offset, if they are learned."""
        gamma = (self.owns("gamma", shape),) if self.scale else ()
        return (*gamma, self.owns("beta", shape)) if self.center else gamma


class LayerNormalization(AlongAxes, _Affine, RemovesOffset):
    """Normalizes each example to mean 0 and variance 1 along some axes (Ba et al. 2016)."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "rms_scaling": "write `RMSNormalization`"}
    passes_mask: ClassVar[bool] = True

    def infer(self, inputs: Inputs) -> Outputs:
        if self.scale or self.center:
            self.normalized(inputs)
        return super().infer(inputs)

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """The mean is taken along its axes, so an offset that varies along one of them is not removed."""
        return axis not in self.axes(x.rank) or x.shape[axis] == 1

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return self.affine_weights(self.normalized(inputs)) if self.scale or self.center else ()


class RMSNormalization(AlongAxes):
    """Divides by the root mean square along some axes, and scales (Zhang and Sennrich 2019)."""

    epsilon: Epsilon = Field(1e-6, description="Added to the mean square.")

    def infer(self, inputs: Inputs) -> Outputs:
        rank = inputs["x"].rank
        axes = self.axes(rank)
        if axes != tuple(range(rank - len(axes), rank)):
            raise LayerError(
                f"RMSNormalization needs the last axes, got axis {self.axis} of {inputs['x']}",
                help="put a `Permute` before it to move the axes to the end",
                argument="axis",
            )
        self.normalized(inputs)
        return super().infer(inputs)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (Weight("scale", self.normalized(inputs), True, Ones()),)


class UnitNormalization(AlongAxes):
    """Normalizes vectors along some axes to length 1; zero vectors are unchanged."""

    main_argument: ClassVar[str | None] = "axis"
    passes_mask: ClassVar[bool] = True


class GroupNormalization(_Affine, RemovesOffset):
    """Normalizes groups of channels of each example to mean 0 and variance 1 (Wu and He 2018)."""

    main_argument: ClassVar[str | None] = "groups"
    passes_mask: ClassVar[bool] = True

    groups: Annotated[int, Strict(), Field(ge=-1)] = Field(
        32, description="Number of groups: 1 normalizes over all axes; −1 makes each channel a group."
    )
    axis: WholeNumber = Field(-1, description="The channel axis, where 0 is the batch axis.")

    @field_validator("groups")
    @classmethod
    def _some_groups(cls, groups: int) -> int:
        if not groups:
            raise ValueError("`groups` must be positive, or −1 for one group per channel; got 0")
        return groups

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        self.group_count(x)
        return single(x.shape)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: the statistics of a group cover all positions."""
        return EVERYTHING if inputs["x"].rank > 1 else None

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """The mean is taken over a group and all positions: per channel only if each group is one channel."""
        channels = self.channel_axis(x.rank)
        return x.shape[axis] == 1 or (axis == channels and self.group_count(x) == x.shape[channels])

    def channel_axis(self, rank: int) -> int:
        """Return the channel axis, without the batch axis."""
        return axis_of(self.axis, rank)

    def group_count(self, x: TensorType) -> int:
        """Return the number of groups.

        Raises:
            LayerError: If the number of channels is not divisible by it.
        """
        channels = known_size(self, x, self.channel_axis(x.rank))
        if self.groups > 0 and channels % self.groups:
            raise LayerError(
                f"{channels} channels cannot be split into {self.groups} groups",
                help=f"choose `groups` so that it divides {channels}",
                argument="groups" if "groups" in self.model_fields_set else None,
            )
        return self.groups if self.groups > 0 else channels

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        x = inputs["x"]
        return self.affine_weights((known_size(self, x, self.channel_axis(x.rank)),))
