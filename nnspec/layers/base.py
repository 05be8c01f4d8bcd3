"""The base class of layers: arguments and shape inference, independent of any backend."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from nnspec.layers.time_dependence import LOOKS_AROUND, TimeDependence
from nnspec.layers.unsupported import EVERYWHERE, foreign_arguments
from nnspec.types import Config, Dim, TensorType, Weight
from nnspec.types.activation_names import DISCONTINUOUS

Inputs = Mapping[str, TensorType]
"""The input types by port. The ports of a merge are ``"0"``, ``"1"``, …"""

Outputs = dict[str, TensorType]
"""The output types by name."""


class LayerError(Exception):
    """Invalid inputs or arguments of a layer.

    Attributes:
        message: The problem, with the shapes.
        help: How to fix it.
        argument: The argument that causes the error, if any; the error is shown there.
        port: The port that causes the error, if any.
        within: The first and last index of the characters of the argument that cause the error, if they are known.
    """

    def __init__(
        self,
        message: str,
        *,
        help: str = "",
        argument: str | None = None,
        port: str | None = None,
        within: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.argument = argument
        self.port = port
        self.within = within


@dataclass(frozen=True)
class Ports:
    """The input ports of a layer.

    Attributes:
        required: Required ports; a single name in ``from`` is connected to the first.
        optional: Optional ports.
        variadic: Whether it takes a list of at least two inputs, with the ports ``"0"``, ``"1"``, …
        one_feeds_all: Whether a single name in ``from`` is connected to every required port.
        counts_examples: Whether only the batch size of the input is used; the default input is then the network's first.
    """

    required: tuple[str, ...] = ("x",)
    optional: tuple[str, ...] = ()
    variadic: bool = False
    one_feeds_all: bool = False
    counts_examples: bool = False


@dataclass(frozen=True)
class Window:
    """The receptive field of one output position of a layer, along each spatial axis.

    Output position p depends on the input from ``p * stride + start`` to ``p * stride + start + size - 1``. If there are more
    outputs than inputs, both ends may be fractions; the field then consists of the integer positions between them.

    Attributes:
        size: Number of input positions it spans, including dilation.
        stride: Input positions between neighboring outputs; a fraction if there are more outputs than inputs.
        start: The first position of the window of output 0, negative if it is in the padding; 0 by default. None on an axis
            where it depends on a symbol.
    """

    size: tuple[int | Fraction, ...]
    stride: tuple[int | Fraction, ...]
    start: tuple[int | Fraction | None, ...] = ()

    def __post_init__(self) -> None:
        if not self.start:
            object.__setattr__(self, "start", (0,) * len(self.size))


EVERYTHING = Window((), ())
"""The receptive field of a layer whose outputs depend on the whole input."""


_SHAPE_FREE = frozenset(
    {"activation", "recurrent_activation", "rate", "dropout", "recurrent_dropout", "epsilon", "momentum", "stddev", "seed"}
)


class Layer(Config):
    """Base class of layers. The first line of a subclass's docstring is its documentation.

    A subclass implements [`infer`][] and overrides other methods whose defaults do not apply. All methods are pure functions
    of the arguments and the input types; none of them computes values.
    """

    unsupported: ClassVar[Mapping[str, str]] = EVERYWHERE

    ports: ClassVar[Ports] = Ports()
    passes_mask: ClassVar[bool] = False
    """Whether the input's mask is propagated unchanged (Keras: ``supports_masking``)."""
    uses_mask: ClassVar[bool] = False
    """Whether a mask changes the output."""
    is_random: ClassVar[bool] = False
    """Whether it changes its input randomly, and only in training."""
    newest_opset: ClassVar[int | None] = None
    """The newest ONNX opset in which ONNX Runtime 1.31 implements its operators on processors; None: every one."""

    @property
    def same_at_every_position(self) -> bool:
        """Whether it treats each position of (…, features) as it treats (features)."""
        return False

    @property
    def body(self) -> Any:
        """The graph that it runs at each step, which the graph package types; None if it runs none."""
        return None

    def body_runs(self, inputs: Inputs) -> int | Dim:
        """Return how many times it runs its `body`."""
        del inputs
        return 1

    def with_body(self, body: Any) -> Layer:
        """Return the layer with another graph in place of its `body`."""
        del body
        return self

    @property
    def activation_name(self) -> str | None:
        """The name of the output activation, ``linear`` if it is disabled; None if unknown."""
        if "activation" not in type(self).model_fields:
            return None
        given = getattr(self, "activation", None)
        return "linear" if given is None else given if isinstance(given, str) else None

    def uses_mask_of(self, port: str) -> bool:
        """Whether a mask of an input changes the output."""
        del port
        return self.uses_mask

    def drops_mask(self, inputs: Inputs, outputs: Mapping[str, TensorType]) -> bool:
        """Whether an input has a mask, which neither changes the outputs nor is passed on with one of them."""
        masked = any(type_.mask is not None for type_ in inputs.values())
        passed = any(type_.mask is not None for type_ in outputs.values())
        return masked and not passed and not self.uses_mask and not self.ports.counts_examples

    beyond_keras: ClassVar[frozenset[str]] = frozenset()
    """Arguments that the constructor of Keras's layer does not take."""

    derived: ClassVar[frozenset[str]] = frozenset()
    """Fields that a spec cannot write, because they follow from where the layer stands."""

    @classmethod
    def arguments(cls) -> list[str]:
        """Return the names of the arguments that a spec can write."""
        return [name for name in cls.model_fields if name not in cls.derived]

    @property
    def written(self) -> dict[str, Any]:
        """The arguments as a spec writes them, by name."""
        return {name: getattr(self, name) for name in self.arguments()}

    @property
    def expressions(self) -> Mapping[str, str]:
        """The tensor expressions that it computes, by result."""
        return {}

    call_arguments: ClassVar[frozenset[str]] = frozenset()
    """Arguments that Keras takes at each call; a shared use with ``share`` may override them."""

    @property
    def at_call(self) -> dict[str, object]:
        """The call arguments, besides the inputs."""
        return {name: getattr(self, name) for name in sorted(self.call_arguments)}

    @classmethod
    def is_shape_free(cls, argument: str) -> bool:
        """Whether no type and no weight depends on an argument, so that its value does not affect graph checks."""
        return argument in _SHAPE_FREE or argument.endswith(("_initializer", "_regularizer", "_constraint"))

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        """Return what to write instead of PyTorch's argument names, and of ports written as arguments."""
        ports = [port for port in (*cls.ports.required, *cls.ports.optional) if port not in cls.model_fields]
        inputs = dict.fromkeys(ports, cls.as_input()) if len(ports) > 1 else {}
        return inputs | foreign_arguments(frozenset(cls.model_fields))

    @classmethod
    def as_input(cls) -> str:
        """Return the help for an input that was written as an argument."""
        ports = ", ".join(f"{port}: …" for port in (*cls.ports.required, *cls.ports.optional))
        return f"it is an input: write `from: {{{ports}}}` next to `{cls.__name__}`"

    def infer(self, inputs: Inputs) -> Outputs:
        """Return the output types, without masks; see [`mask`][].

        Raises:
            LayerError: If the inputs are invalid.
        """
        raise NotImplementedError

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        """Return the shape of the first output's mask, or None.

        By default it is the first input's mask if ``passes_mask``, otherwise None.
        """
        return next(iter(inputs.values())).mask if self.passes_mask else None

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        """Return pairs of sizes that must be equal; if they contain symbols, this is a condition on the symbols."""
        del inputs
        return ()

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        """Return expressions that must be at least 1, besides the output sizes: a condition on their symbols."""
        del inputs
        return ()

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        """Return its weights, in Keras's order."""
        del inputs
        return ()

    def macs(self, inputs: Inputs) -> int | Dim:
        """Return the multiply–accumulates per example, without biases and activations."""
        del inputs
        return 0

    def is_discontinuous(self, inputs: Inputs) -> bool:
        """Whether a tiny change of its inputs can change an output by more than that."""
        del inputs
        return any(getattr(self, name, None) in DISCONTINUOUS for name in ("activation", "recurrent_activation"))

    def passes_gradient(self, port: str) -> bool:
        """Whether a gradient of its float outputs passes to an input."""
        del port
        return True

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Return the receptive field of an output position; None if it is only the same position."""
        del inputs
        return None

    def time_dependence(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> TimeDependence:
        """Return its behavior along the time axis, the first axis after the batch.

        Args:
            inputs: The input types.
            fed: The tensor connected to each port.
            along: The ports whose tensors have the time axis; at least one.
        """
        del fed, along
        if self.ports.counts_examples:
            return TimeDependence(outputs=())
        return TimeDependence(obstacle=None if self.receptive_field(inputs) is None else LOOKS_AROUND)

    def owns(self, name: str, shape: tuple[int, ...], *, argument: str | None = None, trainable: bool = True) -> Weight:
        """Return a weight of this layer, with the initializer in its argument ``{argument}_initializer``.

        Args:
            name: The name of the weight, such as ``kernel``.
            shape: The shape of the weight.
            argument: The prefix of the related arguments; by default the name. An empty string means no prefix.
            trainable: Whether training updates it; False for statistics.

        Raises:
            LayerError: If its initializer, regularizer or constraint does not support the shape.
        """
        prefix = f"{name if argument is None else argument}_".lstrip("_")
        for kind in ("initializer", "regularizer", "constraint"):
            given = getattr(self, f"{prefix}{kind}", None)
            reason = given.refuses(shape) if given is not None else None
            if reason:
                sizes = " × ".join(map(str, shape))
                raise LayerError(
                    f"`{type(given).__name__}` {reason}, but `{name}` has the shape {sizes}",
                    help=f"use another {kind} for `{prefix}{kind}`",
                    argument=f"{prefix}{kind}",
                )
        return Weight(name, shape, trainable, getattr(self, f"{prefix}initializer"))

    def output_types(self, inputs: Inputs) -> Outputs:
        """Return the output types with masks."""
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
                    f"`{type(given).__name__}` {reason}, but the output is a batch of {output}",
                    help="use another regularizer for `activity_regularizer`",
                    argument="activity_regularizer",
                )


def single(shape: tuple[int | Dim, ...], dtype: str = "float32") -> Outputs:
    """Return the outputs of a layer with a single output."""
    return {"output": TensorType(shape, dtype)}
