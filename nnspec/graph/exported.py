"""``export``: which network of a document is exported, and which of its outputs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from nnspec.diagnostics import Diagnostic
from nnspec.graph import problems as g
from nnspec.graph.model import Graph, Model
from nnspec.spec import Spec, check
from nnspec.spec.tree import MappingNode
from nnspec.types import Config, closest

__all__ = ["ExportSection", "exported", "read_export"]

NEWEST_OPSET = 26
"""The newest set of ONNX operators that ONNX Runtime 1.31 runs."""


class ExportSection(Config):
    """What `export` writes."""

    network: Annotated[str, Strict()] | None = Field(
        None, description="The network; null: the document's own layers, or of a pair the generator."
    )
    outputs: list[Annotated[str, Strict()]] | None = Field(None, min_length=1, description="The outputs; null: all of them.")
    opset: Annotated[int, Strict(), Field(ge=17, le=NEWEST_OPSET)] = Field(23, description="The version of ONNX's operators.")


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
    for output in section.outputs or ():
        if output not in known:
            at = tree.get("outputs") or tree
            suggestion = closest(output, known)
            help = f"did you mean `{suggestion}`?" if suggestion else "there are " + ", ".join(f"`{n}`" for n in known)
            problems.append(g.UnknownExport.at(at.span, at.path, help=help, what="output", name=output))
    return section


def exported(section: ExportSection, model: Model, *, default: str = "main") -> Graph:
    """The graph that is exported: the network, with what the outputs that are wanted depend on."""
    graph = model.networks[section.network or default]
    if section.outputs is None:
        return graph
    return graph.giving({name: graph.outputs[name] for name in section.outputs})
