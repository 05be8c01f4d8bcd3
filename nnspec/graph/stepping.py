"""A decoder that runs on one token at a time and carries its state between steps.

A decoder is defined and trained on whole sequences. Decoding feeds one token at a time. Layers that treat positions
independently need no change; a recurrent layer carries its state, causal attention carries its keys and values, and a layer
that adds position embeddings needs the position of the token. Other layers that mix time steps are not supported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from nnspec.graph.decoding import Decoding
from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.time_dependence import PAST, POSITION, TimeDependence
from nnspec.types import Dim, TensorType


@dataclass(frozen=True)
class Obstacle:
    """The reason why a decoder cannot run token by token.

    Attributes:
        node: Layer that mixes time steps.
        reason: What the layer does.
        help: How to make it possible.
    """

    node: Node
    reason: str
    help: str


@dataclass(frozen=True)
class Step:
    """The decoder as it runs at each step.

    Attributes:
        graph: Graph of one step.
        carry: Its inputs ← its outputs of the previous step.
        growing: Inputs that are empty at the first step and grow by one position at each step.
        position: Input with the index of the step, from 0; None if no layer needs it.
        whole: Whether it reads all tokens so far at each step instead of only the last.
    """

    graph: Graph
    carry: Mapping[str, str]
    growing: frozenset[str]
    position: str | None
    whole: bool


def sees_ahead(decoding: Decoding) -> Iterator[Node]:
    """Yield the layers of a decoder through which a position depends on later tokens."""
    if decoding.logits_type.rank < 2:
        return
    follows = _follows(decoding)
    for node in decoding.decoder.nodes.values():
        found = _time_dependence(node, follows)
        if found is not None and found.sees_ahead:
            yield node


def obstacles(decoding: Decoding) -> Iterator[Obstacle]:
    """Yield what prevents a decoder from running token by token; nothing if it does not have to."""
    if not decoding.by_token or not isinstance(decoding.token_type.shape[0], Dim):
        return
    follows = _follows(decoding)
    for node in _graph(decoding).nodes.values():
        found = _time_dependence(node, follows)
        if found is not None and (why := _obstacle(decoding, node, found)):
            yield Obstacle(node, *why)


def _time_dependence(node: Node, follows: set[Ref]) -> TimeDependence | None:
    """Return what a layer does along the time axis of the tokens; None if none of its inputs has that axis."""
    along = {port for port, ref in node.inputs.items() if ref in follows}
    return node.layer.time_dependence(node.input_types, node.inputs, along) if along else None


def _obstacle(decoding: Decoding, node: Node, found: TimeDependence) -> tuple[str, str] | None:
    if found.obstacle is not None:
        return found.obstacle
    if found.keeps and not decoding.cache:
        return "attends only to the last token: its keys and values are not cached", "write `cache: true`"
    for state in found.states:
        given = node.inputs.get(state)
        back = decoding.carry.get(given.source) if given is not None and given.source in decoding.decoder.inputs else None
        if back is None or decoding.decoder.outputs.get(back) != Ref(node.name, state):
            help = (
                f"give it `return_state: true` and an input `{state}`, make both an input and an output of "
                f"`{decoding.decoder.name}`, and add them to `carry`"
            )
            return f"restarts at each token: its `{state}` is not carried", help
    return None


def decoder_step(decoding: Decoding) -> Step:
    """Return the decoder as it runs at each step: on one token if it carries state, otherwise on all tokens so far."""
    if not decoding.by_token:
        graph = decoding.decoder.giving({decoding.logits: decoding.decoder.outputs[decoding.logits]})
        return Step(graph, {}, frozenset(), None, whole=True)
    return _Deriving(decoding).step()


def _graph(decoding: Decoding) -> Graph:
    wanted = dict.fromkeys([decoding.logits, *decoding.carry.values()])
    return decoding.decoder.giving({name: decoding.decoder.outputs[name] for name in wanted})


def _follows(decoding: Decoding) -> set[Ref]:
    """Return the tensors whose first axis is the time axis of the tokens."""
    follows = {Ref(decoding.token)}
    for node in decoding.decoder.nodes.values():
        found = _time_dependence(node, follows)
        if found is not None:
            follows |= {Ref(node.name, output) for output in (node.outputs if found.outputs is None else found.outputs)}
    return follows


class _Deriving:
    """Derives the graph of one token: time is 1, and layers with memory get more inputs and outputs."""

    def __init__(self, decoding: Decoding) -> None:
        self._decoding = decoding
        self._graph = _graph(decoding)
        self._follows = _follows(decoding)
        time = decoding.token_type.shape[0]
        self._sizes = {str(time): 1} if isinstance(time, Dim) else {}
        self._inputs = {name: kind.with_sizes(self._sizes) for name, kind in self._graph.inputs.items()}
        self._types = {Ref(name): kind for name, kind in self._inputs.items()}
        self._outputs = dict(self._graph.outputs)
        self._carry = dict(decoding.carry)
        self._growing: set[str] = set()
        self._position: str | None = None

    def step(self) -> Step:
        nodes = {name: self._node(node) for name, node in self._graph.nodes.items()}
        known = self._graph.conditions.without(self._sizes)
        graph = replace(self._graph, inputs=self._inputs, nodes=nodes, outputs=self._outputs, conditions=known)
        return Step(graph, self._carry, frozenset(self._growing), self._position, whole=False)

    def _node(self, node: Node) -> Node:
        inputs = {port: self._types[ref] for port, ref in node.inputs.items()}
        node = replace(node, input_types=inputs, outputs=node.layer.output_types(inputs))
        found = _time_dependence(node, self._follows)
        if found is not None and found.keeps:
            node = self._remembering(node, found.keeps)
        elif found is not None and found.placed:
            node = self._placed(node)
        self._types |= {Ref(node.name, output): kind for output, kind in node.outputs.items()}
        return node

    def _placed(self, node: Node) -> Node:
        self._position = self._position or self._input(POSITION, TensorType((), "int64"))
        return replace(node, inputs={**node.inputs, POSITION: Ref(self._position)})

    def _remembering(self, node: Node, keeps: Mapping[str, TensorType]) -> Node:
        inputs, outputs = dict(node.inputs), dict(node.outputs)
        for port, kind in keeps.items():
            name = self._input(f"{node.name}/{port}", kind)
            inputs[port] = Ref(name)
            outputs[PAST[port]] = kind
            given = f"{node.name}/{PAST[port]}"
            self._outputs[given] = Ref(node.name, PAST[port])
            self._carry[name] = given
            self._growing.add(name)
        return replace(node, inputs=inputs, outputs=outputs)

    def _input(self, wanted: str, kind: TensorType) -> str:
        name = wanted
        while name in self._inputs:
            name += "_"
        self._inputs[name] = self._types[Ref(name)] = kind
        return name
