"""Losses of the catalogue as steps of a program."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, InstanceOf

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Ports
from nnspec.training.catalogue.losses.base import Loss
from nnspec.types import TensorType

__all__ = ["LossValues"]


class LossValues(Layer):
    """The unreduced values of a loss: one for each example, or for each position."""

    ports: ClassVar[Ports] = Ports(("target", "output"))

    loss: InstanceOf[Loss] = Field(description="The loss.")

    def infer(self, inputs: Inputs) -> Outputs:
        target, output = inputs["target"], inputs["output"]
        kind = self.loss.target_kind()
        if kind is None:
            raise LayerError(f"`{self.loss.title}` has no target", help="average the step itself: list it under `minimize`")
        for name, type_ in inputs.items():
            if type_.rank == 0:
                raise LayerError("takes tensors with the batch as the first axis, not a number", port=name)
        if not output.dtype.startswith("float"):
            raise LayerError(f"takes a float output, not {output.dtype}", port="output")
        each = TensorType(output.shape[1:])
        if misfit := self.loss.misfit(each):
            raise LayerError(f"`{self.loss.title}` {misfit[0]}, not {each}", help=misfit[1], port="output")
        axes = output.rank - 1 if output.rank > 1 else 1
        wanted = (axes,) if kind == "class" else (output.rank,)
        if target.rank not in (*wanted, axes + 1):
            raise LayerError(
                f"`{self.loss.title}` takes a target with {wanted[0]} axes for an output of {output}, not {target}",
                port="target",
            )
        return {"output": TensorType(output.shape[:axes] if self.loss.by_position else output.shape[:1])}

    def agreeing_sizes(self, inputs: Inputs) -> tuple[Any, ...]:
        shared = min(len(self.infer(inputs)["output"].shape), inputs["target"].rank)
        return tuple(zip(inputs["target"].shape[:shared], inputs["output"].shape[:shared], strict=True))
