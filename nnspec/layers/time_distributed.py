"""A layer at every time step alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from nnspec.layers import LAYERS
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.types import Config, Dim, Named, TensorType, Weight

__all__ = ["TimeDistributed"]


class TimeDistributed(Layer):
    """One layer at every time step, with the same weights; time is the first axis after the batch.

    As in Keras a mask goes to the layer step by step, where it uses one, and comes out unchanged. The weights bear the
    inner layer's names: ``labels/kernel``. A block or a network is put in its place, between two layers that take time into the
    batch and out again: its weights stand where they do without this.
    """

    main_argument: ClassVar[str | None] = "layer"
    passes_mask: ClassVar[bool] = True

    layer: Annotated[Config, Named(LAYERS, own=True)] = Field(
        description="A layer of one input and one output, or a block or a network of the document."
    )

    @property
    def inner(self) -> Layer:
        """The layer at each step."""
        assert isinstance(self.layer, Layer)
        return self.layer

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        inner = self.inner_output(x)
        return single((x.shape[0], *inner.shape), inner.dtype)

    def inner_output(self, x: TensorType) -> TensorType:
        """What the inner layer gives at each step.

        Raises:
            LayerError: Where there is no time axis, or the inner layer has several inputs or outputs.
        """
        name = type(self.inner).__name__
        if self.inner.ports.required != Ports().required:
            raise LayerError(f"TimeDistributed takes a layer of one input, and {name} is none", argument="layer", help=_ONE)
        if x.rank < 2:
            raise LayerError(
                f"TimeDistributed takes (time, …), at least two axes, got {x}",
                help="a recurrent layer before it must say `return_sequences: true`",
                port="x",
            )
        outputs = self.inner.output_types({"x": self.step(x)})
        if len(outputs) > 1:
            raise LayerError(
                f"TimeDistributed takes a layer of one output, and {name} here has {len(outputs)}", argument="layer", help=_ONE
            )
        return next(iter(outputs.values()))

    def step(self, x: TensorType) -> TensorType:
        """The input at one step."""
        return TensorType(x.shape[1:], x.dtype, x.mask[1:] or None if x.mask else None)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return self.inner.weights({"x": self.step(inputs["x"])})

    def macs(self, inputs: Inputs) -> int | Dim:
        x = inputs["x"]
        return x.shape[0] * self.inner.macs({"x": self.step(x)})

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return self.inner.agreeing_sizes({"x": self.step(inputs["x"])})

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        return self.inner.room({"x": self.step(inputs["x"])})

    def choices(self, inputs: Inputs) -> Mapping[str, int | Dim]:
        return self.inner.choices({"x": self.step(inputs["x"])})

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The inner layer's, of one step; one that sees everything along more axes than the features leaves no window."""
        step = self.step(inputs["x"])
        window = self.inner.receptive_field({"x": step})
        if window is None or window == EVERYTHING:
            return window if step.rank > 1 else None
        return Window((1, *window.size), (1, *window.stride), (0, *window.start))


_ONE = "write steps of their own for it, or a block"
