"""Layers that make one tensor of several."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Ports, single
from nnspec.layers.checks import computed, require_float
from nnspec.layers.interfaces import ConvolvedOver
from nnspec.layers.scalars import WholeNumber
from nnspec.types import Dim, TensorType, same_size, size_text

__all__ = ["Add", "Average", "Concatenate", "Elementwise", "Maximum", "Minimum", "Multiply", "Subtract"]


def common_size(a: int | Dim, b: int | Dim) -> int | Dim | None:
    """The size of an axis on which two must agree: the more certain one; None where they cannot."""
    if same_size(a, b) is False:
        return None
    return b if isinstance(b, int) else a


class Elementwise(ConvolvedOver):
    """What merges share that work element by element."""

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
        """Keras's rule: axes are matched from the last one; a size of 1, or an axis that is missing, is repeated."""
        longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
        lead = len(longer) - len(shorter)
        sizes = list(longer[:lead])
        for left, right in zip(longer[lead:], shorter, strict=True):
            size = right if left == 1 else left if right == 1 else common_size(left, right)
            if size is None:
                raise LayerError(
                    f"{type(self).__name__} needs inputs of one shape, got " + " and ".join(str(x) for x in inputs.values()),
                    help=f"{size_text(left)} is not {size_text(right)}: bring them to one size, for instance by a convolution "
                    "with `kernel_size: 1` and the same filters and strides on the shorter way",
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
        """A position is kept where any input keeps it; there is none where an input has none."""
        masks = [x.mask for x in inputs.values()]
        result = masks[0]
        for (port, x), mask in list(zip(inputs.items(), masks, strict=True))[1:]:
            if result is None or mask is None:
                return None
            if len(mask) != len(result):
                raise LayerError(
                    f"{type(self).__name__} cannot join the masks of its inputs: "
                    f"they are {TensorType(result)} and {TensorType(mask)}, of {inputs['0']} and {x}",
                    help="bring the inputs to the same number of axes first",
                    port=port,
                )
            result = self._broadcast(result, mask, inputs, port)
        return result


class Add(Elementwise):
    """The sum of its inputs, element by element."""


class Subtract(Elementwise):
    """The first of two inputs less the second, element by element."""

    def infer(self, inputs: Inputs) -> Outputs:
        if len(inputs) != 2:
            raise LayerError(
                f"Subtract takes two inputs, the second from the first, got {len(inputs)}",
                help="chain two of them, or `Add` what is taken away first",
                port="2",
            )
        return super().infer(inputs)


class Multiply(Elementwise):
    """The product of its inputs, element by element.

    As in Keras a masked position of an input counts as 1; where all inputs are masked, positions that none keeps give 0.
    """


class Average(Elementwise):
    """The mean of its inputs, element by element."""


class Maximum(Elementwise):
    """The largest of its inputs, element by element."""


class Minimum(Elementwise):
    """The smallest of its inputs, element by element."""


class Concatenate(ConvolvedOver):
    """Its inputs one behind the other along an axis."""

    ports: ClassVar[Ports] = Ports((), variadic=True)
    main_argument: ClassVar[str | None] = "axis"

    axis: WholeNumber = Field(-1, description="The axis, the batch axis counted as 0.")

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
        """The axis along which inputs are joined, the batch axis left out: 0 to ``rank − 1``.

        Raises:
            LayerError: Where they have no such axis.
        """
        axis = self.axis - 1 if self.axis > 0 else self.axis + x.rank
        if self.axis == 0 or not 0 <= axis < x.rank:
            axes = f"axes 1 to {x.rank}, or −{x.rank} to −1" if x.rank else "no axis but the batch"
            raise LayerError(
                f"inputs {x} have no axis {self.axis} to join along: they have {axes}",
                help="leave `axis` out to join the last" if x.rank else "give each an axis with `Reshape: {target_shape: [1]}`",
                argument="axis" if "axis" in self.model_fields_set else None,
            )
        return axis

    def _does_not_fit(self, inputs: Inputs, reason: str, port: str) -> LayerError:
        shapes = " and ".join(str(x) for x in inputs.values())
        return LayerError(
            f"Concatenate along axis {self.axis} needs inputs that agree on all other axes, got {shapes}: {reason}",
            help="bring the others to one size, or join along another `axis`",
            port=port,
        )

    def _dtype(self, inputs: Inputs) -> str:
        dtypes = {computed(x.dtype) for x in inputs.values()}
        if len(dtypes) > 1:
            raise LayerError(
                "Concatenate needs inputs of one element type, got " + " and ".join(x.dtype for x in inputs.values()),
                help="declare the inputs with the same `dtype`",
            )
        return dtypes.pop()

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        """Masks are joined as the inputs are, an input without one counting as kept; along the last axis, any of them keeps."""
        if all(x.mask is None for x in inputs.values()):
            return None
        return self.infer(inputs)["output"].shape[:-1]
