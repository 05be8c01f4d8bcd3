"""How the inputs and outputs of an exported network are connected in its document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from nnspec.data.recipe import Recipe
from nnspec.data.transforms.text import pad
from nnspec.graph import Graph, Model
from nnspec.graph.decoding import input_feeding
from nnspec.graph.exported import ExportSection, length_for
from nnspec.graph.model import NetworkCall
from nnspec.spec.program import Program
from nnspec.training import Run


@dataclass(frozen=True)
class IOMapping:
    """How an exported network is connected in its document.

    Attributes:
        fields: The document's input that feeds each of the network's inputs; inputs that a layer feeds are omitted.
        outputs: The network's name of each of the document's outputs that it computes.
        inputs: The number of its inputs.
        adapted: The length of each input that takes the transforms of a field of another length; 1 for a single value.
    """

    fields: Mapping[str, str]
    outputs: Mapping[str, str]
    inputs: int
    adapted: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model, graph: Graph) -> IOMapping:
        """Map a network. If the document calls it several times, the first call counts.

        Args:
            model: The document's networks.
            graph: The exported part of one of them.
        """
        if graph.name == "main" or "main" not in model.networks:
            return cls({name: name for name in graph.inputs}, {name: name for name in graph.outputs}, len(graph.inputs))
        fed = {name: input_feeding(model, graph, name) for name in graph.inputs}
        fields = {name: field for name, field in fed.items() if field is not None}
        use = next((use for use in model.main.uses if use.network == graph.name), None)
        outputs = {} if use is None else _outputs_of(use, model.networks[graph.name], model.main)
        return cls(fields, {shown: own for shown, own in outputs.items() if own in graph.outputs}, len(graph.inputs))

    @classmethod
    def of_program(cls, program: Program, graph: Graph, fields: Mapping[str, str]) -> IOMapping:
        """Map a network of a program. An input takes the transforms of the field of the same name if that fits it.

        Args:
            program: The program.
            graph: The exported part of the network.
            fields: The fields that other inputs take the transforms of.
        """
        types = {name: given.type for name, given in program.fields.items() if given is not None}
        lengths = {
            name: length_for(type_, types[found])
            for name, type_ in graph.inputs.items()
            if (found := fields.get(name, name)) in types
        }
        named = {name: fields.get(name, name) for name, length in lengths.items() if length is not None}
        adapted = {name: length for name, length in lengths.items() if length}
        return cls(named, {name: name for name in graph.outputs}, len(graph.inputs), adapted)

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe of the network's inputs.

        Args:
            recipe: The document's recipe.
        """
        known = recipe.get("inputs", {})
        own = {name: known[field] for name, field in self.fields.items() if field in known}
        own |= {name: _of_length(own[name], length) for name, length in self.adapted.items() if name in own}
        return {**recipe, "inputs": own} if known else recipe

    def golden(self, rows: Mapping[str, NDArray[Any]]) -> list[dict[str, NDArray[Any]]]:
        """Real inputs of the network; empty if the data do not feed all of them.

        Args:
            rows: Real inputs of the document, by name.
        """
        own = {name: rows[field] for name, field in self.fields.items() if field in rows and name not in self.adapted}
        return [own] if len(own) == self.inputs else []


def mapping_of(run: Run, graph: Graph, section: ExportSection) -> IOMapping:
    """How an exported network is connected in the document of a run.

    Args:
        run: The run.
        graph: The exported part of the network.
        section: The section ``export``.
    """
    program = run.spec.program
    return IOMapping.of(run.model, graph) if program is None else IOMapping.of_program(program, graph, section.inputs)


def _of_length(entry: dict[str, Any], length: int) -> dict[str, Any]:
    """The recipe of an input, for rows of another length."""
    *steps, last = entry["transforms"] or [None]
    if last is None or last["transform"] != "pad":
        return entry
    whole = pad.model_validate({**last["arguments"], "length": length, "buckets": None})
    changed = {**last, "arguments": whole.model_dump(mode="json"), "learned": {**last["learned"], "length": length}}
    return {**entry, "transforms": [*steps, changed]}


def _outputs_of(use: NetworkCall, network: Graph, main: Graph) -> dict[str, str]:
    """The network's name of each of the document's outputs that it computes."""
    own = {ref: name for name, ref in zip(network.outputs, use.outputs.values(), strict=False)}
    return {shown: own[ref] for shown, ref in main.outputs.items() if ref in own}
