"""Optional interfaces of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nnspec.layers.base import Inputs, Layer
from nnspec.types import Dim, TensorType


class KeepsElements(Layer):
    """Returns the elements of its input in the same order, with other axes."""


class PassesOn(Layer):
    """Returns its input unchanged at inference."""


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
        """Whether it does so with its current arguments."""
        return True


class MixesSteps(Layer):
    """Computes outputs from later time steps, so that padding affects them."""

    @property
    def mixes_steps(self) -> bool:
        """Whether it does so with its current arguments."""
        return True


class MayMask(Layer):
    """Computes a mask if an argument asks for it."""

    @property
    def could_mask(self) -> bool:
        """Whether it computes no mask now, but would with other arguments."""
        raise NotImplementedError


class LimitsSteps(Layer):
    """Takes sequences up to a maximum length."""

    @property
    def most_steps(self) -> int:
        """The maximum sequence length."""
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
    """Uses integers of its input as indices of table rows or image positions."""

    def choices(self, inputs: Inputs) -> Mapping[str, int | Dim]:
        """Return the number of valid indices, for each port that takes indices."""
        raise NotImplementedError


class ConvolvedOver(Layer):
    """Has an equivalent layer that applies it at every position of an image."""

    slid_names: ClassVar[Mapping[str, str]] = {}
    """The names of its arguments in the layer that [`over_positions`][] returns, if they differ."""

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        """Return that layer, possibly itself; None if there is none (Long, Shelhamer and Darrell 2015).

        Args:
            sizes: The number of positions along each axis that were flattened into the vector.
        """
        raise NotImplementedError


class Slides(Layer):
    """Computes one output from a whole image, and has an equivalent layer for every position of a larger image."""

    def slid(self, inputs: Inputs) -> Layer | None:
        """Return that layer; None if there is none for these inputs.

        Args:
            inputs: The input types, with fixed image sizes.
        """
        raise NotImplementedError


class TakesBoxes(Layer):
    """Computes with boxes: rows of ``x1 y1 x2 y2``."""

    box_ports: ClassVar[frozenset[str]] = frozenset()
    """The ports that take boxes."""


class Labels(Layer):
    """Returns classes of rows, with negative numbers for rows that have none: no loss of classes takes them."""

    label_output: ClassVar[str] = "class"
    """The output with the classes."""

    no_classes: ClassVar[tuple[int, ...]] = ()
    """The numbers that are no classes."""


class Detects(Layer):
    """Returns detections: ``boxes`` (K, 4), ``scores`` (K) and ``class`` (K), with rows of −1 after the last one."""
