"""Rotation prediction: an objective with a loss of its own. The class has the name that a spec uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.training.objectives.own_loss import OwnLoss

if TYPE_CHECKING:
    import keras

    from nnspec.training.objectives.context import ObjectiveContext
    from nnspec.training.plan import TrainingPlan
    from nnspec_example_layers.rotation.loss import RotationLoss

__all__ = ["rotation_prediction"]

_Text = Annotated[str, Strict()]
_TURNS = 4


class rotation_prediction(OwnLoss):  # noqa: N801
    """Predicts by how many quarter turns an image is rotated (Gidaris et al. 2018). It needs no labels.

    Each image of a batch is seen in all four rotations; the loss is the cross-entropy of four classes.
    """

    report: ClassVar[str] = "nnspec_example_layers.rotation.report"
    metrics: ClassVar[Mapping[str, Literal["min", "max"]]] = {"loss": "min", "rotation_accuracy": "max"}

    input: _Text | None = Field(None, description="The input that is rotated; null: the only one.")
    output: _Text | None = Field(None, description="The output of four logits; null: the only one.")

    def own_plan(self, context: ObjectiveContext) -> tuple[str, str] | None:
        """The names of the input and of the output; None if they do not fit, which is reported."""
        before = len(context.problems)
        input_, output = context.chosen_input(self.input), context.chosen_output(self.output)
        if input_ is not None:
            shape = context.graph.inputs[input_].shape
            if len(shape) != 3 or shape[0] != shape[1]:
                context.does_not_fit(f"rotates square images, and `{input_}` is {context.graph.inputs[input_]}", "input")
        if output is not None:
            found = context.graph.output_types[output]
            if found.shape != (_TURNS,):
                help = f"end the network with `Dense: {{units: {_TURNS}}}`"
                context.does_not_fit(f"takes four logits, and `{output}` is {found}", "output", help=help)
        return (input_, output) if input_ is not None and output is not None and len(context.problems) == before else None

    def batch_loss(self, plan: TrainingPlan, model: keras.Model) -> RotationLoss:
        """The loss in Keras."""
        from nnspec_example_layers.rotation.loss import RotationLoss

        return RotationLoss(model, *plan.own)
