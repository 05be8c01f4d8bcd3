"""The inputs and outputs of an exported network, mapped to those of its document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nnspec.data.recipe import Recipe
from nnspec.graph import Graph, Model
from nnspec.graph.decoding import input_feeding
from nnspec.graph.model import NetworkCall

__all__ = ["IOMapping"]


@dataclass(frozen=True)
class IOMapping:
    """How an exported network is connected in its document.

    Attributes:
        fields: The document's input that feeds each of the network's inputs; inputs that a layer feeds are omitted.
        outputs: The network's name of each of the document's outputs that it computes.
        inputs: The number of its inputs.
    """

    fields: Mapping[str, str]
    outputs: Mapping[str, str]
    inputs: int

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

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe of the network's inputs.

        Args:
            recipe: The document's recipe.
        """
        known = recipe.get("inputs", {})
        own = {name: known[field] for name, field in self.fields.items() if field in known}
        return {**recipe, "inputs": own} if known else recipe

    def golden(self, rows: Mapping[str, NDArray[Any]]) -> list[dict[str, NDArray[Any]]]:
        """Real inputs of the network; empty if the data do not feed all of them.

        Args:
            rows: Real inputs of the document, by name.
        """
        own = {name: rows[field] for name, field in self.fields.items() if field in rows}
        return [own] if len(own) == self.inputs else []


def _outputs_of(use: NetworkCall, network: Graph, main: Graph) -> dict[str, str]:
    """The network's name of each of the document's outputs that it computes."""
    own = {ref: name for name, ref in zip(network.outputs, use.outputs.values(), strict=False)}
    return {shown: own[ref] for shown, ref in main.outputs.items() if ref in own}
