"""From a graph to the Keras source that a person would write for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.constraints import Constraint
from nnspec.layers.initializers import Initializer
from nnspec.layers.pooling import Pooling
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.regularizers import Regularizer
from nnspec.layers.sliding import Sliding
from nnspec.types import Config, TensorType

__all__ = ["INDENT", "Source", "source", "variable"]

INDENT = "    "
_MODULES = {
    Layer: "layers",
    Initializer: "keras.initializers",
    Regularizer: "keras.regularizers",
    Constraint: "keras.constraints",
}


@dataclass(frozen=True)
class Source:
    """A function ``build`` that makes a model.

    Attributes:
        lines: Its lines.
        nodes: The line of each node's layer, from 1.
        inputs: The line of each input.
        model: The line that makes the model.
    """

    lines: tuple[str, ...]
    nodes: Mapping[str, int]
    inputs: Mapping[str, int]
    model: int


def source(graph: Graph, before: Sequence[str] = ()) -> Source:
    """The source of a graph: a line an input, a line a layer.

    Args:
        graph: One network. What Keras has no argument for (peepholes) is left out.
        before: Lines to stand between the imports and the function.
    """
    lines = ["import keras", "from keras import layers", "", *before, "", "def build():"]
    inputs, nodes = {}, {}
    for name, kind in graph.inputs.items():
        lines.append(INDENT + f"{name} = keras.Input({_input(kind)}, name={name!r})")
        inputs[name] = len(lines)
    uses = Counter(node.weights_at for node in graph.nodes.values() if node.weights)
    shared: dict[str, int] = {}
    for node in graph.nodes.values():
        layer, given = _layer(node), _given(node, graph)
        if (padding := _explicit_padding(node)) is not None:
            lines.append(INDENT + f"padded = {padding}({given})")
            given = "padded"
        if uses[node.weights_at] > 1:
            holder = f"{variable(node.weights_at)}_layer"
            if node.weights_at not in shared:
                lines.append(INDENT + f"{holder} = {layer}")
                shared[node.weights_at] = len(lines)
            layer = holder
        results = ", ".join(_tensor(Ref(node.name, output), graph) for output in node.outputs)
        lines.append(INDENT + f"{results} = {layer}({given})")
        nodes[node.name] = shared.get(node.weights_at, len(lines))
    outputs = ", ".join(_tensor(ref, graph) for ref in graph.outputs.values())
    lines.append(INDENT + f"return keras.Model(inputs=[{', '.join(graph.inputs)}], outputs=[{outputs}], name={graph.name!r})")
    return Source(tuple(lines), nodes, inputs, len(lines))


def variable(name: str) -> str:
    """A name of the graph as a variable."""
    return re.sub(r"\W", "_", name)


def _input(kind: TensorType) -> str:
    shape = repr(tuple(size if isinstance(size, int) else None for size in kind.shape))
    return shape if kind.dtype == "float32" else f"{shape}, dtype={kind.dtype!r}"


def _tensor(ref: Ref, graph: Graph) -> str:
    """The variable of a tensor."""
    alone = ref.source in graph.inputs or len(graph.nodes[ref.source].outputs) == 1
    return variable(ref.source) if alone else f"{variable(ref.source)}_{ref.output}"


def _given(node: Node, graph: Graph) -> str:
    """What the layer is called on, in the order of its ports."""
    ports = node.layer.ports
    order = sorted(node.inputs, key=int) if ports.variadic else [*ports.required, *ports.optional]
    first, *others = [_tensor(node.inputs[port], graph) for port in order if port in node.inputs]
    if isinstance(node.layer, Recurrent | Bidirectional) and others:
        return f"{first}, initial_state=[{', '.join(others)}]"
    return f"[{', '.join([first, *others])}]" if others or ports.variadic else first


def _explicit_padding(node: Node) -> str | None:
    """The layer that Keras needs where zeros are laid around by numbers."""
    layer = node.layer
    if not isinstance(layer, Sliding) or isinstance(getattr(layer, "padding", "valid"), str):
        return None
    around: tuple[tuple[int, int], ...] = layer.around  # type: ignore[attr-defined]
    return f"layers.ZeroPadding{len(around)}D({around if len(around) > 1 else around[0]})"


def _layer(node: Node) -> str:
    left_out = set() if _explicit_padding(node) is None else {"padding"}
    return _call(node.layer, left_out, None if _is_unnamed(node) else node.name)


def _is_unnamed(node: Node) -> bool:
    """Whether the spec leaves the name to us, as a person would leave it to Keras."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.op).lower()
    return "/" in node.name or re.fullmatch(rf"{snake}(_\d+)?", node.name) is not None


def _call(config: Config, left_out: Collection[str] = (), named: str | None = None) -> str:
    arguments = [f"{name}={_argument(config, name)}" for name in _written(config) if name not in left_out]
    arguments += [] if named is None else [f"name={named!r}"]
    module = next(module for base, module in _MODULES.items() if isinstance(config, base))
    return f"{module}.{type(config).__name__}({', '.join(arguments)})"


def _written(config: Config) -> list[str]:
    """The arguments that the spec writes, without those that Keras lacks; the needed ones first."""
    ours = config.beyond_keras if isinstance(config, Layer) else frozenset()
    fields = type(config).model_fields
    written = [name for name in fields if name in config.model_fields_set and name not in ours]
    return sorted(written, key=lambda name: not fields[name].is_required())


def _argument(config: Config, name: str) -> str:
    value = getattr(config, name)
    if isinstance(value, Config):
        return _call(value)
    if isinstance(config, Sliding | Pooling) and isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]  # the same on all axes: written once
    return repr(tuple(value) if isinstance(value, list) else value)
