"""A decoder as it runs at one token: what looks back along time carries what it has seen.

A decoder is written, and trained, over all tokens of a sequence. To decode, one token goes in at a time. Layers that treat
each position alone need nothing for that; a recurrent layer needs its state, causal attention the keys and values so far, and
a layer that adds positions the place of the token. Whatever else looks along time cannot be run so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from nnspec.graph.decoding import Decoding
from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.attention import DotAttention
from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.heads import HeadAttention
from nnspec.layers.positions import PositionEmbedding, SinusoidalPositionEncoding
from nnspec.layers.recurrence import Recurrent
from nnspec.types import Dim, TensorType, unknown

__all__ = ["PAST", "POSITION", "Obstacle", "Step", "obstacles", "positional", "sees_ahead", "step_of"]

POSITION = "position"
"""The port by which a layer that adds positions is told where the token stands, and the step's input that tells it."""

PAST = {"past_key": "key", "past_value": "value", "past_mask": "mask"}
"""The ports by which causal attention is given what it has seen, each with the output that gives it the next time."""


@dataclass(frozen=True)
class Obstacle:
    """Why a decoder cannot run token by token.

    Attributes:
        node: The layer that looks along time.
        reason: What it does.
        help: What would let it.
    """

    node: Node
    reason: str
    help: str


@dataclass(frozen=True)
class Step:
    """The decoder as it runs at each step.

    Attributes:
        graph: What runs.
        carry: Its inputs ← its outputs of the step before.
        growing: Those of its inputs that are empty at the first step, and longer by one at each later one.
        position: Its input that says which step it is, from 0; None where nothing asks.
        whole: Whether it reads all tokens so far at each step, rather than the last.
    """

    graph: Graph
    carry: Mapping[str, str]
    growing: frozenset[str]
    position: str | None
    whole: bool


def positional(graph: Graph) -> Iterator[Node]:
    """The layers that have a vector for each of so many positions."""
    return (node for node in graph.nodes.values() if isinstance(node.layer, PositionEmbedding))


def sees_ahead(decoding: Decoding) -> Iterator[Node]:
    """Layers of a decoder through which a position sees tokens that come after it."""
    if decoding.logits_type.rank < 2:
        return
    follows = _follows(decoding)
    for node in decoding.decoder.nodes.values():
        along = [port for port, ref in node.inputs.items() if ref in follows]
        attends = isinstance(node.layer, HeadAttention | DotAttention) and along != ["query"]
        backwards = isinstance(node.layer, Recurrent) and node.layer.go_backwards
        if along and (
            (attends and not getattr(node.layer, "use_causal_mask", False))
            or isinstance(node.layer, Bidirectional)
            or backwards
        ):
            yield node


def obstacles(decoding: Decoding) -> Iterator[Obstacle]:
    """What keeps a decoder from running token by token; nothing where it does not have to."""
    if not decoding.by_token or not isinstance(decoding.token_type.shape[0], Dim):
        return
    follows = _follows(decoding)
    graph = _graph(decoding)
    for node in graph.nodes.values():
        along = {port for port, ref in node.inputs.items() if ref in follows}
        if found := _obstacle(decoding, node, along) if along else None:
            yield Obstacle(node, *found)


def _obstacle(decoding: Decoding, node: Node, along: set[str]) -> tuple[str, str] | None:
    layer = node.layer
    if isinstance(layer, Recurrent):
        return _of_recurrent(decoding, node)
    if isinstance(layer, HeadAttention | DotAttention):
        return _of_attention(decoding, node, along)
    if layer.receptive_field(node.input_types) is None or isinstance(layer, PositionEmbedding | SinusoidalPositionEncoding):
        return None
    return "looks at other tokens than its own", "leave out `carry` and `cache`: all tokens are then read at each step"


def _of_recurrent(decoding: Decoding, node: Node) -> tuple[str, str] | None:
    layer = node.layer
    assert isinstance(layer, Recurrent)
    if layer.go_backwards:
        return "runs backwards", "take `go_backwards` away"
    for state in layer.states:
        given = node.inputs.get(state)
        back = decoding.carry.get(given.source) if given is not None and given.source in decoding.decoder.inputs else None
        if back is None or decoding.decoder.outputs.get(back) != Ref(node.name, state):
            help = (
                f"give it `return_state: true` and an input `{state}`, make both an input and an output of "
                f"`{decoding.decoder.name}`, and name them under `carry`"
            )
            return f"begins anew at each token: its `{state}` is not carried", help
    return None


def _of_attention(decoding: Decoding, node: Node, along: set[str]) -> tuple[str, str] | None:
    layer = node.layer
    if along == {"query"}:
        if layer.use_causal_mask:  # type: ignore[attr-defined]
            return (
                "compares positions of two sequences, and cannot tell where a token alone stands",
                "take its causal mask away",
            )
        return None
    if not layer.use_causal_mask:  # type: ignore[attr-defined]
        return "is not causal: a token sees those that come after it", "write `use_causal_mask: true`"
    ports = {node.inputs[port] for port in ("value", "key") if port in node.inputs}
    flat = isinstance(layer, DotAttention) or (isinstance(layer, HeadAttention) and layer.is_flat(node.input_types["query"]))
    if "query" not in along or len(ports) > 1 or not flat or getattr(layer, "return_attention_scores", False):
        return "attends in a way whose keys and values cannot be carried", "feed query and value from the tokens alone"
    if not decoding.cache:
        return "sees the last token alone: its keys and values are not carried", "write `cache: true`"
    return None


def step_of(decoding: Decoding) -> Step:
    """The decoder as it runs at each step: over all tokens so far, or, where something is carried, over one."""
    if not decoding.by_token:
        graph = decoding.decoder.giving({decoding.logits: decoding.decoder.outputs[decoding.logits]})
        return Step(graph, {}, frozenset(), None, whole=True)
    return _Deriving(decoding).step()


def _graph(decoding: Decoding) -> Graph:
    wanted = dict.fromkeys([decoding.logits, *decoding.carry.values()])
    return decoding.decoder.giving({name: decoding.decoder.outputs[name] for name in wanted})


def _follows(decoding: Decoding) -> set[Ref]:
    """The tensors whose first axis is the time of the tokens."""
    follows = {Ref(decoding.token)}
    for node in decoding.decoder.nodes.values():
        if follows.isdisjoint(node.inputs.values()):
            continue
        if isinstance(node.layer, HeadAttention | DotAttention) and node.inputs["query"] not in follows:
            continue
        if isinstance(node.layer, Recurrent):
            follows |= {Ref(node.name)} if node.layer.return_sequences else set()
        else:
            follows |= {Ref(node.name, output) for output in node.outputs}
    return follows


class _Deriving:
    """Makes the graph of one token: time is 1, and what looks back gets further inputs and outputs."""

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
        known = {name: condition for name, condition in self._graph.conditions.items() if name not in self._sizes}
        graph = replace(self._graph, inputs=self._inputs, nodes=nodes, outputs=self._outputs, conditions=known)
        return Step(graph, self._carry, frozenset(self._growing), self._position, whole=False)

    def _node(self, node: Node) -> Node:
        inputs = {port: self._types[ref] for port, ref in node.inputs.items()}
        node = replace(node, input_types=inputs, outputs=node.layer.output_types(inputs))
        along = {port for port, ref in node.inputs.items() if ref in self._follows}
        if isinstance(node.layer, HeadAttention | DotAttention) and "value" in along:
            node = self._remembering(node)
        elif isinstance(node.layer, PositionEmbedding | SinusoidalPositionEncoding) and along:
            node = self._placed(node)
        self._types |= {Ref(node.name, output): kind for output, kind in node.outputs.items()}
        return node

    def _placed(self, node: Node) -> Node:
        self._position = self._position or self._input(POSITION, TensorType((), "int64"))
        return replace(node, inputs={**node.inputs, POSITION: Ref(self._position)})

    def _remembering(self, node: Node) -> Node:
        inputs, outputs = dict(node.inputs), dict(node.outputs)
        for port, kind in _seen(node.layer, node.input_types["value"]).items():
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


def _seen(layer: Layer, value: TensorType) -> dict[str, TensorType]:
    """What attention keeps of the tokens it has seen, by port."""
    steps = unknown()
    if isinstance(layer, HeadAttention):
        # Heads apart, and time behind them: as they are multiplied, so that nothing has to move.
        sizes = {"past_key": layer.key_size, "past_value": layer.value_size}
        kept = {port: TensorType((layer.key_heads, steps, size)) for port, size in sizes.items()}
    else:
        kept = {"past_value": TensorType((steps, value.shape[1]))}
    return kept | ({"past_mask": TensorType((steps,), "bool")} if value.mask is not None else {})
