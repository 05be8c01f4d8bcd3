"""A random part of a picture in training, the middle of it otherwise."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from nnspec.layers.augmentation import Augmentation
from nnspec.layers.base import Inputs, LayerError, Outputs, Window, single
from nnspec.layers.scalars import PositiveInt
from nnspec.types import TensorType

__all__ = ["RandomCrop"]


class RandomCrop(Augmentation):
    """Cuts a part of a given size out of pictures, anywhere in training.

    Otherwise, and of a picture that is smaller, it is the largest part in the middle of that aspect, brought to the size.
    """

    height: PositiveInt = Field(description="The height of the part.")
    width: PositiveInt = Field(description="The width of the part.")

    def infer(self, inputs: Inputs) -> Outputs:
        super().infer(inputs)
        self.window(inputs["x"])
        return single((self.height, self.width, inputs["x"].shape[-1]))

    def window(self, x: TensorType) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where the part begins and how large it is, in inference: along the height, then along the width.

        Raises:
            LayerError: Where the size of the picture is not known.

        Example:
            >>> RandomCrop(height=4, width=4).window(TensorType((8, 12, 3)))
            ((0, 8), (2, 8))
        """
        height, width = x.shape[:2]
        if not isinstance(height, int) or not isinstance(width, int):
            raise LayerError(
                f"RandomCrop finds the middle of pictures whose height and width are numbers, got {x}",
                help="declare them as numbers under `inputs`",
                port="x",
            )
        tall = max(min(height, width * self.height // self.width), 1)
        wide = max(min(width, height * self.width // self.height), 1)
        return ((height - tall) // 2, tall), ((width - wide) // 2, wide)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Output p stands at ``(p + 1/2) · step − 1/2`` from the part's beginning, and sees what is nearer than 1."""
        parts = self.window(inputs["x"])
        steps = [Fraction(size, target) for (_, size), target in zip(parts, (self.height, self.width), strict=True)]
        between = [1 - Fraction(1, step.denominator) if step != 1 else Fraction(0) for step in steps]
        sizes = tuple(1 + 2 * reach if step != 1 else Fraction(1) for step, reach in zip(steps, between, strict=True))
        starts = tuple(begin + (step - 1) / 2 - reach for (begin, _), step, reach in zip(parts, steps, between, strict=True))
        return Window(sizes, tuple(steps), starts)
