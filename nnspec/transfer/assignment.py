"""Assignment of the modules of a file to the layers of a graph."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import NnspecError
from nnspec.graph import Graph, Node
from nnspec.graph.model import Start, covers, is_within, scopes
from nnspec.layers.attention import MultiHeadAttention
from nnspec.transfer.layouts import Layout, keras_layouts, torch_layouts
from nnspec.transfer.matching import Match, Slot, match
from nnspec.transfer.modules import Module, WeightsSource
from nnspec.transfer.naming import natural, readings
from nnspec.transfer.state_dict import with_attention
from nnspec.types import closest, listed, suggested

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LISTED = 6

_MOST_MODULES = 5_000


class NoAssignment(NnspecError):
    """Layers and modules that do not agree, or agree in several ways.

    Args:
        reason: The problem, a sentence that begins with the file.
        help: What to write.
    """

    def __init__(self, reason: str, help: str) -> None:
        super().__init__(reason)
        self.reason, self.help = reason, help


@dataclass(frozen=True)
class Assigned:
    """A layer and the module that its weights start from.

    Attributes:
        node: The layer.
        module: The module.
        layout: The layout of its arrays.
    """

    node: Node
    module: Module
    layout: Layout


@dataclass(frozen=True)
class Assignment:
    """The modules of layers, and the arrays that no layer takes.

    Attributes:
        assigned: The layers with their modules, in order of execution.
        unused: The places of the other arrays in the file.
    """

    assigned: Sequence[Assigned]
    unused: Sequence[str]

    @property
    def taken(self) -> int:
        """The number of arrays that are taken."""
        return sum(len(each.module.arrays) for each in self.assigned)

    def arrays(self, source: WeightsSource, start: Start) -> dict[str, NDArray[Any]]:
        """Return the initial weights, by identity.

        Args:
            source: The open file.
            start: The declaration, whose skipped weights are left out.

        Raises:
            UnreadableWeights: If the file is damaged.
        """
        import numpy as np

        found: dict[str, NDArray[Any]] = {}
        for each in self.assigned:
            stored = {key: source.read(each.module.places[key]) for key in each.layout.arrays}
            for name, array in each.layout.convert(stored).items():
                identity = f"{each.node.weights_at}/{name}"
                if start.takes(identity):
                    found[identity] = np.ascontiguousarray(array, np.float32)
        return found


def assign(source: WeightsSource, graph: Graph, start: Start) -> Assignment:
    """Assign the modules of a file to the layers that start from it.

    Args:
        source: The open file.
        graph: The graph.
        start: The declaration of the file.

    Raises:
        NoAssignment: If a layer has no module, or the structure leaves a choice.
    """
    nodes = _nodes(graph, start)
    stored = _without_models(source.modules, nodes, graph, source.framework)
    modules = _within(stored, start)
    if source.framework == "PyTorch" and any(isinstance(node.layer, MultiHeadAttention) for node in nodes):
        modules = with_attention(modules)
    fitting = {node.weights_at: _fitting(node, graph, modules, source.framework) for node in nodes}
    taken = {node.weights_at: any(start.takes(f"{node.weights_at}/{weight.name}") for weight in node.weights) for node in nodes}
    _name(start, nodes, modules, fitting, source.framework)
    required = [node for node in nodes if taken[node.weights_at]]
    for node in required:
        if not fitting[node.weights_at]:
            raise _missing(node, start, source)
    chosen = _by_equal_names(required, modules, fitting, start)
    if chosen is None:
        # A skipped layer has its place in the order of the file too, unless the file has none for it.
        attempts = [[node for node in nodes if fitting[node.weights_at]], required]
        chosen = _by_structure(attempts, graph, modules, fitting, source.framework, start)
    assigned = [
        Assigned(node, chosen[node.weights_at], fitting[node.weights_at][chosen[node.weights_at].name]) for node in required
    ]
    used = {place for each in assigned for place in each.module.places.values()}
    unused = [place for module in stored for place in module.places.values() if place not in used]
    return Assignment(assigned, sorted(unused, key=natural))


def _nodes(graph: Graph, start: Start) -> list[Node]:
    """Return the layers that start from a file, each once, in order."""
    found: dict[str, Node] = {}
    for node in graph.every_node():
        if node.weights and node.start is not None and node.start.declaration == start.declaration:
            found.setdefault(node.weights_at, node)
    return list(found.values())


def _without_models(modules: Sequence[Module], nodes: Sequence[Node], graph: Graph, framework: str) -> Sequence[Module]:
    """Return the modules, with the layers of those that are models and not layers."""
    models = [module for module in modules if module.inner]
    layers = {name for node in nodes for name in _fitting(node, graph, models, framework)} if models else set()
    return [part for module in modules for part in (module.inner if module.inner and module.name not in layers else (module,))]


def _within(modules: Sequence[Module], start: Start) -> list[Module]:
    """Return the modules in the scope that `prefix` names."""
    if not start.prefix:
        return sorted(modules, key=lambda module: natural(module.name))
    prefix = start.prefix.rstrip("./")
    found = [module for module in modules if _is_in(module.name, prefix)]
    if not found:
        suggestion = closest(prefix, _scopes_of(modules))
        help = suggested(prefix, suggestion, _scopes_of(modules)) if suggestion else "remove `prefix`"
        raise NoAssignment(f"`{start.file}` has no names in `{prefix}`", help)
    return sorted(found, key=lambda module: natural(module.name))


def _scopes_of(modules: Sequence[Module]) -> list[str]:
    """Return the names of modules and of the scopes that they are in."""
    found = {f"{module.name}."[:end]: None for module in modules for end, x in enumerate(f"{module.name}.") if x in "./"}
    return list(found)


def _is_in(name: str, scope: str) -> bool:
    return name == scope or name.startswith((f"{scope}.", f"{scope}/"))


def _fitting(node: Node, graph: Graph, modules: Sequence[Module], framework: str) -> dict[str, Layout]:
    """Return the modules whose arrays have the shapes of a layer's weights, with their layout."""
    found: dict[str, Layout] = {}
    layouts = list(torch_layouts(node, graph)) if framework == "PyTorch" else None
    numbered = list(keras_layouts(node, by_number=True)) if layouts is None else []
    grouped = list(keras_layouts(node, by_number=False)) if layouts is None else []
    for module in modules:
        for layout in layouts if layouts is not None else grouped if module.kind is not None else numbered:
            if layout.arrays == module.arrays:
                found[module.name] = layout
                break
    return found


def _name(
    start: Start, nodes: Sequence[Node], modules: Sequence[Module], fitting: dict[str, dict[str, Layout]], framework: str
) -> None:
    """Restrict the modules of layers to those that `names` gives."""
    for ours, theirs in start.names:
        inside = [node for node in nodes if is_within(node.weights_at, ours) or covers(ours, node.weights_at)]
        if not inside:
            suggestion = closest(ours, _scopes(node.weights_at for node in nodes))
            help = f"did you mean `{suggestion}`?" if suggestion else "name a layer or a scope with weights"
            raise NoAssignment(f"`names` has `{ours}`, but no layer with weights is there", help)
        wanted = {module.name for module in modules if _is_in(module.name, theirs)}
        if not wanted:
            suggestion = closest(theirs, _scopes_of(modules))
            help = f"did you mean `{suggestion}`?" if suggestion else "name a module or a scope of the file"
            raise NoAssignment(f"`{start.file}` has no `{theirs}`, which `names` gives for `{ours}`", help)
        for node in inside:
            kept = {name: layout for name, layout in fitting[node.weights_at].items() if name in wanted}
            if not kept:
                shapes = _shapes(node)
                reason = f"`{theirs}` in `{start.file}` has no weights of the shapes of `{node.weights_at}`, {shapes}"
                raise NoAssignment(reason, "correct `names`, or the layer")
            fitting[node.weights_at] = kept


def _scopes(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(scope for name in names for scope in scopes(name)))


def _by_equal_names(
    nodes: Sequence[Node], modules: Sequence[Module], fitting: Mapping[str, Mapping[str, Layout]], start: Start
) -> dict[str, Module] | None:
    """Return the modules with the names of the layers, if every layer has one."""
    named = {module.name.replace("/", "."): module for module in modules}
    found: dict[str, Module] = {}
    for node in nodes:
        inner = node.weights_at.removeprefix(start.at).removeprefix("/") if start.at else node.weights_at
        names = (f"{start.prefix}/{inner}", node.weights_at) if start.prefix else (node.weights_at, inner)
        module = next((named[dotted] for name in names if (dotted := name.replace("/", ".")) in named), None)
        if module is None or module.name not in fitting[node.weights_at]:
            return None
        found[node.weights_at] = module
    return found


def _by_structure(
    attempts: Sequence[Sequence[Node]], graph: Graph, modules: Sequence[Module],
    fitting: Mapping[str, Mapping[str, Layout]], framework: str, start: Start,
) -> dict[str, Module]:  # fmt: skip
    modules = [module for module in modules if any(module.name in fitting[node.weights_at] for node in attempts[0])]
    if len(modules) > _MOST_MODULES:
        reason = (
            f"`{start.file}` has {len(modules):,} modules of the layers' shapes, and at most {_MOST_MODULES:,} are compared"
        )
        raise NoAssignment(reason, "set `prefix` to the scope of the network")
    index = {module.name: number for number, module in enumerate(modules)}
    failed: tuple[Sequence[Node], Match] | None = None
    for nodes in attempts:
        slots = _slots(nodes, graph, fitting, index)
        for reading in readings(modules, framework):
            found = match(slots, reading)
            if found.modules and found.is_complete and not found.other:
                return {node.weights_at: modules[number] for node, number in zip(nodes, found.modules, strict=True)}
            if found.modules:
                raise _ambiguous(nodes, modules, found, start)
            if failed is None or found.reached > failed[1].reached:
                failed = nodes, found
    assert failed is not None
    raise _disagreeing(*failed, fitting, start)


def _slots(nodes: Sequence[Node], graph: Graph, fitting: Mapping[str, Collection[str]], index: Mapping[str, int]) -> list[Slot]:
    """Return the layers with the modules that fit them, and the layers that they depend on."""
    number = {node.weights_at: place for place, node in enumerate(nodes)}
    after: dict[str, int] = {}
    depends: dict[str, int] = {}

    def walk(name: str, inner: Graph, before: int) -> None:
        node = inner.nodes[name]
        reached = before
        for ref in node.inputs.values():
            reached |= after.get(ref.source, 0)
        if node.body is not None:
            body = reached
            for each in node.body.nodes:
                walk(each, node.body, body)
                body |= after[each]
            reached = body
        own = number.get(node.weights_at)
        if node.weights and own is not None:
            depends.setdefault(node.weights_at, reached & ~(1 << own))
            reached |= 1 << own
        after[name] = reached

    for name in graph.nodes:
        walk(name, graph, 0)
    return [
        Slot(sum(1 << index[name] for name in fitting[at]), depends.get(at, 0), at.rpartition("/")[0])
        for at in (node.weights_at for node in nodes)
    ]


def _shapes(node: Node) -> str:
    return ", ".join(f"{weight.name} {_sizes(weight.shape)}" for weight in node.weights)


def _sizes(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _missing(node: Node, start: Start, source: WeightsSource) -> NoAssignment:
    reason = f"`{start.file}` has no weights for `{node.weights_at}` ({node.op}: {_shapes(node)})"
    ranks = sorted(len(weight.shape) for weight in node.weights)
    alike = [module for module in source.modules if sorted(map(len, module.arrays.values())) == ranks]
    near = ""
    if alike and len(alike) <= _LISTED:
        shapes = {module.name: sorted(module.arrays.values(), key=len, reverse=True) for module in alike}
        described = (f"`{name}` ({', '.join(map(_sizes, each))})" for name, each in shapes.items())
        near = f"; the file has {', '.join(described)}"
    help = f"if this layer starts from its own initializer, write `skip: [{node.weights_at}]`{near}"
    return NoAssignment(reason, help)


def _ambiguous(nodes: Sequence[Node], modules: Sequence[Module], found: Match, start: Start) -> NoAssignment:
    if not found.other:
        reason = f"`{start.file}` fits the layers in too many ways to try all of them"
        return NoAssignment(reason, "name scopes of the file under `names`, for example `names: {LAYER: NAME}`")
    differing = [
        (node.weights_at, modules[one].name, modules[two].name)
        for node, one, two in zip(nodes, found.modules, found.other, strict=True)
        if one != two
    ]
    name, one, two = differing[0]
    more = f", and {len(differing) - 1} more layers are undecided" if len(differing) > 1 else ""
    reason = f"in `{start.file}`, `{name}` may be `{one}` or `{two}`: order and shapes fit both{more}"
    return NoAssignment(reason, f"name the right one: `names: {{{name}: {one}}}`")


def _disagreeing(
    nodes: Sequence[Node], found: Match, fitting: Mapping[str, Mapping[str, Layout]], start: Start
) -> NoAssignment:
    node = nodes[min(found.reached, len(nodes) - 1)]
    candidates = list(fitting[node.weights_at])
    shown = listed(candidates[:_LISTED]) + (f" and {len(candidates) - _LISTED} more" if len(candidates) > _LISTED else "")
    if not found.is_complete:
        reason = f"`{start.file}` fits the layers in too many ways to try all of them; the search reached `{node.weights_at}`"
    else:
        reason = f"`{start.file}` does not have the layers in this order: after {found.reached} layers, none is left for "
        reason += f"`{node.weights_at}` ({node.op}: {_shapes(node)})"
    help = f"if the networks are the same, name it: `names: {{{node.weights_at}: NAME}}`; of its shapes are {shown}"
    return NoAssignment(reason, help)
