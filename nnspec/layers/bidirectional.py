"""Bidirectional recurrent layers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window
from nnspec.layers.interfaces import MixesSteps
from nnspec.layers.recurrence import RECURRENT, Recurrent, check_states, state_sizes
from nnspec.layers.time_dependence import LOOKS_AROUND, TimeDependence
from nnspec.types import Config, Dim, Named, TensorType, Weight

MergeMode = Literal["concat", "sum", "mul", "ave"]


class Bidirectional(MixesSteps):
    """Runs one recurrent layer forward and one backward in time and merges the outputs (Schuster and Paliwal 1997).

    If it returns sequences, the output at masked steps is 0 in each direction.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "weights": "write `weights: {file: …}` next to the operation",
    }
    ports: ClassVar[Ports] = Ports(
        optional=tuple(f"{way}_{state}" for way in ("forward", "backward") for state in ("state", "state_h", "state_c"))
    )
    main_argument: ClassVar[str | None] = None
    uses_mask: ClassVar[bool] = True

    layer: Annotated[Config, Named(RECURRENT)] = Field(description="The forward recurrent layer.")
    merge_mode: MergeMode | None = Field(
        "concat", description="How to merge the two outputs; null: return both, as `forward_output` and `backward_output`."
    )
    backward_layer: Annotated[Config, Named(RECURRENT)] | None = Field(
        None, description="The backward layer, with `go_backwards: true`; null: a copy of `layer` with its own weights."
    )

    @classmethod
    def as_input(cls) -> str:
        """Return the help for a state written as an argument; the ports depend on the wrapped layer."""
        return (
            "it is an input: write `from: {x: …, forward_state: …, backward_state: …}` next to `Bidirectional`; for an `LSTM` "
            "the states are `forward_state_h`, `forward_state_c`, `backward_state_h` and `backward_state_c`"
        )

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        return dict.fromkeys(("initial_state", "state", "states"), cls.as_input()) | dict(super().foreign())

    @property
    def forward(self) -> Recurrent:
        """The forward layer."""
        assert isinstance(self.layer, Recurrent)
        return self.layer

    @property
    def backward(self) -> Recurrent:
        """The backward layer."""
        if self.backward_layer is None:
            return self.forward.model_copy(update={"go_backwards": True})
        assert isinstance(self.backward_layer, Recurrent)
        return self.backward_layer

    def uses_mask_of(self, port: str) -> bool:
        return port not in self.ports.optional

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

    def is_discontinuous(self, inputs: Inputs) -> bool:
        return any(layer.is_discontinuous(inputs) for layer in (self.forward, self.backward))

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return state_sizes(inputs, self.forward.units)

    def _check_pair(self) -> None:
        forward, backward = self.forward, self.backward
        if forward.go_backwards:
            raise LayerError(
                "the forward layer has `go_backwards: true`",
                help="remove `go_backwards`; write the backward layer under `backward_layer`",
                argument="layer",
            )
        if not backward.go_backwards:
            raise LayerError(
                "the backward layer does not have `go_backwards: true`",
                help="write `go_backwards: true`",
                argument="backward_layer",
            )
        if type(forward) is not type(backward):
            raise LayerError(
                f"`layer` is a {type(forward).__name__} but `backward_layer` is a {type(backward).__name__}",
                help="use the same kind of layer for both",
                argument="backward_layer",
            )
        for argument in ("units", "return_sequences", "return_state"):
            a, b = getattr(forward, argument), getattr(backward, argument)
            if a != b:
                raise LayerError(
                    f"`layer` and `backward_layer` differ in `{argument}`: {a} and {b}".lower(),
                    help=f"use the same `{argument}` for both",
                    argument="backward_layer",
                )

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return self.forward.mask(inputs)

    def output_types(self, inputs: Inputs) -> Outputs:
        """Without merging, both outputs have the mask."""
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

    def time_dependence(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> TimeDependence:
        del inputs, fed, along
        return TimeDependence(sees_ahead=True, obstacle=LOOKS_AROUND)
