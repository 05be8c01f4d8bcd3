"""Cells of recurrences: their inputs, states and constants, and checks of their bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph import problems as g
from nnspec.graph.binding import bind_ports
from nnspec.graph.model import Graph, Node, Ref, every_node
from nnspec.layers.base import Layer, LayerError, Ports
from nnspec.spec import Network
from nnspec.spec.shapes import Input
from nnspec.spec.step import BothDirections, Content, Nested, NetworkUse, Recurrence
from nnspec.spec.tree import Tree
from nnspec.types import TensorType, closest, listed, same_size

if TYPE_CHECKING:
    from nnspec.layers.rnn import RNN, Cell

MERGES: Mapping[str, str] = {"concat": "Concatenate", "sum": "Add", "mul": "Multiply", "ave": "Average"}
"""The layer that merges the outputs of two directions, by `merge_mode`."""


def cell_inputs(cell: Content | None, networks: Mapping[str, Network]) -> tuple[str, ...]:
    """Return the names of a cell's inputs."""
    if isinstance(cell, Layer):
        return cell.ports.required
    if isinstance(cell, NetworkUse):
        return tuple(networks[cell.network].inputs)
    assert isinstance(cell, Nested)
    return cell.inputs


def _declared(cell: Content | None, networks: Mapping[str, Network]) -> Mapping[str, Input | None]:
    if isinstance(cell, NetworkUse):
        return networks[cell.network].inputs
    return cell.shapes if isinstance(cell, Nested) else {}


def state_names(cell: Content | None, networks: Mapping[str, Network]) -> tuple[str, ...]:
    """Return the inputs that are named like an output, as far as outputs are named."""
    from nnspec.layers.recurrent_cells import RecurrentCell

    if isinstance(cell, RecurrentCell):
        return cell.states
    outputs: Tree | None = None
    if isinstance(cell, NetworkUse):
        outputs = networks[cell.network].outputs
    elif isinstance(cell, Nested):
        outputs = cell.outputs
    values = None if outputs is None else outputs.plain()
    names = [str(name).replace(".", "_") for name in values] if isinstance(values, dict | list) else []
    return tuple(name for name in cell_inputs(cell, networks) if name in names)


def sequences_of(content: Recurrence, names: Sequence[str]) -> tuple[str, ...]:
    """Return the inputs that are read one step at a time.

    Raises:
        LayerError: If the cell has no such input.
    """
    for name in content.layer.sequences or ():
        if name not in names:
            near = closest(name, names)
            help = f"did you mean `{near}`?" if near else f"the inputs of `{content.cell.op}` are {listed(names)}"
            raise LayerError(f"the cell `{content.cell.op}` has no input `{name}`", help=help, argument="sequences")
    return tuple(content.layer.sequences or names[:1])


def recurrence_ports(content: Recurrence | BothDirections, networks: Mapping[str, Network]) -> Ports:
    """Return the ports of a recurrence: a cell's inputs. States are optional; which inputs are states is not yet known."""
    run = content if isinstance(content, Recurrence) else content.steps[0].content
    assert isinstance(run, Recurrence)
    names = cell_inputs(run.cell.content, networks)
    sequences = tuple(name for name in run.layer.sequences or () if name in names) or names[:1]
    others = tuple(name for name in names if name not in sequences)
    if isinstance(content, BothDirections):
        others = (*others, *(f"{step.name}_{name}" for step in content.steps for name in others))
    return Ports(sequences, others)


def check_sequence(layer: RNN, port: str, x: TensorType) -> TensorType:
    """Return the type of a sequence at one step.

    Raises:
        LayerError: If it has no time axis, or its mask has other axes.
    """
    from nnspec.layers.recurrence import check_mask
    from nnspec.layers.rnn import step_type

    if x.rank < 1:
        raise LayerError(f"RNN takes (time, …), at least one axis, as `{port}`, got {x}", port=port)
    check_mask(layer, x, port)
    return step_type(x)


def starts_of(
    cell: Content | None,
    op: str,
    missing: Sequence[str],
    given: Mapping[str, TensorType],
    networks: Mapping[str, Network],
) -> dict[str, TensorType] | None:
    """Return the types of the states that start from zeros; None if a declaration is invalid, which has been reported.

    Args:
        cell: The cell.
        op: Its name, for messages.
        missing: Inputs that are not fed.
        given: Types of the inputs that are fed, at one step.
        networks: Networks by name.

    Raises:
        LayerError: If an input that is not fed has no shape, or sizes that the others do not determine.
    """
    from nnspec.layers.recurrent_cells import RecurrentCell
    from nnspec.layers.rnn import unsized_error

    if not missing:
        return {}
    if isinstance(cell, RecurrentCell):
        return {name: cell.state_types()[name] for name in missing}
    declared = _declared(cell, networks)
    found = bind_ports(f"the cell `{op}`", declared, given)
    types: dict[str, TensorType] = {}
    for name in missing:
        own = declared.get(name)
        if own is None:
            if name in declared:
                return None
            help = f"write `from: {{…, {name}: …}}`; for a state that starts from zeros, declare its shape in `{op}`: "
            help += f"`inputs: {{x: null, {name}: [64]}}`"
            raise LayerError(f"the input `{name}` of the cell `{op}` is not fed", help=help)
        type_ = found.type_of(own.type)
        if type_ is None:
            size = next(size for size in own.type.shape if not isinstance(size, int) and str(size) not in found.sizes)
            raise unsized_error(name, size)
        types[name] = type_
    return types


def cell_of(content: Recurrence, body: Graph, fed: Mapping[str, Any]) -> Cell:
    """Return the cell of a typed body.

    Args:
        content: The recurrence.
        body: The graph of one step.
        fed: The ports that are fed.

    Raises:
        LayerError: If the inputs and outputs do not form a recurrence.
    """
    from nnspec.layers.rnn import Cell

    op, outputs = content.cell.op, body.output_types
    sequences = sequences_of(content, tuple(body.inputs))
    for name in sequences:
        if name in outputs:
            help = "rename the output, or choose other `sequences`"
            raise LayerError(f"`{name}` is a sequence, but the cell `{op}` also has an output `{name}`", help=help)
    states = tuple(name for name in body.inputs if name in outputs)
    for name in states:
        _check_state(name, op, body.inputs[name], outputs[name])
    for name in body.inputs:
        if name not in fed and name not in states:
            known = listed(outputs)
            help = f"write `from: {{…, {name}: …}}`; a state is also an output of the cell, whose outputs are {known}"
            raise LayerError(f"the input `{name}` of the cell `{op}` is not fed, and it is not a state", help=help)
    if len(states) == len(outputs):
        help = f"list one under another name, too: `outputs: {{output: {states[0]}, …}}`"
        raise LayerError(f"all outputs of the cell `{op}` are states, so `RNN` has no output", help=help)
    constants = tuple(name for name in body.inputs if name not in (*sequences, *states))
    return Cell(sequences, states, constants, body)


def with_built_in(layer: RNN, types: Mapping[str, TensorType], *, name: str = "rnn") -> RNN:
    """Return an `RNN` of a built-in cell with its body, without a document.

    Args:
        layer: The layer.
        types: The input types.
        name: The name of its node.

    Raises:
        LayerError: If the cell does not take the input.
    """
    from nnspec.layers.recurrent_cells import RecurrentCell
    from nnspec.layers.rnn import Cell

    cell = layer.cell
    assert isinstance(cell, RecurrentCell)
    inputs = {"x": check_sequence(layer, "x", types["x"]), **cell.state_types()}
    refs = {port: Ref(port) for port in inputs}
    outputs, at = cell.output_types(inputs), f"{name}/cell"
    node = Node(at, cell, refs, inputs, outputs, cell.weights(inputs), name, False, Span.whole(name), name)
    body = Graph(name, inputs, {at: node}, {output: Ref(at, output) for output in outputs})
    return layer.running(Cell(("x",), cell.states, (), body))


def _check_state(name: str, op: str, before: TensorType, after: TensorType) -> None:
    sizes = zip(before.shape, after.shape, strict=False)
    if before.rank == after.rank and before.dtype == after.dtype and all(same_size(a, b) is not False for a, b in sizes):
        return
    kinds = [f"{type_} of {type_.dtype}" if before.dtype != after.dtype else str(type_) for type_ in (before, after)]
    help = f"a state has the same type as the output of its name; rename the output if `{name}` is not a state"
    raise LayerError(f"the input `{name}` of the cell `{op}` is {kinds[0]}, but its output `{name}` is {kinds[1]}", help=help)


def check_body(cell: Cell, body: Graph) -> Iterator[Diagnostic]:
    """Yield diagnostics of layers that cannot run in a cell, or need not."""
    for node in body.every_node():
        if reason := _refusal(node.layer):
            yield g.NotInCell.at(node.span, node.path, help=reason[1], name=node.name, reason=reason[0])
    varying = {*cell.sequences, *cell.states}
    for node in body.nodes.values():
        read = () if node.layer.ports.counts_examples else node.inputs.values()
        if node.layer.is_random or any(ref.source in varying for ref in read):
            varying.add(node.name)
        elif any(each.macs() != 0 for each in every_node([node])):
            help = "compute it in a step before this one, and feed its output to the cell"
            yield g.ConstantInCell.at(node.span, node.path, help=help, name=node.name)


def _refusal(layer: Layer) -> tuple[str, str] | None:
    """Return why a layer cannot run in a cell, and what to do; None if it can."""
    from nnspec.layers.normalization import BatchNormalization
    from nnspec.layers.regularization import ActivityRegularization
    from nnspec.layers.spectral_normalization import SpectralNormalization
    from nnspec.layers.standardization import Normalization

    if isinstance(layer, BatchNormalization):
        return "its statistics would mix all steps", "use `LayerNormalization`"
    if isinstance(layer, SpectralNormalization):
        return "it updates its statistics at every step", "use a constraint, such as `kernel_constraint: MaxNorm`"
    if isinstance(layer, Normalization) and layer.adapts:
        return "its statistics are fitted before training", "normalize the sequence before the recurrence"
    if isinstance(layer, ActivityRegularization) or getattr(layer, "activity_regularizer", None) is not None:
        return "the penalty of each step is lost", "add the penalty to an output of the recurrence: `ActivityRegularization`"
    return None
