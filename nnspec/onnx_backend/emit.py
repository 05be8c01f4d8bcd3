"""Writes a graph and its weights as an ONNX model, without a framework."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import onnx
from numpy.typing import ArrayLike

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.graph.model import Graph
from nnspec.graph.receptive_field import output_receptive_fields
from nnspec.graph.tables import table_rows
from nnspec.neighbors import INDICES, SIMILARITY
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.interface import Interface
from nnspec.onnx_backend.lower import newest_opset
from nnspec.onnx_backend.lowered import lowered
from nnspec.onnx_backend.passes import Pass
from nnspec.onnx_backend.preprocessing import InputPreprocessing, OutputPostprocessing
from nnspec.onnx_backend.proto import finish
from nnspec.onnx_backend.search import VectorSearch
from nnspec.onnx_backend.value import Value
from nnspec.runtime.metadata import CONDITIONS, FIELDS, OUTPUTS, ROWS, VERSION
from nnspec.types import TensorType

OPSETS = range(17, min(26, onnx.defs.onnx_opset_version()) + 1)
"""The supported opsets; ONNX Runtime 1.31 reads none above 26."""


def to_onnx(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    *,
    opset: int = 23,
    metadata: Mapping[str, str] | None = None,
    masks: bool | None = None,
    preprocessing: Mapping[str, InputPreprocessing] | None = None,
    postprocessing: Mapping[str, OutputPostprocessing] | None = None,
    search: VectorSearch | None = None,
    passes: Sequence[Pass] | None = None,
) -> onnx.ModelProto:
    """Build the ONNX inference model of a graph.

    Inputs and outputs have the spec's names (but see `output_names`), the batch axis is named ``batch``, a free axis has its
    symbol's name, and tensors are named after their layers. Equal graphs and weights result in equal bytes.

    Args:
        graph: The graph; layers that no output needs are omitted.
        weights: The arrays by identity, ``enc1/conv2d/kernel``; unused ones are ignored.
        opset: The ONNX opset, 17 to 26. An older one is used if a layer's operators are not implemented in it.
        metadata: Model metadata, in addition to nnspec's version and the conditions on free sizes.
        masks: Whether to output the mask of each output that has one, as ``NAME_mask``, boolean. By default true for a network
            of ``networks``, so that networks can be run one after another, and false for the main network.
        preprocessing: The preprocessing of inputs, by name.
        postprocessing: The postprocessing of outputs, by name.
        search: Adds the nearest neighbors of an output with a vector; None for none.
        passes: The rewrites of the graph; by default all.

    Raises:
        NnspecError: If a weight is missing or has a different shape, or the opset is not supported.
    """
    if opset not in OPSETS:
        raise NnspecError(f"ONNX opset {opset} is not supported; use {OPSETS.start} to {OPSETS.stop - 1}")
    seen = {name: found.as_json() for name, found in output_receptive_fields(graph).items()}
    names = output_names(graph)
    graph = replace(graph, outputs={names[name]: ref for name, ref in graph.outputs.items()})
    b = Builder(newest_opset((node.layer for node in graph.every_node()), opset), graph.conditions)
    searched = (INDICES, SIMILARITY) if search is not None else ()
    interface = Interface(b, graph.inputs, [*graph.outputs, *searched], preprocessing or {})
    values = lowered(b, graph, weights, interface.given)
    outputs: dict[str, TensorType] = {}
    after = {names[name]: own for name, own in (postprocessing or {}).items() if name in names}
    for name in graph.outputs:
        if name in after:
            values[name] = _postprocessed(b, after[name], values[name])
        wanted = graph.name != "main" if masks is None else masks
        outputs |= interface.give(name, values[name], wanted)
    if search is not None:
        vector = values[names[search.output]]
        outputs |= search.lower(b, vector.name, vector.type.dtype)
    model_metadata = {VERSION: nnspec.__version__, **(metadata or {})}
    if renamed := {given: name for name, given in names.items() if given != name}:
        model_metadata[OUTPUTS] = json.dumps(renamed)
    if graph.conditions:
        model_metadata[CONDITIONS] = json.dumps(graph.conditions.as_json())
    rows = {ref.source: rows for ref, rows in table_rows(graph).items()}
    if chosen := {name: rows[name] for name in graph.inputs if name in rows and name not in (preprocessing or {})}:
        model_metadata[ROWS] = json.dumps(chosen)
    if seen:
        model_metadata[FIELDS] = json.dumps(seen)
    return finish(
        b,
        interface.inputs,
        outputs,
        name=graph.name,
        metadata=model_metadata,
        version=nnspec.__version__,
        passes=passes,
    )


def _postprocessed(b: Builder, own: OutputPostprocessing, value: Value) -> Value:
    """Apply the postprocessing of an output."""
    type = replace(value.type, dtype=own.dtype)
    return replace(value, name=own.lower(b, value.name), type=type)


def output_names(graph: Graph) -> dict[str, str]:
    """The ONNX name of each output: the spec's name, or ``state_out`` if an input is named ``state``.

    ONNX tensors have unique names; in Keras and the spec an input and an output may share a name.
    """
    names: dict[str, str] = {}
    for name in graph.outputs:
        own = name
        while own in graph.inputs or own in names.values() or (own != name and own in graph.outputs):
            own += "_out"
        names[name] = own
    return names
