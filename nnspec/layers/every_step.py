"""The two ends of steps that run at every time step alike: time goes into the batch, and comes out of it again.

No spec names them: they stand around a block or a network under ``TimeDistributed``.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Ports
from nnspec.types import Dim, TensorType, same_size, size_text

__all__ = ["BatchToSteps", "StepsToBatch", "steps_of"]


class StepsToBatch(Layer):
    """Each time step becomes an example; a mask of more axes than time goes along, step by step."""

    uses_mask: ClassVar[bool] = True  # it is hung on what comes out at the other end

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        if x.rank < 1:
            raise LayerError(
                f"TimeDistributed takes (time, …), at least one axis, got {x}",
                help="a recurrent layer before it must say `return_sequences: true`",
                port="x",
            )
        return {"output": TensorType(x.shape[1:], x.dtype)}

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        mask = inputs["x"].mask
        return mask[1:] or None if mask is not None else None


class BatchToSteps(Layer):
    """Examples become the time steps that they were of the first input.

    A mask that a step gives comes out for all of them; where there is none, the first input's, if it is one of time alone.
    """

    ports: ClassVar[Ports] = Ports((), variadic=True)
    uses_mask: ClassVar[bool] = True

    outputs: tuple[str, ...] = Field(description="What the other inputs are called as outputs.")
    steps: tuple[int | Dim, ...] = Field(
        (), description="The numbers of steps of further inputs, which must be the first one's."
    )

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return tuple((inputs["0"].shape[0], steps) for steps in self.steps)

    def infer(self, inputs: Inputs) -> Outputs:
        steps = inputs["0"].shape[0]
        given = [inputs[str(1 + number)] for number in range(len(self.outputs))]
        return {name: TensorType((steps, *x.shape), x.dtype) for name, x in zip(self.outputs, given, strict=True)}

    def output_types(self, inputs: Inputs) -> Outputs:
        """Every output carries a mask, where there is one."""
        like, *given = (inputs[str(number)] for number in range(1 + len(self.outputs)))
        whole = like.mask if like.mask is not None and len(like.mask) == 1 else None
        masks = [whole if x.mask is None else (like.shape[0], *x.mask) for x in given]
        return {name: type_.masked(mask) for (name, type_), mask in zip(self.infer(inputs).items(), masks, strict=True)}


def steps_of(inputs: Inputs) -> int | Dim:
    """The number of time steps of all inputs.

    Raises:
        LayerError: Where they have different ones.
    """
    first, *others = inputs.items()
    steps = first[1].shape[0]
    for port, x in others:
        if same_size(steps, x.shape[0]) is False:
            raise LayerError(
                f"at every time step alike, `{first[0]}` has {size_text(steps)} steps and `{port}` {size_text(x.shape[0])}",
                help="declare the same number, or the same symbol, for both",
                port=port,
            )
    return steps
