"""A layer at every time step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from nnspec.layers import LAYERS
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.interfaces import ChoosesByIndex
from nnspec.types import Config, Dim, Named, TensorType, Weight, same_size, size_text

__all__ = ["BatchToSteps", "StepsToBatch", "TimeDistributed", "steps_of"]


class TimeDistributed(ChoosesByIndex):
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
        return self.inner.choices({"x": self.step(inputs["x"])}) if isinstance(self.inner, ChoosesByIndex) else {}

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The inner layer's, of one step; one that sees everything along more axes than the features leaves no window."""
        step = self.step(inputs["x"])
        window = self.inner.receptive_field({"x": step})
        if window is None or window == EVERYTHING:
            return window if step.rank > 1 else None
        return Window((1, *window.size), (1, *window.stride), (0, *window.start))


_ONE = "write steps of their own for it, or a block"


class StepsToBatch(Layer):
    """Makes each time step an example, also of a mask that has more axes than time.

    The graph puts this before a block or a network that `TimeDistributed` runs, and [`BatchToSteps`][] after it.
    """

    uses_mask: ClassVar[bool] = True  # `BatchToSteps` attaches it to the outputs

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
    """Makes examples the time steps of the first input again.

    An output has the mask of its steps. If they have none, it has the first input's mask, if that has no axis but time.
    """

    ports: ClassVar[Ports] = Ports((), variadic=True)
    uses_mask: ClassVar[bool] = True
    beyond_keras: ClassVar[frozenset[str]] = frozenset({"outputs", "steps"})

    outputs: tuple[str, ...] = Field(description="The outputs' names, in the order of the other inputs.")
    steps: tuple[int | Dim, ...] = Field(
        (), description="The numbers of steps of further inputs, which must equal the first one's."
    )

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return tuple((inputs["0"].shape[0], steps) for steps in self.steps)

    def infer(self, inputs: Inputs) -> Outputs:
        steps = inputs["0"].shape[0]
        given = [inputs[str(1 + number)] for number in range(len(self.outputs))]
        return {name: TensorType((steps, *x.shape), x.dtype) for name, x in zip(self.outputs, given, strict=True)}

    def output_types(self, inputs: Inputs) -> Outputs:
        """Every output may have a mask, and not only the first."""
        like, *given = (inputs[str(number)] for number in range(1 + len(self.outputs)))
        whole = like.mask if like.mask is not None and len(like.mask) == 1 else None
        masks = [whole if x.mask is None else (like.shape[0], *x.mask) for x in given]
        return {name: type_.masked(mask) for (name, type_), mask in zip(self.infer(inputs).items(), masks, strict=True)}


def steps_of(inputs: Inputs) -> int | Dim:
    """The number of time steps, which all inputs share.

    Raises:
        LayerError: If two inputs have different numbers.
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
