"""Recurrence of a cell: a block, a network or a built-in cell that runs at each step of a sequence."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Protocol, overload

from pydantic import Field, PrivateAttr

from nnspec.layers.arguments import Flag
from nnspec.layers.base import EVERYTHING, Inputs, LayerError, Outputs, Ports, Window
from nnspec.layers.interfaces import MixesSteps
from nnspec.layers.recurrence import BACKWARD, GO_BACKWARDS, RETURN_SEQUENCES, ZERO_OUTPUT_FOR_MASK, Recurrent, check_mask
from nnspec.layers.recurrent_cells import CELLS
from nnspec.layers.time_dependence import LOOKS_AROUND, TimeDependence
from nnspec.types import Config, Dim, Named, TensorType, same_size, size_text, symbols_of
from nnspec.types.dims import to_json

Size = tuple[str, int]
"""An axis of a port at one step; 0 is the batch."""


class Steps(Protocol):
    """The typed graph of one step of a cell."""

    @property
    def inputs(self) -> Mapping[str, TensorType]:
        """Input types by name."""

    @property
    def output_types(self) -> Mapping[str, TensorType]:
        """Output types by name."""

    @property
    def nodes(self) -> Mapping[str, Any]:
        """The nodes by name, each with a layer and its input types."""


@dataclass(frozen=True)
class Cell:
    """A cell with the types of one use.

    Attributes:
        sequences: The inputs that are read one step at a time.
        states: The inputs that are outputs of the step before.
        constants: The inputs that are equal at all steps.
        steps: The graph of one step; its inputs are all of these.
    """

    sequences: tuple[str, ...]
    states: tuple[str, ...]
    constants: tuple[str, ...]
    steps: Steps = field(compare=False, repr=False)

    @property
    def outputs(self) -> dict[str, TensorType]:
        """The outputs that are not states."""
        return {name: type_ for name, type_ in self.steps.output_types.items() if name not in self.states}

    @property
    def state_types(self) -> dict[str, TensorType]:
        return {name: self.steps.inputs[name] for name in self.states}

    def symbols(self) -> dict[str, Size]:
        """Return an axis with the value of each free size, among those of sequences and constants, by its text."""
        found: dict[str, Size] = {}
        for port in (*self.sequences, *self.constants):
            for axis, size in enumerate(self.steps.inputs[port].shape, 1):
                if isinstance(size, Dim):
                    found.setdefault(str(size), (port, axis))
        return found

    def terms(self, size: int | Dim) -> int | list[Any]:
        """Return a size as JSON, whose symbols are keys of `symbols`."""
        if isinstance(size, int):
            return size
        return [[1, str(size)]] if str(size) in self.symbols() else list(to_json(size))


def step_type(x: TensorType) -> TensorType:
    """Return the type of one step of a sequence."""
    return TensorType(x.shape[1:], x.dtype)


class _Ports:
    """The ports of an RNN, which are the inputs of its cell: states are optional."""

    @overload
    def __get__(self, layer: None, owner: type[RNN]) -> Ports: ...
    @overload
    def __get__(self, layer: RNN, owner: type[RNN]) -> Ports: ...
    def __get__(self, layer: RNN | None, owner: type[RNN]) -> Ports:
        cell = None if layer is None else layer.built
        return Ports() if cell is None else Ports((*cell.sequences, *cell.constants), cell.states)


class RNN(MixesSteps):
    """Runs a cell at each step of a sequence (Elman 1990): a block, a network, or `GRUCell`, `LSTMCell`, `SimpleRNNCell`.

    A cell input with an output of the same name and type is a state: the output is its value at the next step. `sequences` are
    read one step at a time; all other inputs are constants, the same at every step. The inputs of `RNN` have these names. A
    state starts from its input, else from zeros. Every output of the cell that is not a state is an output of `RNN`, and with
    `return_state` so are the final states. As in Keras, a masked step keeps the states and repeats the output of the step
    before. Random layers draw anew at each step.
    """

    ports: ClassVar[Ports] = _Ports()  # type: ignore[assignment]
    uses_mask: ClassVar[bool] = True
    main_argument: ClassVar[str | None] = "cell"
    beyond_keras: ClassVar[frozenset[str]] = frozenset({"sequences"})
    unsupported: ClassVar[Mapping[str, str]] = {
        **Recurrent.unsupported,
        "stateful": "pass the states explicitly: write `return_state: true`, and feed each state with `from: {x: …, h: …}`",
        "activity_regularizer": "write `ActivityRegularization` as the next step",
    }

    cell: Annotated[Config, Named(CELLS, own=True)] | None = Field(
        description="A block with its arguments, a network, or a built-in cell."
    )
    sequences: list[str] | None = Field(
        None, description="The inputs of the cell that are read one step at a time; null: its first."
    )
    return_sequences: Flag = RETURN_SEQUENCES
    return_state: Flag = Field(False, description="Whether the last states are also outputs, by name.")
    go_backwards: Flag = GO_BACKWARDS
    zero_output_for_mask: Flag = ZERO_OUTPUT_FOR_MASK

    _built: Cell | None = PrivateAttr(None)
    _keeps_order: bool = PrivateAttr(False)

    def running(self, cell: Cell, *, keeps_order: bool | None = None) -> RNN:
        """Return the layer with a typed cell.

        Args:
            cell: The cell.
            keeps_order: Whether outputs at all steps are in the order of time also if `go_backwards`; by default unchanged.
        """
        found = self.model_copy()
        found._built = cell
        found._keeps_order = self._keeps_order if keeps_order is None else keeps_order
        return found

    @property
    def built(self) -> Cell | None:
        """The typed cell; None before the graph is built."""
        return self._built

    @property
    def typed(self) -> Cell:
        """The typed cell of a layer in a graph."""
        assert self._built is not None, "the graph builder types the cell"
        return self._built

    @property
    def keeps_order(self) -> bool:
        """Whether outputs at all steps are in the order of time also if `go_backwards`, as in `Bidirectional`."""
        return self._keeps_order

    @property
    def body(self) -> Any:
        return None if self._built is None else self._built.steps

    def body_runs(self, inputs: Inputs) -> int | Dim:
        return inputs[self.typed.sequences[0]].shape[0]

    def with_body(self, body: Any) -> RNN:
        cell = self.typed
        return self.running(Cell(cell.sequences, cell.states, cell.constants, body))

    def uses_mask_of(self, port: str) -> bool:
        return port not in self.typed.states

    @property
    def mixes_steps(self) -> bool:
        return not self.return_sequences or self.go_backwards

    def infer(self, inputs: Inputs) -> Outputs:
        cell = self.typed
        self._check_inputs(inputs)
        steps = inputs[cell.sequences[0]].shape[0]
        found = {
            name: TensorType((steps, *type_.shape) if self.return_sequences else type_.shape, type_.dtype)
            for name, type_ in cell.outputs.items()
        }
        return found | (cell.state_types if self.return_state else {})

    def _check_inputs(self, inputs: Inputs) -> None:
        """Check inputs against those for which the cell was built, which another use with `share` may not match."""
        cell = self.typed
        for port, wanted in cell.steps.inputs.items():
            if port not in inputs:
                if port not in cell.states:
                    raise LayerError(f"the input `{port}` of the cell is missing", help=f"write `from: {{…, {port}: …}}`")
                continue
            given = inputs[port]
            if port in cell.sequences:
                check_mask(self, given, port)
                given = step_type(given)
            elif port in cell.states:
                given = given.masked(None)
            sizes = zip(wanted.shape, given.shape, strict=False)
            if wanted.rank != given.rank or any(same_size(a, b) is False for a, b in sizes):
                raise LayerError(f"the cell takes {wanted} as `{port}`, got {given}", port=port)
            if wanted.dtype != given.dtype or (wanted.mask is None) is not (given.mask is None):
                both = [f"{kind.dtype}{' with a mask' if kind.mask is not None else ''}" for kind in (wanted, given)]
                raise LayerError(f"the cell takes {both[0]} as `{port}`, got {both[1]}", port=port)
        first, *others = cell.sequences
        for port in others:
            steps = inputs[first].shape[0], inputs[port].shape[0]
            if same_size(*steps) is False:
                reason = f"`{first}` has {size_text(steps[0])} steps, but `{port}` has {size_text(steps[1])}"
                help = "crop or pad one of them; an input that is not in `sequences` is the same at every step"
                raise LayerError(reason, help=help, port=port)

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        cell = self.typed
        types = {port: step_type(type_) if port in cell.sequences else type_ for port, type_ in inputs.items()}
        built = cell.steps.inputs
        of_inputs = ((a, b) for port in types for a, b in zip(built[port].shape, types[port].shape, strict=True))
        first, *others = (inputs[port].shape[0] for port in cell.sequences)
        after = cell.steps.output_types
        of_states = ((a, b) for name in cell.states for a, b in zip(built[name].shape, after[name].shape, strict=True))
        return (*((first, other) for other in others), *of_inputs, *of_states)

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        masks = [inputs[port].mask for port in self.typed.sequences]
        return next((mask for mask in masks if mask is not None), None) if self.return_sequences else None

    def output_types(self, inputs: Inputs) -> Outputs:
        """Return the output types; every output that is not a state has the mask of the steps."""
        outputs, mask = self.infer(inputs), self.mask(inputs)
        return {name: type_ if name in self.typed.states else type_.masked(mask) for name, type_ in outputs.items()}

    def is_discontinuous(self, inputs: Inputs) -> bool:
        del inputs
        return any(node.layer.is_discontinuous(node.input_types) for node in self.typed.steps.nodes.values())

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING

    def time_dependence(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> TimeDependence:
        del inputs, fed
        cell = self.typed
        outputs = tuple(cell.outputs) if self.return_sequences else ()
        if along & {*cell.constants}:
            return TimeDependence(sees_ahead=True, obstacle=LOOKS_AROUND, outputs=outputs)
        if self.go_backwards:
            return TimeDependence(sees_ahead=True, obstacle=BACKWARD, outputs=outputs)
        return TimeDependence(states=cell.states, outputs=outputs)

    def unsized(self) -> tuple[str, int | Dim] | None:
        """Return a state or output with a size that no size of an input determines, and that size; None if there is none.

        Such a state cannot start from zeros.
        """
        cell = self.typed
        known = cell.symbols()
        needed = [*cell.state_types.items(), *cell.outputs.items()]
        for name, type_ in needed:
            for size in type_.shape:
                if str(size) not in known and isinstance(size, Dim) and symbols_of(size) - known.keys():
                    return name, size
        return None


def unsized_error(name: str, size: int | Dim) -> LayerError:
    """Return the error of a size that no input determines."""
    help = (
        f"feed `{name}` with `from`, or declare it with numbers or with symbols of other inputs: `h: [H, W, 8]`, `x: [H, W, C]`"
    )
    return LayerError(f"the size `{size_text(size)}` of `{name}` is not determined by the other inputs of the cell", help=help)
