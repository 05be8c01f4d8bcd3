"""A cell of any layers as one ``Scan``, whose body is the graph of a step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from nnspec.layers.rnn import RNN, Cell
from nnspec.onnx_backend.builder import Body, Builder
from nnspec.onnx_backend.call import Call
from nnspec.onnx_backend.layout import arrange, declared
from nnspec.onnx_backend.value import Value, time_first
from nnspec.types import TensorType


def run_cell(b: Builder, call: Call[RNN]) -> dict[str, Value]:
    """Write a recurrence; returns its outputs by name."""
    return _Loop(b, call).write()


@dataclass(frozen=True)
class _Loop:
    b: Builder
    call: Call[RNN]

    @property
    def layer(self) -> RNN:
        return self.call.layer

    @property
    def cell(self) -> Cell:
        return self.call.layer.typed

    @cached_property
    def sequences(self) -> dict[str, Value]:
        """The sequences, time first."""
        given = {name: self.call.inputs[name] for name in self.cell.sequences}
        return {name: arrange(self.b, x, time_first(x.type.rank)) for name, x in given.items()}

    @cached_property
    def constants(self) -> dict[str, Value]:
        found = {}
        for name in self.cell.constants:
            value = declared(self.b, self.call.inputs[name])
            kind = self.cell.steps.inputs[name]
            found[name] = Value.declared(value.name, kind, value.mask if kind.mask is not None else None)
        return found

    @cached_property
    def mask(self) -> str | None:
        """Whether each step is kept: batch, time; None if no sequence has a mask."""
        masks = [x.mask for x in self.sequences.values() if x.type.mask is not None and x.mask is not None]
        found = None
        for mask in masks:
            found = mask if found is None else self.b.op("And", found, mask)
        return found

    @cached_property
    def count(self) -> str | None:
        """The number of steps, int64: 1; None if it is known, and not 0."""
        first = next(iter(self.sequences.values()))
        return None if isinstance(first.type.shape[0], int) else self.b.op("Shape", first.name, start=0, end=1)

    def write(self) -> dict[str, Value]:
        b, layer, cell = self.b, self.layer, self.cell
        # The previous outputs are needed where a masked step repeats them, and at the end.
        carries = self.mask is not None or not layer.return_sequences
        start = [self._start(name) for name in cell.states]
        start += [self._zeros(type_) for type_ in cell.outputs.values()] if carries else []
        read = [x.name for x in self.sequences.values()]
        if self.mask is not None:
            read.append(b.op("Transpose", self.mask, perm=[1, 0]))
        read = [self._padded(x) for x in read]
        body = self._body(carries)
        written = len(cell.outputs) if layer.return_sequences else 0
        ends = b.ops(
            "Scan",
            [*start, *read],
            len(start) + written,
            bodies={"body": body},
            num_scan_inputs=len(read),
            scan_input_directions=[1] * len(read) if layer.go_backwards else None,
            scan_output_directions=[1] * written if layer.go_backwards and written else None,
        )
        ends, steps = ends[: len(start)], ends[len(start) :]
        if self.count is not None and self.mask is None:
            empty = b.op("Equal", self.count, b.ints([0], "none"))
            ends = [b.op("Where", empty, before, after) for before, after in zip(start, ends, strict=True)]
        if layer.return_sequences:
            found = {name: self._all_steps(name, x) for name, x in zip(cell.outputs, steps, strict=True)}
        else:
            last = ends[len(cell.states) :]
            found = {name: Value.declared(x, self.call.outputs[name]) for name, x in zip(cell.outputs, last, strict=True)}
        if layer.return_state:
            found |= {name: Value.declared(x, self.call.outputs[name]) for name, x in zip(cell.states, ends, strict=False)}
        return found

    def _all_steps(self, name: str, steps: str) -> Value:
        b, kind = self.b, self.call.outputs[name]
        if self.count is not None:
            steps = b.op("Slice", steps, b.ints([0], "from"), self.count, b.ints([0], "time"))
        if self.layer.go_backwards and not self.layer.keeps_order:
            bounds = (b.ints([value], hint) for value, hint in ((-1, "last"), (-(2**62), "first"), (0, "time"), (-1, "step")))
            steps = b.op("Slice", steps, *bounds)
        return Value(steps, kind, time_first(kind.rank), mask=self.mask if kind.mask is not None else None)

    # --- before the loop ------------------------------------------------------------------------------------------------

    def _start(self, name: str) -> str:
        """The value of a state before the first step."""
        if name in self.call.inputs:
            return declared(self.b, self.call.inputs[name]).name
        return self._zeros(self.cell.steps.inputs[name])

    def _zeros(self, type_: TensorType) -> str:
        """Zeros: batch, the sizes of a type."""
        b = self.b
        first = next(iter(self.sequences.values()))
        parts, numbers = [b.op("Shape", first.name, start=1, end=2)], list[int]()
        for size in (*type_.shape, None):
            if isinstance(size, int):
                numbers.append(size)
                continue
            if numbers:
                parts.append(b.ints(numbers, "sizes"))
                numbers = []
            if size is not None:
                parts.append(self._size(self.cell.terms(size)))
        dtype = np.dtype("bool" if type_.dtype == "bool" else "float32" if "float" in type_.dtype else type_.dtype)
        shape = parts[0] if len(parts) == 1 else b.op("Concat", *parts, axis=0)
        return b.op("ConstantOfShape", shape, value=np.zeros(1, dtype))

    def _size(self, terms: Any) -> str:
        """A size at run time, int64: 1.

        Args:
            terms: The size as JSON.
        """
        b, total = self.b, ""
        for factor, *atoms in terms:
            term = b.ints([factor], "factor") if factor != 1 or not atoms else ""
            for atom in atoms:
                if isinstance(atom, str):
                    value = self._axis(*self.cell.symbols()[atom])
                else:
                    value = b.op("Div", self._size(atom["floor"]), b.ints([atom["by"]], "divisor"))
                term = b.op("Mul", term, value) if term else value
            total = b.op("Add", total, term) if total else term
        return total

    def _axis(self, port: str, axis: int) -> str:
        """The size of an axis of an input at one step."""
        value = self.sequences[port] if port in self.sequences else self.constants[port]
        place = value.position(axis + (port in self.sequences))
        return self.b.op("Shape", value.name, start=place, end=place + 1)

    def _padded(self, x: str) -> str:
        """A sequence of at least one step: ONNX Runtime cannot run a ``Scan`` of none."""
        if self.count is None:
            return x
        b = self.b
        missing = b.op("Max", b.op("Sub", b.ints([1], "one"), self.count), b.ints([0], "none"))
        shape = b.op("Concat", missing, b.op("Shape", x, start=1), axis=0)
        return b.op("Concat", x, b.op("CastLike", b.op("ConstantOfShape", shape), x), axis=0)

    # --- the loop ---------------------------------------------------------------------------------------------------------

    def _body(self, carries: bool) -> Body:
        b, cell, layer = self.b, self.cell, self.layer
        states = {name: b.name(name) for name in cell.states}
        last = {name: b.name(f"last_{name}") for name in cell.outputs} if carries else {}
        at = {name: b.name(f"{name}_step") for name in cell.sequences}
        keep = b.name("keep") if self.mask is not None else ""
        constants = self.constants
        types = {name: _plain(type_) for name, type_ in {**cell.steps.inputs, **cell.steps.output_types}.items()}
        with b.body() as body:
            given = {name: Value.declared(at[name], types[name]) for name in cell.sequences}
            given |= {name: Value.declared(states[name], types[name]) for name in cell.states}
            assert self.call.body is not None
            made = {name: value.name for name, value in self.call.body(given | constants).items()}
            after = [made[name] for name in cell.states]
            outputs = [made[name] for name in cell.outputs]
            if keep:
                kept = _Kept(b, keep)
                after = [kept.where(x, states[name], types[name]) for x, name in zip(after, cell.states, strict=True)]
                zero = layer.zero_output_for_mask
                olds = [_zero(b, types[name]) if zero else last[name] for name in cell.outputs]
                outputs = [kept.where(x, old, types[n]) for x, old, n in zip(outputs, olds, cell.outputs, strict=True)]
        kinds = [types[name] for name in cell.states]
        body.inputs = list(zip(states.values(), kinds, strict=True))
        body.inputs += [(tensor, types[name]) for name, tensor in last.items()]
        body.inputs += [(tensor, types[name]) for name, tensor in at.items()]
        if keep:
            body.inputs.append((keep, TensorType((), "bool")))
        of_outputs = [types[name] for name in cell.outputs]
        body.outputs = list(zip(after, kinds, strict=True))
        for written in (carries, layer.return_sequences):
            body.outputs += zip(outputs, of_outputs, strict=True) if written else []
        return body


@dataclass(frozen=True)
class _Kept:
    """Which rows keep the result of a step.

    Attributes:
        b: The graph.
        name: The mask, boolean: batch.
    """

    b: Builder
    name: str

    def where(self, new: str, old: str, type_: TensorType) -> str:
        kept = self.name
        if type_.rank:
            axes = range(1, type_.rank + 1)
            kept = self.b.once(("kept", kept, type_.rank), lambda: self.b.op("Unsqueeze", self.name, self.b.ints(axes, "axes")))
        return self.b.op("Where", kept, new, old)


def _zero(b: Builder, type_: TensorType) -> str:
    return b.constant(0, "zero", np.float32 if "float" in type_.dtype else np.dtype(type_.dtype))


def _plain(type_: TensorType) -> TensorType:
    """The type of a tensor in the loop: floats are float32, as everywhere, and masks are tensors of their own."""
    return replace(type_, mask=None, dtype="float32" if "float" in type_.dtype else type_.dtype)
