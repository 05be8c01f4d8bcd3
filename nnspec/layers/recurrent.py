"""Recurrent layers: a state is carried along the time axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.activation_names import ActivationName
from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, Fraction, PositiveInt, WholeNumber
from nnspec.layers.base import (
    EVERYTHING,
    Inputs,
    Layer,
    LayerError,
    Outputs,
    Ports,
    Window,
    known_size,
    require_axes,
    require_float,
)
from nnspec.types import Config, Dim, Family, Named, TensorType, Weight, same_size

__all__ = ["GRU", "LSTM", "RECURRENT", "Bidirectional", "Recurrent", "SimpleRNN"]

RECURRENT = Family(kind="recurrent layer", modules=dict.fromkeys(("GRU", "LSTM", "SimpleRNN"), __name__))
"""What Bidirectional wraps."""


class Recurrent(Layer):
    """What all recurrent layers share; one is made by its gates, its states and the sizes of its bias."""

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "stateful": "carry the state yourself: `return_state: true`, and feed it back in by `from: {x: …, state: …}`",
        "unroll": "whether the loop is unrolled is the backend's choice; leave it out",
        "use_cudnn": "which kernel runs is the backend's choice; leave it out",
        "implementation": "which kernel runs is the backend's choice; leave it out",
        "time_major": "time is the first axis after the batch; leave it out",
    }
    gates: ClassVar[int]
    states: ClassVar[tuple[str, ...]] = ("state",)

    units: PositiveInt = Field(description="Size of the state and of the output's last axis.")
    activation: ActivationName | None = Field("tanh", description="Applied to the candidate state; null: none.")
    use_bias: Flag = Field(True, description="Whether a bias is added.")
    kernel_initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="The kernel at first.")
    recurrent_initializer: AnyInitializer = Field(
        "orthogonal", validate_default=True, description="The recurrent kernel at first."
    )
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The bias at first.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel.")
    recurrent_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the recurrent kernel.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the bias.")
    activity_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the output.")
    kernel_constraint: AnyConstraint | None = Field(None, description="What the kernel is held to.")
    recurrent_constraint: AnyConstraint | None = Field(None, description="What the recurrent kernel is held to.")
    bias_constraint: AnyConstraint | None = Field(None, description="What the bias is held to.")
    dropout: Fraction = Field(0.0, description="The share of the input that is dropped in training.")
    recurrent_dropout: Fraction = Field(0.0, description="The share of the state that is dropped in training.")
    seed: WholeNumber | None = Field(None, description="Makes dropout repeatable; null: from the seed of the whole build.")
    return_sequences: Flag = Field(False, description="Whether the output has every step, or the last one alone.")
    return_state: Flag = Field(False, description="Whether the last state is an output too.")
    go_backwards: Flag = Field(False, description="Whether time runs backwards; the output then is in that order.")
    zero_output_for_mask: Flag = Field(
        False, description="Whether masked steps give 0; otherwise they repeat the step before. With `return_sequences` alone."
    )

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, "time", "features")
        require_float(self, x)
        known_size(self, x)
        check_mask(self, x)
        check_states(self, inputs, self.states, self.units)
        output = (x.shape[0], self.units) if self.return_sequences else (self.units,)
        shapes = {"output": output} | (dict.fromkeys(self.states, (self.units,)) if self.return_state else {})
        return {name: TensorType(shape) for name, shape in shapes.items()}

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["x"].mask if self.return_sequences else None

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        width = self.gates * self.units
        kernels = (
            self.owns("kernel", (known_size(self, inputs["x"]), width)),
            self.owns("recurrent_kernel", (self.units, width), argument="recurrent"),
        )
        return (*kernels, self.owns("bias", self.bias_shape)) if self.use_bias else kernels

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The sizes of the bias."""
        return (self.gates * self.units,)

    def macs(self, inputs: Inputs) -> int | Dim:
        x = inputs["x"]
        return x.shape[0] * (self.gates * self.units * (known_size(self, x) + self.units))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING


class SimpleRNN(Recurrent):
    """``state = activation(x · kernel + state · recurrent_kernel + bias)`` (Elman 1990)."""

    ports: ClassVar[Ports] = Ports(optional=("state",))
    gates: ClassVar[int] = 1


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014)."""

    ports: ClassVar[Ports] = Ports(optional=("state",))
    gates: ClassVar[int] = 3

    recurrent_activation: ActivationName | None = Field("sigmoid", description="Applied to the gates; null: none.")
    reset_after: Flag = Field(
        True, description="Whether the reset gate acts after the recurrent kernel (with a bias of its own) or before it."
    )

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

    ports: ClassVar[Ports] = Ports(optional=("state_h", "state_c"))
    gates: ClassVar[int] = 4
    states: ClassVar[tuple[str, ...]] = ("state_h", "state_c")

    recurrent_activation: ActivationName | None = Field("sigmoid", description="Applied to the gates; null: none.")
    unit_forget_bias: Flag = Field(True, description="Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015).")


_MergeMode = Literal["concat", "sum", "mul", "ave"]


class Bidirectional(Layer):
    """One recurrent layer forwards and one backwards in time, their outputs merged (Schuster and Paliwal 1997).

    Where it returns sequences, masked steps give 0 in each direction.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "weights": "write `weights: {file: …}` beside the operation",
    }
    ports: ClassVar[Ports] = Ports(
        optional=tuple(f"{way}_{state}" for way in ("forward", "backward") for state in ("state", "state_h", "state_c"))
    )
    main_argument: ClassVar[str | None] = None

    layer: Annotated[Config, Named(RECURRENT)] = Field(description="The recurrent layer that runs forwards.")
    merge_mode: _MergeMode | None = Field(
        "concat", description="How the two outputs become one; null: they stay two, `forward_output` and `backward_output`."
    )
    backward_layer: Annotated[Config, Named(RECURRENT)] | None = Field(
        None, description="The layer that runs backwards, with `go_backwards: true`; null: as `layer`, weights of its own."
    )

    @property
    def forward(self) -> Recurrent:
        """What runs forwards."""
        assert isinstance(self.layer, Recurrent)
        return self.layer

    @property
    def backward(self) -> Recurrent:
        """What runs backwards."""
        if self.backward_layer is None:
            return self.forward.model_copy(update={"go_backwards": True})
        assert isinstance(self.backward_layer, Recurrent)
        return self.backward_layer

    def infer(self, inputs: Inputs) -> Outputs:
        self._check_pair()
        forward, backward = self.forward, self.backward
        names = [f"{way}_{state}" for way in ("forward", "backward") for state in forward.states]
        check_states(self, inputs, tuple(names), forward.units)
        shape = forward.output_types({"x": inputs["x"]})["output"].shape
        backward.output_types({"x": inputs["x"]})
        if self.merge_mode is None:
            shapes = {"forward_output": shape, "backward_output": shape}
        else:
            shapes = {"output": (*shape[:-1], shape[-1] * (2 if self.merge_mode == "concat" else 1))}
        if forward.return_state:
            shapes |= dict.fromkeys(names, (forward.units,))
        return {name: TensorType(shape) for name, shape in shapes.items()}

    def _check_pair(self) -> None:
        forward, backward = self.forward, self.backward
        if forward.go_backwards:
            raise LayerError(
                "the layer that runs forwards says `go_backwards: true`",
                help="leave `go_backwards` out, and describe the backward one by `backward_layer`",
                argument="layer",
            )
        if not backward.go_backwards:
            raise LayerError(
                "the layer that runs backwards does not say so", help="give it `go_backwards: true`", argument="backward_layer"
            )
        if type(forward) is not type(backward):
            raise LayerError(
                f"the two directions are a {type(forward).__name__} and a {type(backward).__name__}",
                help="make both the same kind",
                argument="backward_layer",
            )
        for argument in ("units", "return_sequences", "return_state"):
            a, b = getattr(forward, argument), getattr(backward, argument)
            if a != b:
                raise LayerError(
                    f"the two directions differ in `{argument}`: {a} and {b}".lower(),
                    help="give both the same",
                    argument="backward_layer",
                )

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return self.forward.mask(inputs)

    def output_types(self, inputs: Inputs) -> Outputs:
        """With no merging, both directions carry the mask."""
        outputs = super().output_types(inputs)
        if self.merge_mode is None:
            outputs["backward_output"] = outputs["backward_output"].masked(self.mask(inputs))
        return outputs

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return tuple(
            Weight(f"{way}/{weight.name}", weight.shape, weight.trainable, weight.initializer)
            for way, layer in (("forward", self.forward), ("backward", self.backward))
            for weight in layer.weights(inputs)
        )

    def macs(self, inputs: Inputs) -> int | Dim:
        return self.forward.macs(inputs) + self.backward.macs(inputs)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING


def check_mask(layer: Layer, x: TensorType) -> None:
    """Refuses a mask that is not one flag for each step."""
    if x.mask is not None and len(x.mask) != 1:
        raise LayerError(
            f"{type(layer).__name__} takes a mask of one axis, time, got one of {len(x.mask)} axes with {x}",
            help="take `mask_zero` off the embedding, or bring the input to (time, features) before it is masked",
            port="x",
        )


def check_states(layer: Layer, inputs: Inputs, names: tuple[str, ...], units: int) -> None:
    """Refuses initial states that are not all there, or have another size than the layer's."""
    given = [port for port in inputs if port != "x"]
    for port in given:
        if port not in names:
            wanted = ", ".join(f"`{name}`" for name in names)
            raise LayerError(f"{type(layer).__name__} has no state `{port}` here", help=f"its states are {wanted}", port=port)
        state = inputs[port]
        require_float(layer, state, port)
        if state.rank != 1 or same_size(state.shape[0], units) is False:
            raise LayerError(
                f"the state `{port}` of {units} units has the shape ({units},), got {state}",
                help=f"give both layers the same `units`, or put `Dense: {{units: {units}}}` between them",
                port=port,
            )
    missing = [name for name in names if name not in given]
    if given and missing:
        raise LayerError(
            f"{type(layer).__name__} gets an initial `{given[0]}` but no `{missing[0]}`",
            help="feed all of its states, or none: " + ", ".join(f"`{name}: …`" for name in names),
            port=given[0],
        )
