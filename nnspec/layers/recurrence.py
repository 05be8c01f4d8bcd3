"""Base classes of recurrent layers and cells."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, Fraction, PositiveInt, WholeNumber
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.interfaces import MixesSteps
from nnspec.layers.time_dependence import TimeDependence
from nnspec.types import Dim, Family, TensorType, Weight, same_size
from nnspec.types.activation_names import ActivationName

RECURRENT = Family(
    kind="recurrent layer",
    modules={**dict.fromkeys(("GRU", "LSTM", "SimpleRNN"), "nnspec.layers.recurrent"), "RNN": "nnspec.layers.rnn"},
)
"""The layers that Bidirectional can wrap."""


RETURN_SEQUENCES = Field(False, description="Whether to return the outputs of all steps or only of the last.")
GO_BACKWARDS = Field(False, description="Whether to process time in reverse; the output is then reversed, too.")
ZERO_OUTPUT_FOR_MASK = Field(
    False, description="Whether masked steps return 0; otherwise they repeat the step before. Needs `return_sequences`."
)

BACKWARD = "runs backward in time", "remove `go_backwards`"
"""Why a layer cannot run token by token."""

_STATES = ("initial_state", "initial_states", "state", "states", "hidden", "hidden_state", "h0", "c0", "hx", "cell_state")


class RecurrentStep(Layer):
    """The arguments and weights of one step of a recurrence."""

    gates: ClassVar[int]
    states: ClassVar[tuple[str, ...]] = ("state",)
    main_argument: ClassVar[str | None] = "units"

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        """Return also the names of states in Keras and PyTorch, which are inputs here."""
        return dict.fromkeys(_STATES, cls.as_input()) | dict(super().foreign())

    units: PositiveInt = Field(description="Size of the state and of the output's last axis.")
    activation: ActivationName | None = Field("tanh", description="Applied to the candidate state; null: none.")
    use_bias: Flag = Field(True, description="Whether a bias is added.")
    kernel_initializer: AnyInitializer = Field(
        "glorot_uniform", validate_default=True, description="Initializer of the kernel."
    )
    recurrent_initializer: AnyInitializer = Field(
        "orthogonal", validate_default=True, description="Initializer of the recurrent kernel."
    )
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="Initializer of the bias.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel.")
    recurrent_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the recurrent kernel.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the bias.")
    kernel_constraint: AnyConstraint | None = Field(None, description="Constraint on the kernel.")
    recurrent_constraint: AnyConstraint | None = Field(None, description="Constraint on the recurrent kernel.")
    bias_constraint: AnyConstraint | None = Field(None, description="Constraint on the bias.")
    dropout: Fraction = Field(0.0, description="The fraction of the input that is dropped in training.")
    recurrent_dropout: Fraction = Field(0.0, description="The fraction of the state that is dropped in training.")
    seed: WholeNumber | None = Field(None, description="Seed of the dropout; null: derived from the seed of the build.")

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return state_sizes(inputs, self.units)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        width = self.gate_count * self.units
        kernels = (
            self.owns("kernel", (known_size(self, inputs["x"]), width)),
            self.owns("recurrent_kernel", (self.units, width), argument="recurrent"),
        )
        return (*kernels, self.owns("bias", self.bias_shape)) if self.use_bias else kernels

    @property
    def gate_count(self) -> int:
        """The number of gates with weights, including the candidate."""
        return self.gates

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the bias."""
        return (self.gate_count * self.units,)

    def step_macs(self, x: TensorType) -> int:
        """Return the multiply–accumulates of one step."""
        return self.gate_count * self.units * (known_size(self, x) + self.units)


class Recurrent(RecurrentStep, MixesSteps):
    """Base class of recurrent layers."""

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "stateful": "pass the state explicitly: write `return_state: true` and `from: {x: …, state: …}`",
        "unroll": "the backend decides whether to unroll the loop; remove it",
        "use_cudnn": "the backend chooses the kernel; remove it",
        "implementation": "the backend chooses the kernel; remove it",
        "time_major": "time is always the first axis after the batch; remove it",
    }
    uses_mask: ClassVar[bool] = True

    activity_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the output.")
    return_sequences: Flag = RETURN_SEQUENCES
    return_state: Flag = Field(False, description="Whether the last state is also an output.")
    go_backwards: Flag = GO_BACKWARDS
    zero_output_for_mask: Flag = ZERO_OUTPUT_FOR_MASK

    def uses_mask_of(self, port: str) -> bool:
        return port not in self.states

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

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["x"].mask if self.return_sequences else None

    def macs(self, inputs: Inputs) -> int | Dim:
        return inputs["x"].shape[0] * self.step_macs(inputs["x"])

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING

    def time_dependence(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> TimeDependence:
        del inputs, fed, along
        outputs = ("output",) if self.return_sequences else ()
        if self.go_backwards:
            return TimeDependence(sees_ahead=True, obstacle=BACKWARD, outputs=outputs)
        return TimeDependence(states=self.states, outputs=outputs)


def check_mask(layer: Layer, x: TensorType, port: str = "x") -> None:
    """Check that a mask has one value per step."""
    if x.mask is not None and len(x.mask) != 1:
        raise LayerError(
            f"{type(layer).__name__} takes a mask of one axis, time, got a mask of {len(x.mask)} axes with {x}",
            help="remove `mask_zero` from the embedding, or reshape the input to (time, features) before masking",
            port=port,
        )


def state_sizes(inputs: Inputs, units: int) -> tuple[tuple[int | Dim, int | Dim], ...]:
    """Return the size of each initial state with the number of units it must equal."""
    return tuple((state.shape[0], units) for port, state in inputs.items() if port != "x")


def check_states(layer: Layer, inputs: Inputs, names: tuple[str, ...], units: int) -> None:
    """Check that all initial states are connected and have the right size."""
    given = [port for port in inputs if port != "x"]
    for port in given:
        if port not in names:
            wanted = ", ".join(f"`{name}`" for name in names)
            raise LayerError(f"{type(layer).__name__} has no state `{port}`", help=f"its states are {wanted}", port=port)
        state = inputs[port]
        require_float(layer, state, port)
        if state.rank != 1 or same_size(state.shape[0], units) is False:
            raise LayerError(
                f"the state `{port}` must have the shape ({units},), got {state}",
                help=f"use the same `units` in both layers, or put `Dense: {{units: {units}}}` between them",
                port=port,
            )
    missing = [name for name in names if name not in given]
    if given and missing:
        raise LayerError(
            f"{type(layer).__name__} got an initial `{given[0]}` but no `{missing[0]}`",
            help="connect all of its states, or none: " + ", ".join(f"`{name}: …`" for name in names),
            port=given[0],
        )
