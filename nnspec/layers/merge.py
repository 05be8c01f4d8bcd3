"""Layers that merge several tensors into one."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Ports, single
from nnspec.layers.checks import computed, require_float
from nnspec.layers.interfaces import ConvolvedOver
from nnspec.layers.scalars import WholeNumber
from nnspec.types import Dim, TensorType, same_size, size_text


def common_size(a: int | Dim, b: int | Dim) -> int | Dim | None:
    """Return the common size of two axes, preferring a fixed size; None if the sizes differ."""
    if same_size(a, b) is False:
        return None
    return b if isinstance(b, int) else a


class Elementwise(ConvolvedOver):
    """Base class of element-wise merges."""

    ports: ClassVar[Ports] = Ports((), variadic=True)

    def infer(self, inputs: Inputs) -> Outputs:
        shapes = [x.shape for x in inputs.values()]
        for port, x in inputs.items():
            require_float(self, x, port)
        result = shapes[0]
        for port, shape in list(zip(inputs, shapes, strict=True))[1:]:
            result = self._broadcast(result, shape, inputs, port)
        return single(result)

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        del sizes
        return self

    def _broadcast(
        self, a: tuple[int | Dim, ...], b: tuple[int | Dim, ...], inputs: Inputs, port: str
    ) -> tuple[int | Dim, ...]:
        """Broadcast as Keras does: axes are matched from the last; missing axes and axes of size 1 are repeated."""
        longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
        lead = len(longer) - len(shorter)
        sizes = list(longer[:lead])
        for left, right in zip(longer[lead:], shorter, strict=True):
            size = right if left == 1 else left if right == 1 else common_size(left, right)
            if size is None:
                raise LayerError(
                    f"{type(self).__name__} needs inputs of equal shape, got " + " and ".join(str(x) for x in inputs.values()),
                    help=f"{size_text(left)} is not {size_text(right)}: make the sizes equal, for instance with a convolution "
                    "with `kernel_size: 1` and the same filters and strides on the shortcut",
                    port=port,
                )
            sizes.append(size)
        return tuple(sizes)

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        shapes = dict.fromkeys(x.shape for x in inputs.values())
        pairs: list[tuple[int | Dim, int | Dim]] = []
        for axis in range(1, max(map(len, shapes)) + 1):
            first, *others = dict.fromkeys(shape[-axis] for shape in shapes if len(shape) >= axis and shape[-axis] != 1) or [1]
            pairs += [(first, other) for other in others]
        return tuple(pairs)

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        """The union of the input masks; None if an input has no mask."""
        masks = [x.mask for x in inputs.values()]
        result = masks[0]
        for (port, x), mask in list(zip(inputs.items(), masks, strict=True))[1:]:
            if result is None or mask is None:
                return None
            if len(mask) != len(result):
                raise LayerError(
                    f"{type(self).__name__} cannot combine the masks of its inputs: "
                    f"they are {TensorType(result)} and {TensorType(mask)}, of {inputs['0']} and {x}",
                    help="give the inputs the same number of axes first",
                    port=port,
                )
            result = self._broadcast(result, mask, inputs, port)
        return result


class Add(Elementwise):
    """The element-wise sum of its inputs."""


class Subtract(Elementwise):
    """The element-wise difference of two inputs: the first minus the second."""

    def infer(self, inputs: Inputs) -> Outputs:
        if len(inputs) != 2:
            raise LayerError(
                f"Subtract takes two inputs, got {len(inputs)}",
                help="chain several `Subtract` layers, or `Add` the subtrahends first",
                port="2",
            )
        return super().infer(inputs)


class Multiply(Elementwise):
    """The element-wise product of its inputs.

    As in Keras, a masked position of an input counts as 1; positions that are masked in all inputs are 0.
    """


class Average(Elementwise):
    """The element-wise mean of its inputs."""


class Maximum(Elementwise):
    """The element-wise maximum of its inputs."""


class Minimum(Elementwise):
    """The element-wise minimum of its inputs."""


class Concatenate(ConvolvedOver):
    """Concatenates its inputs along an axis."""

    ports: ClassVar[Ports] = Ports((), variadic=True)
    main_argument: ClassVar[str | None] = "axis"

    axis: WholeNumber = Field(-1, description="The axis, where 0 is the batch axis.")

    def infer(self, inputs: Inputs) -> Outputs:
        first = inputs["0"]
        along = self.joined_axis(first)
        sizes = list(first.shape)
        for port, x in list(inputs.items())[1:]:
            if x.rank != first.rank:
                raise self._does_not_fit(inputs, f"{first.rank} axes are not {x.rank}", port)
            for axis, size in enumerate(x.shape):
                if axis == along:
                    sizes[axis] = sizes[axis] + size
                elif (common := common_size(sizes[axis], size)) is None:
                    raise self._does_not_fit(
                        inputs, f"{size_text(sizes[axis])} is not {size_text(size)} on axis {axis + 1}", port
                    )
                else:
                    sizes[axis] = common
        return single(tuple(sizes), self._dtype(inputs))

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        first, *others = inputs.values()
        along = self.joined_axis(first)
        return tuple(pair for x in others for axis, pair in enumerate(zip(first.shape, x.shape, strict=True)) if axis != along)

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        return self if self.axis == -1 and set(sizes) == {1} else None

    def joined_axis(self, x: TensorType) -> int:
        """Return the concatenation axis, without the batch axis: 0 to ``rank − 1``.

        Raises:
            LayerError: If the inputs have no such axis.
        """
        axis = self.axis - 1 if self.axis > 0 else self.axis + x.rank
        if self.axis == 0 or not 0 <= axis < x.rank:
            axes = f"its axes are 1 to {x.rank}, or −{x.rank} to −1" if x.rank else "it has only the batch axis"
            raise LayerError(
                f"Concatenate got axis {self.axis} for the input {x}: {axes}",
                help="remove `axis` to use the last" if x.rank else "add an axis to each with `Reshape: {target_shape: [1]}`",
                argument="axis" if "axis" in self.model_fields_set else None,
            )
        return axis

    def _does_not_fit(self, inputs: Inputs, reason: str, port: str) -> LayerError:
        shapes = " and ".join(str(x) for x in inputs.values())
        return LayerError(
            f"Concatenate along axis {self.axis} needs inputs with equal sizes on all other axes, got {shapes}: {reason}",
            help="make the other sizes equal, or use another `axis`",
            port=port,
        )

    def _dtype(self, inputs: Inputs) -> str:
        dtypes = {computed(x.dtype) for x in inputs.values()}
        if len(dtypes) > 1:
            raise LayerError(
                "Concatenate needs inputs of the same dtype, got " + " and ".join(x.dtype for x in inputs.values()),
                help="declare the inputs with the same `dtype`",
            )
        return dtypes.pop()

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        """Concatenated masks, where an input without a mask is fully valid; along the last axis, the union of the masks."""
        if all(x.mask is None for x in inputs.values()):
            return None
        return self.infer(inputs)["output"].shape[:-1]
