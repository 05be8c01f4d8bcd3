"""Normalizations."""

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

__all__ = [
    "AlongAxes",
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]

Epsilon = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]

_RENORM = "batch renormalization is not in this version; leave it out"


class BatchNormalization(ConvolvedOver, RemovesOffset):
    """Brings each channel to mean 0 and variance 1 (Ioffe and Szegedy 2015).

    In training by the batch's own statistics, otherwise by their moving averages.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "renorm": _RENORM,
        "renorm_clipping": _RENORM,
        "renorm_momentum": _RENORM,
        "synchronized": "statistics are each device's own; leave it out",
    }
    passes_mask: ClassVar[bool] = True

    axis: WholeNumber = Field(-1, description="The channels' axis, the batch axis counted as 0.")
    momentum: Fraction = Field(0.99, description="How much of the moving averages stays at each step.")
    epsilon: Epsilon = Field(1e-3, description="Added to the variance.")
    center: Flag = Field(True, description="Whether an offset, beta, is learned.")
    scale: Flag = Field(True, description="Whether a factor, gamma, is learned.")
    beta_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The offset at first.")
    gamma_initializer: AnyInitializer = Field("ones", validate_default=True, description="The factor at first.")
    moving_mean_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The mean at first.")
    moving_variance_initializer: AnyInitializer = Field("ones", validate_default=True, description="The variance at first.")
    beta_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the offset.")
    gamma_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the factor.")
    beta_constraint: AnyConstraint | None = Field(None, description="What the offset is held to.")
    gamma_constraint: AnyConstraint | None = Field(None, description="What the factor is held to.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        known_size(self, x, self.channel_axis(x.rank))
        if x.mask is not None and len(x.mask) != x.rank - 1:
            raise LayerError(
                f"BatchNormalization takes a mask of one axis less than its input {x}, got one of {len(x.mask)} axes",
                help="put it where the mask and the input have the same leading axes",
                port="x",
            )
        return single(x.shape)

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        return self if self.axis == -1 and set(sizes) == {1} else None

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """The mean is each channel's, over the batch and all positions."""
        return axis == self.channel_axis(x.rank) or x.shape[axis] == 1

    def channel_axis(self, rank: int) -> int:
        """The channels' axis, the batch axis left out: 0 to ``rank − 1``.

        Raises:
            LayerError: Where the input has no such axis.
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
    """An axis to normalise, the batch axis left out: 0 to ``rank − 1``.

    Raises:
        LayerError: Where the input has no such axis.
    """
    place = axis - 1 if axis > 0 else axis + rank
    if axis == 0 or not 0 <= place < rank:
        axes = "no axis but the batch" if not rank else f"axes 1 to {rank}, or −{rank} to −1"
        raise LayerError(
            f"the input has no axis {axis} to normalise: it has {axes}",
            help="leave `axis` out: the channels come last" if rank else "declare the input's shape as `[1]`",
            argument="axis",
        )
    return place


class AlongAxes(ConvolvedOver):
    """What normalizations along some axes share."""

    axis: WholeNumber | list[WholeNumber] = Field(-1, description="The axis or axes, the batch axis counted as 0.")

    def infer(self, inputs: Inputs) -> Outputs:
        require_float(self, inputs["x"])
        self.axes(inputs["x"].rank)
        return single(inputs["x"].shape)

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        return self if self.axis in (-1, [-1]) and set(sizes) == {1} else None

    def axes(self, rank: int) -> tuple[int, ...]:
        """The axes in their order, the batch axis left out."""
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        if len({axis_of(axis, rank) for axis in given}) < max(1, len(given)):
            raise LayerError("`axis` names an axis twice, or none", help="name each axis once", argument="axis")
        return tuple(sorted(axis_of(axis, rank) for axis in given))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Everything where the statistics are those of several positions."""
        rank = inputs["x"].rank
        return EVERYTHING if set(self.axes(rank)) != {rank - 1} else None

    def normalised(self, inputs: Inputs) -> tuple[int, ...]:
        """The sizes along the axes."""
        x = inputs["x"]
        return tuple(known_size(self, x, axis) for axis in self.axes(x.rank))


class _Affine(Layer):
    """What is learned after a normalization: a factor and an offset."""

    epsilon: Epsilon = Field(1e-3, description="Added to the variance.")
    center: Flag = Field(True, description="Whether an offset, beta, is learned.")
    scale: Flag = Field(True, description="Whether a factor, gamma, is learned.")
    beta_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The offset at first.")
    gamma_initializer: AnyInitializer = Field("ones", validate_default=True, description="The factor at first.")
    beta_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the offset.")
    gamma_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the factor.")
    beta_constraint: AnyConstraint | None = Field(None, description="What the offset is held to.")
    gamma_constraint: AnyConstraint | None = Field(None, description="What the factor is held to.")

    def affine_weights(self, shape: tuple[int, ...]) -> tuple[Weight, ...]:
        """The factor and the offset, where they are learned."""
        gamma = (self.owns("gamma", shape),) if self.scale else ()
        return (*gamma, self.owns("beta", shape)) if self.center else gamma


class LayerNormalization(AlongAxes, _Affine, RemovesOffset):
    """Brings each example to mean 0 and variance 1 along some axes (Ba et al. 2016)."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "rms_scaling": "write `RMSNormalization`"}
    passes_mask: ClassVar[bool] = True

    def infer(self, inputs: Inputs) -> Outputs:
        if self.scale or self.center:
            self.normalised(inputs)
        return super().infer(inputs)

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """The mean is taken along its axes: an offset that varies along one of them changes the differences from it."""
        return axis not in self.axes(x.rank) or x.shape[axis] == 1

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return self.affine_weights(self.normalised(inputs)) if self.scale or self.center else ()


class RMSNormalization(AlongAxes):
    """Divides by the root of the mean square along some axes, and scales (Zhang and Sennrich 2019)."""

    epsilon: Epsilon = Field(1e-6, description="Added to the mean square.")

    def infer(self, inputs: Inputs) -> Outputs:
        rank = inputs["x"].rank
        axes = self.axes(rank)
        if axes != tuple(range(rank - len(axes), rank)):
            raise LayerError(
                f"RMSNormalization runs along the last axes, not along {self.axis} of {inputs['x']}",
                help="`Permute` before it brings others to the end",
                argument="axis",
            )
        self.normalised(inputs)
        return super().infer(inputs)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (Weight("scale", self.normalised(inputs), True, Ones()),)


class UnitNormalization(AlongAxes):
    """Brings vectors along some axes to length 1; one of length 0 stays."""

    passes_mask: ClassVar[bool] = True


class GroupNormalization(_Affine, RemovesOffset):
    """Brings groups of channels to mean 0 and variance 1, each example alone (Wu and He 2018)."""

    passes_mask: ClassVar[bool] = True

    groups: Annotated[int, Strict(), Field(ge=-1)] = Field(
        32, description="Number of groups: 1 is layer normalization over all axes; −1, each channel its own."
    )
    axis: WholeNumber = Field(-1, description="The channels' axis, the batch axis counted as 0.")

    @field_validator("groups")
    @classmethod
    def _some_groups(cls, groups: int) -> int:
        if not groups:
            raise ValueError("`groups` is a positive number, or −1 for one group for each channel")
        return groups

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        self.group_count(x)
        return single(x.shape)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Everything: the statistics of a group are those of all positions."""
        return EVERYTHING if inputs["x"].rank > 1 else None

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """The mean is that of a group over all positions: one number for each channel where a group is one channel."""
        channels = self.channel_axis(x.rank)
        return x.shape[axis] == 1 or (axis == channels and self.group_count(x) == x.shape[channels])

    def channel_axis(self, rank: int) -> int:
        """The channels' axis, the batch axis left out."""
        return axis_of(self.axis, rank)

    def group_count(self, x: TensorType) -> int:
        """The number of groups.

        Raises:
            LayerError: Where the channels cannot be split so.
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
