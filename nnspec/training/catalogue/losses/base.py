"""The base class of losses, and common arguments."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Fraction, WholeNumber
from nnspec.training.catalogue.targets import Compares, TargetKind

ClassAxis = Annotated[WholeNumber, Field(description="The class axis.")]
FromLogits = Annotated[Flag, Field(description="Whether the output is logits instead of probabilities.")]
Smoothing = Annotated[Fraction, Field(description="The amount of label smoothing, from 0 to 1.")]
Focus = Annotated[
    float,
    Strict(),
    Field(ge=0, allow_inf_nan=False, description="The focusing parameter: how strongly easy examples are down-weighted."),
]
Share = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Loss(Compares):
    """A loss for each example; training minimizes its mean."""

    by_position: ClassVar[bool] = True
    """Whether the loss is computed at each position of an example and averaged."""

    def to_keras(self, **arguments: Any) -> Any:
        """The Keras loss of the same name, Keras's or ours; None if the output itself is the loss.

        Args:
            **arguments: The fields, as Keras takes them.
        """
        import keras

        from nnspec.training.catalogue import own_losses

        name = type(self).__name__
        return (getattr(own_losses, name, None) or getattr(keras.losses, name))(**arguments)


class Value(Loss):
    """Uses the mean of the output as the loss, without a target."""

    target: ClassVar[TargetKind | None] = None

    def to_keras(self, **arguments: Any) -> None:
        del arguments
