"""What a notebook shows of specs and networks: the layers with their shapes and parameters, folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.diagnostics import Diagnostic
from nnspec.graph.model import Graph, Model
from nnspec.html_elements import Html, element, fold, table
from nnspec.notebook import fragment
from nnspec.types import Dim, TensorType, size_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnspec.spec import Spec

_MOST_LAYERS = 200
_MOST_PROBLEMS = 20


def spec_html(spec: Spec) -> str:
    """Return the networks of a spec as markup; of one that is not valid, its errors."""
    from nnspec.graph.build import survey

    problems: list[Diagnostic] = []
    model = survey(spec, problems)
    title = element("h2", spec.name)
    description = spec.document.get("description")
    about = element("p", description.plain(), class_="note") if description is not None else Html()
    entries = [
        element("li", f"{problem.span}: {problem.severity}[{problem.code}]: {problem.message}", class_="bad")
        for problem in problems[:_MOST_PROBLEMS]
        if problem.is_error
    ]
    errors = element("ul", *entries, class_="findings") if entries else Html()
    networks = map(_network, model.networks.values())
    document = fold("the spec", element("pre", spec.resolved()))
    return fragment(title, about, errors, *networks, document)


def model_html(model: Model) -> str:
    """Return the networks of a model as markup."""
    return fragment(element("h2", model.name), *map(_network, model.networks.values()))


def graph_html(graph: Graph) -> str:
    """Return the layers of a network as markup."""
    return fragment(_network(graph))


def graph_text(graph: Graph) -> str:
    """Describe a network in one line.

    Example:
        >>> from nnspec.graph import compile
        >>> from nnspec.spec import load
        >>> graph_text(compile(load("specs/lenet5.nnspec.yaml")).main)
        'main: image (28, 28, 1) → digit (10): 8 layers, 61,706 parameters'
    """
    ends = (", ".join(f"{name} ({_sizes(type_)})" for name, type_ in types.items()) for types in _ends(graph))
    return f"{graph.name}: {' → '.join(ends)}: {_count(len(graph.nodes), 'layer')}, {graph.parameters:,} parameters"


def _ends(graph: Graph) -> tuple[Mapping[str, TensorType], Mapping[str, TensorType]]:
    return graph.inputs, graph.output_types


def _sizes(type_: TensorType, between: str = ", ") -> str:
    return between.join(size_text(size) for size in type_.shape)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _number(count: int | Dim) -> str:
    return f"{count:,}" if isinstance(count, int) else str(count)


def _network(graph: Graph) -> Html:
    rows = []
    nodes = list(graph.every_node())
    for name, type_ in graph.inputs.items():
        rows.append([name, "input", _sizes(type_, " × ") or "scalar", type_.dtype, "", ""])
    for node in nodes[:_MOST_LAYERS]:
        parameters = sum(weight.size for weight in node.weights)
        macs = node.macs()
        shown = [_number(parameters) if parameters else "", _number(macs) if macs != 0 else ""]
        rows.append([node.name, node.op, _sizes(node.output, " × ") or "scalar", node.output.dtype, *shown])
    header = ["layer", "", "shape", "type", "parameters", "MACs"]
    more = len(nodes) - _MOST_LAYERS
    rest = element("p", f"and {_count(more, 'layer')} more", class_="note") if more > 0 else Html()
    outputs = ", ".join(f"{name} ({_sizes(type_)})" for name, type_ in graph.output_types.items())
    return fold(
        graph_text(graph), table(header, rows, numbers=(4, 5)), rest, element("p", f"outputs: {outputs}", class_="note")
    )
