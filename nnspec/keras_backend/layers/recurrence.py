"""A cell, as a Keras model, that runs at each step of a sequence, and the built-in cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from nnspec.keras_backend.layers.loops import LOOPS
from nnspec.keras_backend.layers.recurrent import GatedLSTMCell


class _DrawsAnew(keras.layers.Layer):  # type: ignore[misc]
    """A Keras cell as a layer of ``[x, state, …]`` that returns ``[output, state, …]``; its dropout draws at each call."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        x, *states = inputs
        self.reset_dropout_mask()
        self.reset_recurrent_dropout_mask()
        output, states = super().call(x, states, training=training)
        self.reset_dropout_mask()
        self.reset_recurrent_dropout_mask()
        return [output, *(states if isinstance(states, (list, tuple)) else [states])]

    def build(self, input_shape: Any) -> None:
        super().build(input_shape[0])

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        del training
        x, *states = inputs
        kinds = [keras.KerasTensor((x.shape[0], self.units), dtype=self.compute_dtype) for _ in states]
        return [keras.KerasTensor((x.shape[0], self.units), dtype=self.compute_dtype), *kinds]


@keras.saving.register_keras_serializable("nnspec")
class GRUStep(_DrawsAnew, keras.layers.GRUCell):  # type: ignore[misc]
    """One step of ``GRU``."""


@keras.saving.register_keras_serializable("nnspec")
class LSTMStep(_DrawsAnew, GatedLSTMCell):  # type: ignore[misc]
    """One step of ``LSTM``."""


@keras.saving.register_keras_serializable("nnspec")
class SimpleRNNStep(_DrawsAnew, keras.layers.SimpleRNNCell):  # type: ignore[misc]
    """One step of ``SimpleRNN``."""


CELLS: Mapping[str, Any] = {"GRUCell": GRUStep, "LSTMCell": LSTMStep, "SimpleRNNCell": SimpleRNNStep}
"""The built-in cells by the names of their layers."""


@keras.saving.register_keras_serializable("nnspec")
class Recurrence(keras.layers.Layer):  # type: ignore[misc]
    """Runs a model at each step of sequences, in one loop of the backend.

    ``keras.layers.RNN`` cannot run a model as its cell: dropout inside draws once or fails, depending on the backend.

    Args:
        cell: Model from a dict of the inputs at one step, with ``NAME_mask`` for a mask, to a dict of outputs.
        given: Names of the inputs that are fed, in the order of the tensors: all but states that start from zeros.
        sequences: Inputs that are read one step at a time.
        states: Inputs that are outputs of the step before.
        sizes: Shape of each state and output at one step, without the batch; a size is a number or ``dims.to_json`` of it.
        symbols: Input and axis that has the value of each symbol in ``sizes``.
        return_sequences: Whether outputs are returned at all steps.
        return_state: Whether the last states are returned, after the outputs.
        go_backwards: Whether steps run from the last to the first.
        keeps_order: Whether outputs at all steps are in the order of the inputs if ``go_backwards``.
        zero_output_for_mask: Whether masked steps return 0 instead of the previous output.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(
        self,
        cell: keras.Model,
        given: Sequence[str],
        sequences: Sequence[str],
        states: Sequence[str],
        sizes: Mapping[str, Any],
        symbols: Mapping[str, Any],
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        keeps_order: bool = False,
        zero_output_for_mask: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.cell = cell
        self.given, self.sequences, self.states = list(given), list(sequences), list(states)
        self.sizes = {name: list(shape) for name, shape in sizes.items()}
        self.symbols = {name: list(axis) for name, axis in symbols.items()}
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.keeps_order = go_backwards, keeps_order
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.outputs = [name for name in cell.output if name not in self.states]

    def build(self, input_shape: Any) -> None:
        del input_shape

    def get_config(self) -> dict[str, Any]:
        names = ("given", "sequences", "states", "sizes", "symbols", "return_sequences", "return_state", "go_backwards")
        config = {name: getattr(self, name) for name in (*names, "keeps_order", "zero_output_for_mask")}
        return {**super().get_config(), **config, "cell": keras.saving.serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: Any) -> Recurrence:
        config["cell"] = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**config)

    def compute_output_spec(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        del mask, training
        tensors = dict(zip(self.given, _listed(inputs), strict=True))
        batch, steps = tensors[self.sequences[0]].shape[:2]
        found = []
        for name in self.outputs:
            at_step = self.cell.output[name]
            time = (steps,) if self.return_sequences else ()
            found.append(keras.KerasTensor((batch, *time, *at_step.shape[1:]), dtype=at_step.dtype))
        if self.return_state:
            found += [keras.KerasTensor((batch, *self.cell.output[s].shape[1:]), dtype=self._dtype_of(s)) for s in self.states]
        return found

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        mask = self._mask(inputs, previous_mask)
        of_outputs = [mask if self.return_sequences else None] * len(self.outputs)
        return of_outputs + [None] * (len(self.states) if self.return_state else 0)

    def _mask(self, inputs: Any, masks: Any) -> Any:
        """The steps at which no sequence is masked; None if none has a mask."""
        given = dict(zip(self.given, _listed(masks) if masks is not None else [None] * len(self.given), strict=True))
        found = None
        for name in self.sequences:
            if (own := given[name]) is not None:
                found = own if found is None else ops.logical_and(found, own)
        return found

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        # The cell takes masks as inputs, not attached to tensors: copies have none.
        tensors = dict(zip(self.given, map(ops.copy, _listed(inputs)), strict=True))
        masks = dict(zip(self.given, _listed(mask) if mask is not None else [None] * len(self.given), strict=True))
        constants = {name: t for name, t in tensors.items() if name not in (*self.sequences, *self.states)}
        constants |= {f"{name}_mask": masks[name] for name in [*constants] if f"{name}_mask" in self.cell.input}
        sequences = [ops.swapaxes(tensors[name], 0, 1) for name in self.sequences]
        kept = self._mask(inputs, mask)
        if kept is not None:
            sequences.append(ops.swapaxes(kept, 0, 1))
        zero = self._zeros(tensors)
        states = [ops.cast(tensors[name], self._dtype_of(name)) if name in tensors else zero(name) for name in self.states]
        # The previous outputs are needed where a masked step repeats them, and at the end.
        carries = kept is not None or not self.return_sequences
        last = [zero(name) for name in self.outputs] if carries else []

        def step(at: Sequence[Any], states: Sequence[Any], last: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
            given = dict(zip(self.sequences, at, strict=False)) | dict(zip(self.states, states, strict=True)) | constants
            made = self.cell({name: given[name] for name in self.cell.input}, training=training)
            made = {name: ops.copy(value) for name, value in made.items()}  # a mask in the cell is not one of the outputs
            after = [ops.cast(made[name], state.dtype) for name, state in zip(self.states, states, strict=True)]
            outputs = [made[name] for name in self.outputs]
            if kept is not None:
                after = [_where(at[-1], new, old) for new, old in zip(after, states, strict=True)]
                before = [ops.zeros_like(old) for old in last] if self.zero_output_for_mask else last
                outputs = [_where(at[-1], new, old) for new, old in zip(outputs, before, strict=True)]
            return after, outputs if carries else [], outputs if self.return_sequences else []

        run = LOOPS.get(keras.backend.backend())
        if run is None:
            raise NotImplementedError(f"RNN runs on {' and '.join(LOOPS)}, not on the backend {keras.backend.backend()}")
        states, last, found = run(self, step, sequences, states, last)
        if self.return_sequences:
            results = [ops.swapaxes(steps, 0, 1) for steps in found]
            if self.go_backwards and not self.keeps_order:
                results = [ops.flip(steps, 1) for steps in results]
        else:
            results = list(last)
        return results + (list(states) if self.return_state else [])

    def _dtype_of(self, state: str) -> Any:
        given = keras.backend.standardize_dtype(self.cell.input[state].dtype)
        return self.compute_dtype if "float" in given else given

    def _zeros(self, tensors: Mapping[str, Any]) -> Any:
        """A function that returns the zeros from which a state or an output starts."""
        batch = ops.shape(tensors[self.sequences[0]])[0]
        values = {}
        for symbol, (port, axis) in self.symbols.items():
            values[symbol] = ops.shape(tensors[port])[axis + (port in self.sequences)]

        def zeros(name: str) -> Any:
            shape = [batch, *(size if isinstance(size, int) else _evaluated(size, values) for size in self.sizes[name])]
            dtype = self._dtype_of(name) if name in self.states else self.cell.output[name].dtype
            return ops.zeros(shape, dtype=dtype)

        return zeros


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _where(kept: Any, new: Any, old: Any) -> Any:
    """The new value in rows that are kept."""
    return ops.where(ops.reshape(kept, (-1, *[1] * (len(new.shape) - 1))), new, old)


def _evaluated(size: Any, values: Mapping[str, Any]) -> Any:
    """A size written as by ``nnspec.types.dims.to_json``, with the values of its symbols."""
    total: Any = 0
    for factor, *atoms in size:
        term: Any = factor
        for atom in atoms:
            term = term * (values[atom] if isinstance(atom, str) else _evaluated(atom["floor"], values) // atom["by"])
        total = total + term
    return total
