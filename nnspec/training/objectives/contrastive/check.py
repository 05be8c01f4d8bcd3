"""The objective ``contrastive`` against the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from nnspec.graph import Graph
from nnspec.layers.base import Layer, LayerError
from nnspec.training.objectives.context import ObjectiveContext
from nnspec.training.objectives.contrastive import contrastive


@dataclass(frozen=True)
class ContrastivePlan:
    """The checked objective.

    Attributes:
        objective: The objective.
        input: The input to make views of.
        output: The output to compare.
    """

    objective: contrastive
    input: str
    output: str


def contrastive_plan(objective: contrastive, context: ObjectiveContext) -> ContrastivePlan | None:
    """The input of which views are made, and the output that is compared; None if something is wrong.

    Args:
        objective: The objective.
        context: The network, and where problems are reported.
    """
    graph = context.graph
    input_ = context.chosen_input(objective.input)
    output = context.chosen_output(objective.output)
    if input_ is not None:
        _check_views(objective, input_, context)
    if output is not None:
        _check_vector(graph, output, context)
    return ContrastivePlan(objective, input_, output) if input_ is not None and output is not None else None


def _check_views(objective: contrastive, input_: str, context: ObjectiveContext) -> None:
    for i, layer in enumerate(objective.views):
        try:
            cast("Layer", layer).output_types({"x": context.graph.inputs[input_]})
        except LayerError as error:
            context.does_not_fit(f"cannot make views of `{input_}`: {error.message}", "views", i, help=error.help)


def _check_vector(graph: Graph, output: str, context: ObjectiveContext) -> None:
    found = graph.output_types[output]
    if found.rank != 1 or not found.dtype.startswith("float"):
        reason = f"compares one vector of floats for each example, and `{output}` is {found} ({found.dtype})"
        context.does_not_fit(reason, "output", help="end the network with `GlobalAveragePooling2D` or `Flatten`, and `Dense`")
