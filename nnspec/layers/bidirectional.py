"""A recurrent layer in both directions of time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.along_time import LOOKS_AROUND, AlongTime
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window
from nnspec.layers.interfaces import MixesSteps
from nnspec.layers.recurrence import RECURRENT, Recurrent, check_states, state_sizes
from nnspec.types import Config, Dim, Named, TensorType, Weight

__all__ = ["Bidirectional"]

_MergeMode = Literal["concat", "sum", "mul", "ave"]


class Bidirectional(MixesSteps):
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
    uses_mask: ClassVar[bool] = True

    layer: Annotated[Config, Named(RECURRENT)] = Field(description="The recurrent layer that runs forwards.")
    merge_mode: _MergeMode | None = Field(
        "concat", description="How the two outputs become one; null: they stay two, `forward_output` and `backward_output`."
    )
    backward_layer: Annotated[Config, Named(RECURRENT)] | None = Field(
        None, description="The layer that runs backwards, with `go_backwards: true`; null: as `layer`, weights of its own."
    )

    @classmethod
    def as_input(cls) -> str:
        """The states of each direction, which depend on the layer that is wrapped."""
        return (
            "it is an input: write `from: {x: …, forward_state: …, backward_state: …}` beside `Bidirectional`; of an `LSTM` "
            "the states are `forward_state_h`, `forward_state_c`, `backward_state_h` and `backward_state_c`"
        )

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        return dict.fromkeys(("initial_state", "state", "states"), cls.as_input()) | dict(super().foreign())

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

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return state_sizes(inputs, self.forward.units)

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

    def along_time(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> AlongTime:
        del inputs, fed, along
        return AlongTime(sees_ahead=True, obstacle=LOOKS_AROUND)
