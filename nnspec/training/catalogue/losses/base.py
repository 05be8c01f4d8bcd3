"""What a loss is, and the arguments that several have."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Fraction, WholeNumber
from nnspec.training.batches.targets import Compares, TargetKind

__all__ = ["ClassAxis", "Focus", "FromLogits", "Loss", "Share", "Smoothing", "Value"]


ClassAxis = Annotated[WholeNumber, Field(description="The axis the classes stand along.")]
FromLogits = Annotated[Flag, Field(description="Whether the output is logits, not probabilities.")]
Smoothing = Annotated[Fraction, Field(description="What is taken from the target's 1 and spread over the classes.")]
Focus = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False, description="How much less easy examples count.")]
Share = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Loss(Compares):
    """A number for each example that says how far the output is from the target; training makes its mean small."""

    by_position: ClassVar[bool] = True
    """Whether it is a number for each position of an example, which is then averaged, and not one of all together."""

    def to_keras(self, **arguments: Any) -> Any:
        """The Keras loss: by default the one of the same name; None if the output itself is the loss.

        Args:
            **arguments: The fields, as Keras takes them.
        """
        import keras

        return getattr(keras.losses, type(self).__name__)(**arguments)


class Value(Loss):
    """The output itself, averaged, is the loss; it needs no target."""

    target: ClassVar[TargetKind | None] = None

    def to_keras(self, **arguments: Any) -> None:
        del arguments
