"""Random cropping of images."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from nnspec.layers.augmentation import Augmentation
from nnspec.layers.base import Inputs, LayerError, Outputs, Window, single
from nnspec.layers.scalars import PositiveInt
from nnspec.types import TensorType

__all__ = ["RandomCrop"]


class RandomCrop(Augmentation):
    """Crops images to a given size, at a random position in training.

    At inference, and for smaller images, it takes the largest centered crop with the same aspect ratio and resizes it.
    """

    height: PositiveInt = Field(description="The output height.")
    width: PositiveInt = Field(description="The output width.")

    def infer(self, inputs: Inputs) -> Outputs:
        super().infer(inputs)
        self.window(inputs["x"])
        return single((self.height, self.width, inputs["x"].shape[-1]))

    def window(self, x: TensorType) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the start and size of the crop at inference, along the height and along the width.

        Raises:
            LayerError: If the size of the image is not fixed.

        Example:
            >>> RandomCrop(height=4, width=4).window(TensorType((8, 12, 3)))
            ((0, 8), (2, 8))
        """
        height, width = x.shape[:2]
        if not isinstance(height, int) or not isinstance(width, int):
            raise LayerError(
                f"RandomCrop needs images with fixed height and width, got {x}",
                help="declare them as numbers under `inputs`",
                port="x",
            )
        tall = max(min(height, width * self.height // self.width), 1)
        wide = max(min(width, height * self.width // self.height), 1)
        return ((height - tall) // 2, tall), ((width - wide) // 2, wide)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Output p is at ``(p + 1/2) · step − 1/2`` in the crop, and depends on positions at a distance below 1."""
        parts = self.window(inputs["x"])
        steps = [Fraction(size, target) for (_, size), target in zip(parts, (self.height, self.width), strict=True)]
        between = [1 - Fraction(1, step.denominator) if step != 1 else Fraction(0) for step in steps]
        sizes = tuple(1 + 2 * reach if step != 1 else Fraction(1) for step, reach in zip(steps, between, strict=True))
        starts = tuple(begin + (step - 1) / 2 - reach for (begin, _), step, reach in zip(parts, steps, between, strict=True))
        return Window(sizes, tuple(steps), starts)
