"""What some layers declare beyond the facts of every layer: a layer that declares it derives from the class here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nnspec.layers.base import Inputs, Layer
from nnspec.types import Dim, TensorType

__all__ = [
    "Affine",
    "AveragesPositions",
    "ChoosesByIndex",
    "ConvolvedOver",
    "KeepsElements",
    "LimitsSteps",
    "MayMask",
    "MixesSteps",
    "PassesOn",
    "RemovesOffset",
    "Slides",
]


class KeepsElements(Layer):
    """Returns the elements of its input, in their order, on other axes."""


class PassesOn(Layer):
    """Returns its input unchanged in inference."""


class Affine(Layer):
    """Adds a bias along the last axis after an affine map, and then only applies an activation."""

    @property
    def linear_part(self) -> Layer | None:
        """The layer without its activation if it is the same affine map of the features at each position; otherwise None.

        A mean over positions commutes with it.
        """
        return None


class AveragesPositions(Layer):
    """Returns the mean of each channel over all positions."""

    @property
    def averages_positions(self) -> bool:
        """Whether it does with its arguments."""
        return True


class MixesSteps(Layer):
    """Computes outputs from later time steps, so that padding changes them."""

    @property
    def mixes_steps(self) -> bool:
        """Whether it does with its arguments."""
        return True


class MayMask(Layer):
    """Computes a mask if an argument asks for it."""

    @property
    def could_mask(self) -> bool:
        """Whether it computes none with its arguments, and would with others."""
        raise NotImplementedError


class LimitsSteps(Layer):
    """Takes sequences up to some length."""

    @property
    def most_steps(self) -> int:
        """The longest sequence that it takes."""
        raise NotImplementedError


class RemovesOffset(Layer):
    """Subtracts a mean or a minimum of its input."""

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """Whether its output does not depend on an offset of its input that varies along one axis only.

        Args:
            x: The input.
            axis: The axis, without the batch axis: a bias varies along the channels.
        """
        raise NotImplementedError


class ChoosesByIndex(Layer):
    """Chooses rows of a table, or positions of an image, by integers of its input."""

    def choices(self, inputs: Inputs) -> Mapping[str, int | Dim]:
        """The number of rows or positions, for each port with integers that choose among them."""
        raise NotImplementedError


class ConvolvedOver(Layer):
    """Declares which layer computes at every position of an image what it computes on one vector."""

    slid_names: ClassVar[Mapping[str, str]] = {}
    """The names of its arguments in the layer that [`over_positions`][] returns, if they differ."""

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        """Returns that layer: itself if nothing changes, and None if there is none (Long, Shelhamer and Darrell 2015).

        Args:
            sizes: The number of positions along each axis whose features the vector contains, flattened.
        """
        raise NotImplementedError


class Slides(Layer):
    """Computes one output from a whole image; another layer computes it at every position of a larger image."""

    def slid(self, inputs: Inputs) -> Layer | None:
        """Returns that layer; None if there is none for these inputs.

        Args:
            inputs: The types of the inputs, with known sizes of the image.
        """
        raise NotImplementedError
