"""An exported network in its document: which fields feed its inputs, and which of the document's outputs are its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nnspec.data.recipe import Recipe
from nnspec.graph import Graph, Model
from nnspec.graph.decoding import input_feeding
from nnspec.graph.model import NetworkCall

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """An exported network and the document around it.

    Attributes:
        fields: The input of the document that feeds each of its inputs; those that something else feeds are left out.
        outputs: Its name for each output of the document that it gives.
        inputs: How many inputs it has.
    """

    fields: Mapping[str, str]
    outputs: Mapping[str, str]
    inputs: int

    @classmethod
    def of(cls, model: Model, graph: Graph) -> Place:
        """The place of a network. Where the document uses it several times, that is its first use.

        Args:
            model: The document's networks.
            graph: What is exported of one of them.
        """
        if graph.name == "main" or "main" not in model.networks:
            return cls({name: name for name in graph.inputs}, {name: name for name in graph.outputs}, len(graph.inputs))
        fed = {name: input_feeding(model, graph, name) for name in graph.inputs}
        fields = {name: field for name, field in fed.items() if field is not None}
        use = next((use for use in model.main.uses if use.network == graph.name), None)
        given = {} if use is None else _given(use, model.networks[graph.name], model.main)
        return cls(fields, {shown: own for shown, own in given.items() if own in graph.outputs}, len(graph.inputs))

    def recipe(self, recipe: Recipe) -> Recipe:
        """What the file says of its inputs: what the document says of the fields that feed them.

        Args:
            recipe: Of the document.
        """
        known = recipe.get("inputs", {})
        own = {name: known[field] for name, field in self.fields.items() if field in known}
        return {**recipe, "inputs": own} if known else recipe

    def golden(self, rows: Mapping[str, NDArray[Any]]) -> list[dict[str, NDArray[Any]]]:
        """Real inputs of the network; nothing where the data do not feed all of them.

        Args:
            rows: Real inputs of the document, by name.
        """
        own = {name: rows[field] for name, field in self.fields.items() if field in rows}
        return [own] if len(own) == self.inputs else []


def _given(use: NetworkCall, network: Graph, main: Graph) -> dict[str, str]:
    """The network's name for each of the document's outputs that is one of its own."""
    own = {ref: name for name, ref in zip(network.outputs, use.outputs.values(), strict=False)}
    return {shown: own[ref] for shown, ref in main.outputs.items() if ref in own}
