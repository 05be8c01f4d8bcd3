"""A graph and its weights become an ONNX model. No framework takes part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import onnx
from numpy.typing import ArrayLike

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.graph.model import Graph
from nnspec.graph.receptive_field import output_receptive_fields
from nnspec.graph.tables import table_rows
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.interface import Interface
from nnspec.onnx_backend.lowered import lowered
from nnspec.onnx_backend.preprocessing import InputPreprocessing, OutputPostprocessing
from nnspec.onnx_backend.proto import finish
from nnspec.onnx_backend.value import Value
from nnspec.runtime.metadata import CONDITIONS, FIELDS, OUTPUTS, ROWS, VERSION
from nnspec.types import TensorType

__all__ = ["OPSETS", "output_names", "to_onnx"]

OPSETS = range(17, min(26, onnx.defs.onnx_opset_version()) + 1)
"""The versions of ONNX's operators that can be written: ONNX Runtime 1.31 reads none above 26."""


def to_onnx(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    *,
    opset: int = 23,
    metadata: Mapping[str, str] | None = None,
    masks: bool | None = None,
    preprocessing: Mapping[str, InputPreprocessing] | None = None,
    postprocessing: Mapping[str, OutputPostprocessing] | None = None,
) -> onnx.ModelProto:
    """The ONNX model of a graph, in inference.

    Its inputs and outputs bear the spec's names (but see `output_names`), the batch axis is called ``batch``, a free axis by
    its symbol, and every tensor is named after the layer it comes from. The same graph and weights give the same bytes.

    Args:
        graph: What to write; layers that no output needs are left out.
        weights: Its arrays by identity, ``enc1/conv2d/kernel``; those that are not needed are not looked at.
        opset: The version of the operators, 17 to 26.
        metadata: Written into the model beside nnspec's version and the conditions on free sizes.
        masks: Whether an output that carries a mask is followed by that mask, ``NAME_mask``, boolean. By default it is in a
            network of ``networks``, so that networks run apart equal the whole, and not in the document's own.
        preprocessing: The preprocessing of inputs, by name.
        postprocessing: The postprocessing of outputs, by name.

    Raises:
        NnspecError: Where a weight is missing or has another shape, or the opset is another.
    """
    if opset not in OPSETS:
        raise NnspecError(f"ONNX opset {opset} cannot be written; choose one from {OPSETS.start} to {OPSETS.stop - 1}")
    seen = {name: found.as_json() for name, found in output_receptive_fields(graph).items()}
    names = output_names(graph)
    graph = replace(graph, outputs={names[name]: ref for name, ref in graph.outputs.items()})
    b = Builder(opset, graph.conditions)
    interface = Interface(b, graph.inputs, graph.outputs, preprocessing or {})
    values = lowered(b, graph, weights, interface.given)
    outputs: dict[str, TensorType] = {}
    after = {names[name]: own for name, own in (postprocessing or {}).items() if name in names}
    for name, ref in graph.outputs.items():
        if name in after:
            values[name] = _postprocessed(b, after[name], values[name])
        wanted = graph.name != "main" if masks is None else masks
        outputs |= interface.give(name, ref.source, values[name], wanted)
    told = {VERSION: nnspec.__version__, **(metadata or {})}
    if renamed := {given: name for name, given in names.items() if given != name}:
        told[OUTPUTS] = json.dumps(renamed)
    if graph.conditions:
        told[CONDITIONS] = json.dumps(graph.conditions.as_json())
    rows = {ref.source: rows for ref, rows in table_rows(graph).items()}
    if chosen := {name: rows[name] for name in graph.inputs if name in rows and name not in (preprocessing or {})}:
        told[ROWS] = json.dumps(chosen)
    if seen:
        told[FIELDS] = json.dumps(seen)
    return finish(
        b,
        interface.inputs,
        outputs,
        name=graph.name,
        metadata=told,
        version=nnspec.__version__,
    )


def _postprocessed(b: Builder, own: OutputPostprocessing, value: Value) -> Value:
    """An output after its postprocessing."""
    type = replace(value.type, dtype=own.dtype)
    return replace(value, name=own.lower(b, value.name), type=type, linear=None)


def output_names(graph: Graph) -> dict[str, str]:
    """What each output is called in ONNX: as in the spec, but ``state_out`` where an input is called ``state`` too.

    ONNX has one name for one tensor; Keras, and the spec, name inputs and outputs apart.
    """
    names: dict[str, str] = {}
    for name in graph.outputs:
        own = name
        while own in graph.inputs or own in names.values() or (own != name and own in graph.outputs):
            own += "_out"
        names[name] = own
    return names
