"""What recurrent layers share: a state is carried along the time axis."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar

from pydantic import Field

from nnspec.layers.activation_names import ActivationName
from nnspec.layers.along_time import AlongTime
from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, Fraction, PositiveInt, WholeNumber
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.interfaces import MixesSteps
from nnspec.types import Dim, Family, TensorType, Weight, same_size

__all__ = ["RECURRENT", "Recurrent", "check_states", "state_sizes"]

RECURRENT = Family(kind="recurrent layer", modules=dict.fromkeys(("GRU", "LSTM", "SimpleRNN"), "nnspec.layers.recurrent"))
"""What Bidirectional wraps."""


_STATES = ("initial_state", "initial_states", "state", "states", "hidden", "hidden_state", "h0", "c0", "hx", "cell_state")


class Recurrent(MixesSteps):
    """What all recurrent layers share; one is made by its gates, its states and the sizes of its bias."""

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "stateful": "carry the state yourself: `return_state: true`, and feed it back in by `from: {x: …, state: …}`",
        "unroll": "whether the loop is unrolled is the backend's choice; leave it out",
        "use_cudnn": "which kernel runs is the backend's choice; leave it out",
        "implementation": "which kernel runs is the backend's choice; leave it out",
        "time_major": "time is the first axis after the batch; leave it out",
    }
    uses_mask: ClassVar[bool] = True
    gates: ClassVar[int]
    states: ClassVar[tuple[str, ...]] = ("state",)

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        """Also what the first state is called in Keras and PyTorch: it is an input."""
        return dict.fromkeys(_STATES, cls.as_input()) | dict(super().foreign())

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

    @property
    def mixes_steps(self) -> bool:
        return not self.return_sequences or self.go_backwards

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

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return state_sizes(inputs, self.units)

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["x"].mask if self.return_sequences else None

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        width = self.gate_count * self.units
        kernels = (
            self.owns("kernel", (known_size(self, inputs["x"]), width)),
            self.owns("recurrent_kernel", (self.units, width), argument="recurrent"),
        )
        return (*kernels, self.owns("bias", self.bias_shape)) if self.use_bias else kernels

    @property
    def gate_count(self) -> int:
        """How many gates, the candidate counted, have weights of their own."""
        return self.gates

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The sizes of the bias."""
        return (self.gate_count * self.units,)

    def macs(self, inputs: Inputs) -> int | Dim:
        x = inputs["x"]
        return x.shape[0] * (self.gate_count * self.units * (known_size(self, x) + self.units))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING

    def along_time(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> AlongTime:
        del inputs, fed, along
        outputs = ("output",) if self.return_sequences else ()
        if self.go_backwards:
            return AlongTime(sees_ahead=True, obstacle=("runs backwards", "take `go_backwards` away"), outputs=outputs)
        return AlongTime(states=self.states, outputs=outputs)


def check_mask(layer: Layer, x: TensorType) -> None:
    """Refuses a mask that is not one flag for each step."""
    if x.mask is not None and len(x.mask) != 1:
        raise LayerError(
            f"{type(layer).__name__} takes a mask of one axis, time, got one of {len(x.mask)} axes with {x}",
            help="take `mask_zero` off the embedding, or bring the input to (time, features) before it is masked",
            port="x",
        )


def state_sizes(inputs: Inputs, units: int) -> tuple[tuple[int | Dim, int | Dim], ...]:
    """The size of each initial state, with the number of units that it must equal."""
    return tuple((state.shape[0], units) for port, state in inputs.items() if port != "x")


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
