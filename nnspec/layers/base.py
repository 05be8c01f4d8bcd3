"""What a layer is: its arguments, and every fact that follows from them, whatever runs it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from nnspec.layers.along_time import LOOKS_AROUND, AlongTime
from nnspec.layers.foreign import foreign_arguments
from nnspec.layers.unsupported import EVERYWHERE
from nnspec.types import Config, Dim, TensorType, Weight

__all__ = ["EVERYTHING", "Inputs", "Layer", "LayerError", "Outputs", "Ports", "Window", "single"]

Inputs = Mapping[str, TensorType]
"""The types that come in, by port. The ports of a merge are ``"0"``, ``"1"``, …"""

Outputs = dict[str, TensorType]
"""The types that go out, by output."""


class LayerError(Exception):
    """Inputs that a layer cannot take.

    Attributes:
        message: What does not fit, with the shapes.
        help: What would.
        argument: The argument at fault, where it is one: the error is shown there.
        port: The port at fault, where it is one.
    """

    def __init__(self, message: str, *, help: str = "", argument: str | None = None, port: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.argument = argument
        self.port = port


@dataclass(frozen=True)
class Ports:
    """What a layer takes.

    Attributes:
        required: Ports that must be fed; one name alone in ``from`` feeds the first.
        optional: Ports that may be fed.
        variadic: A merge: a list of at least two, with ports ``"0"``, ``"1"``, …
        one_feeds_all: Whether one name alone in ``from`` feeds every required port.
        counts_examples: Whether the input gives the number of examples alone; without ``from`` it is then the first input.
    """

    required: tuple[str, ...] = ("x",)
    optional: tuple[str, ...] = ()
    variadic: bool = False
    one_feeds_all: bool = False
    counts_examples: bool = False


@dataclass(frozen=True)
class Window:
    """What one output position of a layer sees of its input, along each spatial axis.

    Output position p sees the input from ``p * stride + start`` to ``p * stride + start + size - 1``. Both ends may be
    fractions where there are more outputs than inputs: it then sees the whole positions between them.

    Attributes:
        size: Input positions it spans, dilation counted.
        stride: Input positions between two neighbouring outputs; a fraction where there are more outputs than inputs.
        start: Where the window of output 0 begins, negative where it begins in the padding; by default 0. None on an axis
            where that depends on a symbol.
    """

    size: tuple[int | Fraction, ...]
    stride: tuple[int | Fraction, ...]
    start: tuple[int | Fraction | None, ...] = ()

    def __post_init__(self) -> None:
        if not self.start:
            object.__setattr__(self, "start", (0,) * len(self.size))


EVERYTHING = Window((), ())
"""The window of a layer each of whose outputs sees the whole input."""


_SHAPE_FREE = frozenset(
    {"activation", "recurrent_activation", "rate", "dropout", "recurrent_dropout", "epsilon", "momentum", "stddev", "seed"}
)


class Layer(Config):
    """One operation. A subclass is final; its docstring's first line is its documentation's.

    A subclass gives [`infer`][], and overrides the others where the default is not true of it. All are pure functions of
    the arguments and the input types; nothing is run.
    """

    unsupported: ClassVar[Mapping[str, str]] = EVERYWHERE

    ports: ClassVar[Ports] = Ports()
    passes_mask: ClassVar[bool] = False
    """Whether a mask that comes in goes out unchanged (Keras: ``supports_masking``)."""
    uses_mask: ClassVar[bool] = False
    """Whether a mask changes what it computes."""
    is_random: ClassVar[bool] = False
    """Whether it changes its input at random in training, and not at all otherwise."""

    @property
    def same_at_every_position(self) -> bool:
        """Whether it does to (…, features) at every position what it does to (features)."""
        return False

    @property
    def activation_name(self) -> str | None:
        """The activation its output comes from, ``linear`` where it has none by choice; None where that cannot be told."""
        if "activation" not in type(self).model_fields:
            return None
        given = getattr(self, "activation", None)
        return "linear" if given is None else given if isinstance(given, str) else None

    beyond_keras: ClassVar[frozenset[str]] = frozenset()
    """Arguments that Keras's layer of this name does not take when it is made."""

    call_arguments: ClassVar[frozenset[str]] = frozenset()
    """Arguments that Keras takes at each call: a use of the same layer by ``share`` may give others."""

    @property
    def at_call(self) -> dict[str, object]:
        """What it is called with, beside its inputs."""
        return {name: getattr(self, name) for name in sorted(self.call_arguments)}

    @classmethod
    def is_shape_free(cls, argument: str) -> bool:
        """Whether no type and no weight depends on an argument: checks of the graph are the same for any value of it."""
        return argument in _SHAPE_FREE or argument.endswith(("_initializer", "_regularizer", "_constraint"))

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        """PyTorch's names for its arguments, and its inputs, which are none, each with what to write instead."""
        ports = [port for port in (*cls.ports.required, *cls.ports.optional) if port not in cls.model_fields]
        inputs = dict.fromkeys(ports, cls.as_input()) if len(ports) > 1 else {}
        return inputs | foreign_arguments(frozenset(cls.model_fields))

    @classmethod
    def as_input(cls) -> str:
        """How its inputs are written, for one that was written as an argument."""
        ports = ", ".join(f"{port}: …" for port in (*cls.ports.required, *cls.ports.optional))
        return f"it is an input: write `from: {{{ports}}}` beside `{cls.__name__}`"

    def infer(self, inputs: Inputs) -> Outputs:
        """The output types, masks left to [`mask`][].

        Raises:
            LayerError: Where the inputs do not fit.
        """
        raise NotImplementedError

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        """The shape of the mask that goes out with the first output, or None.

        The default: the first input's mask if the layer passes masks, otherwise none.
        """
        return next(iter(inputs.values())).mask if self.passes_mask else None

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        """Pairs of sizes that must be equal for it to run: where that depends on symbols, it is a condition on them."""
        del inputs
        return ()

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        """What must be at least 1 for it to run, beside the sizes of its outputs: a condition on the symbols in it."""
        del inputs
        return ()

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        """Its weights, in Keras's order."""
        del inputs
        return ()

    def macs(self, inputs: Inputs) -> int | Dim:
        """Multiply–accumulates for one example; biases and activations are not counted."""
        del inputs
        return 0

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """What an output position sees of the input; None where it sees its own position alone."""
        del inputs
        return None

    def along_time(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> AlongTime:
        """What it does where its inputs run along the time of a sequence, the first axis after the batch.

        Args:
            inputs: Their types.
            fed: For each port, which tensor feeds it.
            along: The ports whose tensors run along the time; at least one.
        """
        del fed, along
        return AlongTime(obstacle=None if self.receptive_field(inputs) is None else LOOKS_AROUND)

    def owns(self, name: str, shape: tuple[int, ...], *, argument: str | None = None, trainable: bool = True) -> Weight:
        """A weight of this layer, started as its argument ``{argument}_initializer`` says.

        Args:
            name: The weight's name, ``kernel``.
            shape: Its sizes.
            argument: What its arguments begin with; the name, where they begin with that, and nothing where it is empty.
            trainable: False for statistics.

        Raises:
            LayerError: Where the initializer, regularizer or constraint given for it cannot take this shape.
        """
        prefix = f"{name if argument is None else argument}_".lstrip("_")
        for kind in ("initializer", "regularizer", "constraint"):
            given = getattr(self, f"{prefix}{kind}", None)
            reason = given.refuses(shape) if given is not None else None
            if reason:
                sizes = " × ".join(map(str, shape))
                raise LayerError(
                    f"`{type(given).__name__}` {reason}, and `{name}` here is {sizes}",
                    help=f"give `{prefix}{kind}` another {kind}",
                    argument=f"{prefix}{kind}",
                )
        return Weight(name, shape, trainable, getattr(self, f"{prefix}initializer"))

    def output_types(self, inputs: Inputs) -> Outputs:
        """[`infer`][] and [`mask`][] together."""
        outputs = self.infer(inputs)
        self._check_activity(outputs)
        mask = self.mask(inputs)
        if mask is not None:
            first = next(iter(outputs))
            outputs[first] = outputs[first].masked(mask)
        return outputs

    def _check_activity(self, outputs: Outputs) -> None:
        given = getattr(self, "activity_regularizer", None)
        if given is None:
            return
        for output in outputs.values():
            reason = given.refuses((1,) * (1 + output.rank))
            if reason:
                raise LayerError(
                    f"`{type(given).__name__}` {reason}, and the output here is a batch of {output}",
                    help="give `activity_regularizer` another regularizer",
                    argument="activity_regularizer",
                )


def single(shape: tuple[int | Dim, ...], dtype: str = "float32") -> Outputs:
    """The outputs of a layer that has one."""
    return {"output": TensorType(shape, dtype)}
