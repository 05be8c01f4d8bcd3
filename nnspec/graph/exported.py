"""``export``: which network of a document is exported, and which of its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import Field, Strict

from nnspec.diagnostics import Diagnostic
from nnspec.graph import problems as g
from nnspec.graph.activation_maps import NoMap, ending_of, map_name, with_activation_maps
from nnspec.graph.model import Graph, Model
from nnspec.spec import Spec, check
from nnspec.spec.tree import MappingNode, SequenceNode, Tree
from nnspec.types import Config, closest, symbols_of

__all__ = ["ExportSection", "export_opset", "exported", "read_export"]

_OPSET = 23
NEWEST_OPSET = 26
"""The newest set of ONNX operators that ONNX Runtime 1.31 runs."""


class ExportSection(Config):
    """What `export` writes."""

    network: Annotated[str, Strict()] | None = Field(
        None, description="The network; null: the document's own layers, or of a pair the generator."
    )
    outputs: list[Annotated[str, Strict()]] | None = Field(None, min_length=1, description="The outputs; null: all of them.")
    activation_maps: list[Annotated[str, Strict()]] = Field(
        [],
        description="Outputs whose class activation maps (Zhou et al. 2016) the file gives too, each as `NAME_map`: what the "
        "last layer gives at each position before `GlobalAveragePooling2D`. Averaged, it is the output before its activation.",
    )
    opset: Annotated[int, Strict(), Field(ge=17, le=NEWEST_OPSET)] = Field(
        _OPSET, description="The version of ONNX's operators."
    )


def read_export(spec: Spec, model: Model, problems: list[Diagnostic], *, default: str = "main") -> ExportSection | None:
    """The section ``export``, checked against the networks.

    Args:
        spec: The spec.
        model: Its networks.
        problems: What is wrong is appended here.
        default: The network that is exported where none is named.
    """
    tree = spec.section("export") or MappingNode([], next(iter(spec.document.items()))[0].span)
    section = check(ExportSection, tree, problems, name="export")
    if section is None:
        return None
    name = section.network or default
    if name not in model.networks:
        if section.network is not None:
            at = tree.get("network") or tree
            suggestion = closest(name, model.networks)
            help = f"did you mean `{suggestion}`?" if suggestion else "there are " + ", ".join(f"`{n}`" for n in model.networks)
            problems.append(g.UnknownExport.at(at.span, at.path, help=help, what="network", name=name))
        return None
    known = model.networks[name].outputs
    for key in ("outputs", "activation_maps"):
        for number, output in enumerate(getattr(section, key) or ()):
            at = _item(tree, key, number)
            if output not in known:
                suggestion = closest(output, known)
                help = f"did you mean `{suggestion}`?" if suggestion else "there are " + ", ".join(f"`{n}`" for n in known)
                problems.append(g.UnknownExport.at(at.span, at.path, help=help, what="output", name=output))
            elif key == "activation_maps":
                problems += _without_map(model.networks[name], output, at)
    return section


def export_opset(spec: Spec) -> int:
    """The version of ONNX's operators that a document's files are written with.

    Args:
        spec: The spec, whose section ``export`` has been checked.
    """
    tree = spec.section("export")
    section = None if tree is None else check(ExportSection, tree, [], name="export")
    return _OPSET if section is None else section.opset


def _item(tree: MappingNode, key: str, number: int) -> Tree:
    """An item of a list where it stands."""
    given = tree.get(key) or tree
    return given.items[number] if isinstance(given, SequenceNode) and number < len(given.items) else given


def _without_map(graph: Graph, output: str, at: Tree) -> Iterator[Diagnostic]:
    """Says why an output has no class activation map, where it has none."""
    if map_name(output) in {*graph.outputs, *graph.nodes}:
        reason, help = f"`{map_name(output)}` is something else here", f"call that something else than `{map_name(output)}`"
        yield g.NoActivationMap.at(at.span, at.path, help=help, name=output, reason=reason)
        return
    try:
        ending_of(graph, output)
    except NoMap as error:
        help = "end with `GlobalAveragePooling2D` and one `Dense`, or take it off the list"
        yield g.NoActivationMap.at(at.span, at.path, help=help, name=output, reason=str(error))


def exported(section: ExportSection, model: Model, *, default: str = "main") -> Graph:
    """The graph that is exported: the network, with what the outputs that are wanted depend on, and the maps of some."""
    graph = model.networks[section.network or default]
    wanted = list(graph.outputs if section.outputs is None else section.outputs)
    graph = with_activation_maps(graph, section.activation_maps)
    graph = graph.giving({name: graph.outputs[name] for name in [*wanted, *map(map_name, section.activation_maps)]})
    return graph if section.outputs is None else _reading(graph)


def _reading(graph: Graph) -> Graph:
    """The graph without the inputs that no output depends on, and what is known of their sizes alone."""
    read = {ref.source for refs in (graph.outputs, *(node.inputs for node in graph.nodes.values())) for ref in refs.values()}
    inputs = {name: type_ for name, type_ in graph.inputs.items() if name in read}
    if not inputs:  # an output of weights alone: one input says how many examples there are
        inputs = dict([next(iter(graph.inputs.items()))])
    free = set().union(*(symbols_of(size) for type_ in inputs.values() for size in (*type_.shape, *(type_.mask or ()))))
    known = {name: condition for name, condition in graph.conditions.items() if name in free}
    return replace(graph, inputs=inputs, conditions=known)
