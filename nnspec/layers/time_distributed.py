"""Application of a layer to every time step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from nnspec.layers import LAYERS
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.interfaces import ChoosesByIndex
from nnspec.types import Config, Dim, Named, TensorType, Weight, same_size, size_text


class TimeDistributed(ChoosesByIndex):
    """Applies one layer, with the same weights, to every time step; time is the first axis after the batch.

    As in Keras, the mask is passed to the inner layer step by step if it uses one, and is propagated unchanged. Weights have
    the names of the inner layer: ``labels/kernel``. A block or a network is expanded in place, between a layer that merges time
    into the batch and one that splits it again; the names of its weights do not change.
    """

    main_argument: ClassVar[str | None] = "layer"
    passes_mask: ClassVar[bool] = True

    layer: Annotated[Config, Named(LAYERS, own=True)] = Field(
        description="A layer with one input and one output, or a block or network of the document."
    )

    @property
    def inner(self) -> Layer:
        """The wrapped layer."""
        assert isinstance(self.layer, Layer)
        return self.layer

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        inner = self.inner_output(x)
        return single((x.shape[0], *inner.shape), inner.dtype)

    def inner_output(self, x: TensorType) -> TensorType:
        """Return the output type of the inner layer at each step.

        Raises:
            LayerError: If there is no time axis, or the inner layer has several inputs or outputs.
        """
        name = type(self.inner).__name__
        if self.inner.ports.required != Ports().required:
            raise LayerError(f"TimeDistributed takes a layer with one input, which {name} is not", argument="layer", help=_ONE)
        if x.rank < 2:
            raise LayerError(
                f"TimeDistributed takes (time, …), at least two axes, got {x}",
                help="a recurrent layer before it must have `return_sequences: true`",
                port="x",
            )
        outputs = self.inner.output_types({"x": self.step(x)})
        if len(outputs) > 1:
            raise LayerError(
                f"TimeDistributed takes a layer with one output, but {name} has {len(outputs)}", argument="layer", help=_ONE
            )
        return next(iter(outputs.values()))

    def step(self, x: TensorType) -> TensorType:
        """Return the input type at one step."""
        return TensorType(x.shape[1:], x.dtype, x.mask[1:] or None if x.mask else None)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return self.inner.weights({"x": self.step(inputs["x"])})

    def macs(self, inputs: Inputs) -> int | Dim:
        x = inputs["x"]
        return x.shape[0] * self.inner.macs({"x": self.step(x)})

    def is_discontinuous(self, inputs: Inputs) -> bool:
        return self.inner.is_discontinuous({"x": self.step(inputs["x"])})

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return self.inner.agreeing_sizes({"x": self.step(inputs["x"])})

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        return self.inner.room({"x": self.step(inputs["x"])})

    def choices(self, inputs: Inputs) -> Mapping[str, int | Dim]:
        return self.inner.choices({"x": self.step(inputs["x"])}) if isinstance(self.inner, ChoosesByIndex) else {}

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The receptive field of the inner layer at one step."""
        step = self.step(inputs["x"])
        window = self.inner.receptive_field({"x": step})
        if window is None or window == EVERYTHING:
            return window if step.rank > 1 else None
        return Window((1, *window.size), (1, *window.stride), (0, *window.start))


_ONE = "write it as separate steps, or as a block"


class StepsToBatch(Layer):
    """Merges the time axis into the batch axis, also of a mask with more axes than time.

    The graph inserts it before a block or network in `TimeDistributed`, and [`BatchToSteps`][] after it.
    """

    uses_mask: ClassVar[bool] = True  # `BatchToSteps` attaches it to the outputs

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        if x.rank < 1:
            raise LayerError(
                f"TimeDistributed takes (time, …), at least one axis, got {x}",
                help="a recurrent layer before it must have `return_sequences: true`",
                port="x",
            )
        return {"output": TensorType(x.shape[1:], x.dtype)}

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        mask = inputs["x"].mask
        return mask[1:] or None if mask is not None else None


class BatchToSteps(Layer):
    """Splits the time axis of the first input from the batch axis again.

    An output has the mask of its steps; without one, it has the first input's mask if that has only the time axis.
    """

    ports: ClassVar[Ports] = Ports((), variadic=True)
    uses_mask: ClassVar[bool] = True
    beyond_keras: ClassVar[frozenset[str]] = frozenset({"outputs", "steps"})

    outputs: tuple[str, ...] = Field(description="The names of the outputs, in the order of the other inputs.")
    steps: tuple[int | Dim, ...] = Field(
        (), description="The numbers of steps of other inputs, which must equal that of the first."
    )

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return tuple((inputs["0"].shape[0], steps) for steps in self.steps)

    def infer(self, inputs: Inputs) -> Outputs:
        steps = inputs["0"].shape[0]
        given = [inputs[str(1 + number)] for number in range(len(self.outputs))]
        return {name: TensorType((steps, *x.shape), x.dtype) for name, x in zip(self.outputs, given, strict=True)}

    def output_types(self, inputs: Inputs) -> Outputs:
        """Return the output types; every output may have a mask."""
        like, *given = (inputs[str(number)] for number in range(1 + len(self.outputs)))
        whole = like.mask if like.mask is not None and len(like.mask) == 1 else None
        masks = [whole if x.mask is None else (like.shape[0], *x.mask) for x in given]
        return {name: type_.masked(mask) for (name, type_), mask in zip(self.infer(inputs).items(), masks, strict=True)}


def steps_of(inputs: Inputs) -> int | Dim:
    """Return the number of time steps of all inputs.

    Raises:
        LayerError: If two inputs have different numbers.
    """
    first, *others = inputs.items()
    steps = first[1].shape[0]
    for port, x in others:
        if same_size(steps, x.shape[0]) is False:
            raise LayerError(
                f"inputs must have the same number of time steps, got {size_text(steps)} (`{first[0]}`) and "
                f"{size_text(x.shape[0])} (`{port}`)",
                help="declare the same number or symbol for both",
                port=port,
            )
    return steps
