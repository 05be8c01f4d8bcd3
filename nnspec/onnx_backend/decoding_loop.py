"""Greedy decoding in one ONNX graph: the encoder, then a ``Loop`` over decoder steps.

Computations that do not depend on the generated tokens (projections of the encoder's states, masks) run once, before the loop.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import helper

import nnspec
from nnspec.graph.decoding import Decoding
from nnspec.graph.model import Graph
from nnspec.graph.stepping import decoder_step
from nnspec.onnx_backend.builder import Body, Builder
from nnspec.onnx_backend.interface import Interface
from nnspec.onnx_backend.lowered import lowered
from nnspec.onnx_backend.proto import ELEMENT, finish
from nnspec.onnx_backend.value import Value
from nnspec.runtime.metadata import CONDITIONS, VERSION
from nnspec.types import TensorType, symbol, unknown

GENERATED = "generated"
"""The output of tokens: batch, steps; 0 after the end."""

LENGTHS = "lengths"
"""The output with the number of tokens before the end: batch."""

PROMPT = "prompt"
"""The input of prompt tokens, without an encoder; −1 after the prompt of a row."""

_SCOPE = "decoding"


def to_loop(
    decoding: Decoding,
    weights: Mapping[str, ArrayLike],
    *,
    start: int | None,
    end: int | None,
    max_length: int,
    opset: int = 23,
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """Build the ONNX model that contains the decoding loop.

    Inputs: the encoder's, under the names of the main network's inputs, or ``prompt``; optionally ``start``, ``end`` and
    ``max_length`` (int64 scalars), which override the arguments. Outputs: ``generated`` and ``lengths``.

    Args:
        decoding: The networks and their connections.
        weights: The arrays by identity.
        start: The first token that the decoder reads; None for the first of ``prompt``.
        end: The token that ends a sequence; None to always generate ``max_length`` tokens.
        max_length: The maximum number of tokens, including the end.
        opset: The ONNX opset.
        metadata: Model metadata, in addition to nnspec's version.

    Raises:
        NnspecError: If a weight is missing or has a different shape.
    """
    loop = _Loop(decoding, weights, Builder(opset), {"start": start, "end": end, "max_length": max_length})
    outputs = loop.write()
    model_metadata = {VERSION: nnspec.__version__, **(metadata or {})}
    if decoding.encoder is not None and (conditions := decoding.encoder.conditions):
        model_metadata[CONDITIONS] = json.dumps(conditions.as_json())
    return finish(loop.b, loop.inputs, outputs, name="generate", metadata=model_metadata, version=nnspec.__version__)


class _Loop:
    """The graph under construction."""

    def __init__(
        self, decoding: Decoding, weights: Mapping[str, ArrayLike], b: Builder, numbers: Mapping[str, int | None]
    ) -> None:
        self.b = b
        self._decoding = decoding
        self._weights = weights
        self._step = decoder_step(decoding)
        if decoding.encoder is None:
            sources = {PROMPT: TensorType((symbol("P"),), "int64")}
        else:
            sources = {decoding.sources[name]: kind for name, kind in decoding.encoder.inputs.items()}
        self._interface = Interface(b, sources, (GENERATED, LENGTHS))
        self.inputs: dict[str, TensorType | onnx.TypeProto] = dict(self._interface.inputs)
        self._batch_of = next(iter(sources))
        self._numbers = {name: self._number(name, value) for name, value in numbers.items() if value is not None}

    def _number(self, wanted: str, value: int) -> str:
        """An optional scalar input."""
        name = self.b.claim(wanted)
        self.b.constants[name] = np.array(value, np.int64)
        self.inputs[name] = helper.make_tensor_type_proto(ELEMENT["int64"], [])
        return name

    def write(self) -> dict[str, TensorType]:
        """Write the graph; returns the output types."""
        encoded = self._encoded()
        with self.b.at(_SCOPE):
            batch = self.b.op("Shape", self._batch_of, start=0, end=1)
            first, forced = self._beginning(batch)
            state = {"token": first, "finished": self._full(batch, [], False), "lengths": self._full(batch, [], 0)}
            state |= self._carried(batch, encoded)
            names, body = self._body(encoded, list(state), forced)
            going = self.b.constant(True, "going")
            *ends, steps = self.b.ops("Loop", [self._trips(), going, *state.values()], len(state) + 1, bodies={"body": body})
            return self._outputs(dict(zip(names, ends, strict=True))["lengths"], steps)

    def _encoded(self) -> dict[str, Value]:
        """The encoder's outputs."""
        encoder = self._decoding.encoder
        if encoder is None:
            return {}
        read = {*self._decoding.memory.values(), *self._decoding.begin.values()}
        graph = encoder.giving({name: ref for name, ref in encoder.outputs.items() if name in read})
        self.b.conditions = encoder.conditions
        given = {name: self._interface.given[self._decoding.sources[name]] for name in encoder.inputs}
        return lowered(self.b, graph, self._weights, given, under=_under(encoder))

    # --- before the loop ------------------------------------------------------------------------------------------------

    def _beginning(self, batch: str) -> tuple[str, str]:
        """The first token, and the forced tokens after it: batch, steps, −1 after the last; empty if none."""
        b = self.b
        start = b.op("Expand", self._numbers["start"], batch) if "start" in self._numbers else ""
        if self._decoding.encoder is not None:
            return start, ""
        behind = b.op("ConstantOfShape", b.op("Concat", batch, b.ints([1], "one"), axis=0), value=np.array([-1], np.int64))
        forced = b.op("Concat", PROMPT, behind, axis=1)
        if start:
            return start, forced
        first = b.op("Gather", forced, b.constant(0, "zero", np.int64), axis=1)
        return first, b.op("Slice", forced, b.ints([1], "from"), b.ints([2**62], "to"), b.ints([1], "steps"))

    def _trips(self) -> str:
        """The maximum number of iterations. Without a start, the prompt has the first token."""
        if "start" in self._numbers:
            return self._numbers["max_length"]
        return self.b.op("Sub", self._numbers["max_length"], self.b.constant(1, "one", np.int64))

    def _carried(self, batch: str, encoded: Mapping[str, Value]) -> dict[str, str]:
        """The initial values of the decoder's carried inputs."""
        if self._step.whole:
            return {"tokens": self._full(batch, [0], 0)}
        found = {}
        for name in self._step.carry:
            kind = self._step.graph.inputs[name]
            if name in self._decoding.begin:
                found[name] = encoded[self._decoding.begin[name]].name
            else:
                sizes = [size if isinstance(size, int) else 0 for size in kind.shape]
                found[name] = self._full(batch, sizes, np.zeros((), "bool" if kind.dtype == "bool" else kind.dtype).item())
        return found

    def _full(self, batch: str, sizes: Iterable[int], value: float | bool) -> str:
        """A tensor filled with one value: batch, sizes."""
        dtype = np.dtype(bool if isinstance(value, bool) else np.int64 if isinstance(value, int) else np.float32)
        sizes = list(sizes)
        shape = self.b.op("Concat", batch, self.b.ints(sizes, "sizes"), axis=0) if sizes else batch
        return self.b.op("ConstantOfShape", shape, value=np.array([value], dtype))

    # --- the loop ---------------------------------------------------------------------------------------------------------

    def _body(self, encoded: Mapping[str, Value], names: list[str], forced: str) -> tuple[list[str], Body]:
        b = self.b
        with b.body() as body:
            trip, going = b.name("trip"), b.name("going")
            state = {name: b.name(name.replace("/", ".")) for name in names}
            logits, after = self._decoded(encoded, state, trip)
            token = b.op("ArgMax", logits, axis=-1, keepdims=0)
            token = self._forced(token, forced, trip) if forced else token
            token, after = self._ended(token, state, after)
            again = self._is_unfinished(after["finished"]) if "end" in self._numbers else b.op("Identity", going)
            after["token"] = token
            given = [again, *(after[name] for name in names), token]
        types = [*(self._type_of(name) for name in names)]
        scalars = [helper.make_tensor_type_proto(ELEMENT[dtype], []) for dtype in ("int64", "bool")]
        body.inputs = [(trip, scalars[0]), (going, scalars[1]), *zip(state.values(), types, strict=True)]
        body.outputs = list(zip(given, [scalars[1], *types, TensorType((), "int64")], strict=True))
        return names, body

    def _type_of(self, name: str) -> TensorType:
        own = {
            "token": TensorType((), "int64"),
            "finished": TensorType((), "bool"),
            "lengths": TensorType((), "int64"),
            "tokens": TensorType((unknown(),), "int64"),
        }
        if name in self._step.carry:
            return self._step.graph.inputs[name].masked(None)
        return own[name]

    def _decoded(self, encoded: Mapping[str, Value], state: Mapping[str, str], trip: str) -> tuple[str, dict[str, str]]:
        """The logits of the next token (batch, vocabulary), and the carried tensors."""
        b, step, decoding = self.b, self._step, self._decoding
        graph, after = step.graph, dict(state)
        column = b.op("Unsqueeze", state["token"], b.ints([1], "steps"))
        if step.whole:
            column = after["tokens"] = b.op("Concat", state["tokens"], column, axis=1)
        kind = graph.inputs[decoding.token]
        fed = column if kind.dtype == "int64" else b.op("Cast", column, to=ELEMENT[kind.dtype])
        given = {decoding.token: Value.declared(fed, kind)}
        given |= {name: self._encoder_output(graph, name, encoded[source]) for name, source in decoding.memory.items()}
        given |= {name: Value.declared(state[name], graph.inputs[name]) for name in step.carry}
        if step.position is not None:
            given[step.position] = Value.declared(b.op("Unsqueeze", trip, b.ints([0], "batch")), graph.inputs[step.position])
        b.conditions = graph.conditions
        made = lowered(b, graph, self._weights, given, under=_under(decoding.decoder))
        after |= {name: made[output].name for name, output in step.carry.items()}
        return self._last(made[decoding.logits]), after

    def _encoder_output(self, graph: Graph, name: str, value: Value) -> Value:
        """An encoder output as an input of the decoder, with its mask if the decoder reads one."""
        kind = graph.inputs[name]
        mask = value.mask
        if kind.mask is None:
            mask = None
        elif mask is None:
            shape = self.b.op("Shape", value.name, start=0, end=len(kind.mask) + 1)
            mask = self.b.op("ConstantOfShape", shape, value=np.ones(1, bool))
        return Value.declared(value.name, kind, mask)

    def _last(self, logits: Value) -> str:
        b = self.b
        if logits.type.rank == 1:
            return logits.name
        if self._step.whole:
            return b.op("Gather", logits.name, b.constant(-1, "last", np.int64), axis=1)
        return b.op("Squeeze", logits.name, b.ints([1], "steps"))

    def _forced(self, token: str, forced: str, trip: str) -> str:
        """The token, or the prompt's token at this position."""
        b = self.b
        last = b.op("Sub", b.op("Squeeze", b.op("Shape", forced, start=1, end=2)), b.constant(1, "one", np.int64))
        given = b.op("Gather", forced, b.op("Min", trip, last), axis=1)
        return b.op("Where", b.op("Less", given, b.constant(0, "zero", np.int64)), token, given)

    def _ended(self, token: str, state: Mapping[str, str], after: dict[str, str]) -> tuple[str, dict[str, str]]:
        """The token, 0 in finished rows, and the updated finished flags and lengths."""
        b = self.b
        if "end" not in self._numbers:
            longer = b.op("Add", state["lengths"], b.constant(1, "one", np.int64))
            return token, after | {"finished": state["finished"], "lengths": longer}
        token = b.op("Where", state["finished"], b.constant(0, "zero", np.int64), token)
        finished = b.op("Or", state["finished"], b.op("Equal", token, self._numbers["end"]))
        longer = b.op("Add", state["lengths"], b.op("Cast", b.op("Not", finished), to=ELEMENT["int64"]))
        return token, after | {"finished": finished, "lengths": longer}

    def _is_unfinished(self, finished: str) -> str:
        """Whether any row is unfinished."""
        open_ = self.b.op("Cast", self.b.op("Not", finished), to=ELEMENT["int32"])
        return self.b.op("Cast", self.b.reduce("ReduceMax", open_, [0], keepdims=False), to=ELEMENT["bool"])

    # --- after the loop ---------------------------------------------------------------------------------------------------

    def _outputs(self, lengths: str, steps: str) -> dict[str, TensorType]:
        b = self.b
        tokens = b.op("Transpose", steps, perm=[1, 0])
        if "start" not in self._numbers:
            first = b.op("Slice", PROMPT, b.ints([0], "from"), b.ints([1], "to"), b.ints([1], "steps"))
            tokens = b.op("Concat", first, tokens, axis=1)
            lengths = b.op("Add", lengths, b.constant(1, "one", np.int64))
        b.outputs |= {GENERATED: tokens, LENGTHS: lengths}
        return {GENERATED: TensorType((unknown(),), "int64"), LENGTHS: TensorType((), "int64")}


def _under(graph: Graph) -> str:
    """The name prefix of a network's layers; empty for the main network."""
    return "" if graph.name == "main" else f"{graph.name}/"
