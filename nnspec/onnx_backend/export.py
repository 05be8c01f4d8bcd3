"""Writes a model that has been proven equal to its reference, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import ArrayLike

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.graph.model import Graph, Ref
from nnspec.onnx_backend.emit import output_names, to_onnx
from nnspec.onnx_backend.metadata import PARITY
from nnspec.onnx_backend.parity import Arrays, Parity, Run, measure, nudged
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw
from nnspec.onnx_backend.session import runner

__all__ = ["export", "first_difference", "prove"]


def export(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    path: str | Path,
    *,
    reference: Run,
    rebuild: Callable[[Graph], Run] | None = None,
    golden: Sequence[Arrays] = (),
    opset: int = 23,
    metadata: Mapping[str, str] | None = None,
    seed: int = 0,
    check_size: Callable[[int], None] | None = None,
) -> Parity:
    """Writes the ONNX model of a graph, if it computes what the reference does.

    Args:
        graph: What to export.
        weights: Its arrays by identity, ``enc1/conv2d/kernel``.
        path: The file; it appears only when everything is proven, and whole.
        reference: Runs the graph in Keras with the same weights: inputs by name to outputs by name.
        rebuild: The same for the same layers with other outputs: lets the error name the first layer that differs.
        golden: Batches of real inputs, tried beside random ones.
        opset: The version of ONNX's operators.
        metadata: Written into the model, beside nnspec's version and the parity.
        seed: Of the random inputs.
        check_size: Is told how many bytes the file will have, and raises where that is too many.

    Returns:
        How far the file is from the reference.

    Raises:
        NnspecError: Where an output differs (with the figures), the graph cannot be written, or the file cannot.
    """
    model = to_onnx(graph, weights, opset=opset, metadata=metadata)
    parity = prove(graph, weights, model, reference, golden=golden, opset=opset, seed=seed)
    if not parity.agrees:
        raise NnspecError(_difference(graph, weights, parity, rebuild, opset, seed))
    told = {entry.key: entry.value for entry in model.metadata_props} | {PARITY: json.dumps(parity.as_json())}
    onnx.helper.set_model_props(model, dict(sorted(told.items())))
    content = serialized(model)
    if check_size is not None:
        check_size(len(content))
    write_whole(Path(path), content)
    return parity


def prove(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    model: onnx.ModelProto,
    reference: Run,
    *,
    golden: Sequence[Arrays] = (),
    opset: int = 23,
    seed: int = 0,
) -> Parity:
    """How far a model of a graph is from the reference, on random and golden inputs.

    Args:
        graph: What the model was made of.
        weights: Likewise.
        model: The model.
        reference: Runs the graph in Keras.
        golden: Batches of real inputs.
        opset: The version of ONNX's operators.
        seed: Of the random inputs.
    """
    names = output_names(graph)
    graph = replace(graph, outputs={names[name]: ref for name, ref in graph.outputs.items()})

    def named(inputs: Arrays) -> Arrays:
        return {names[name]: array for name, array in reference(inputs).items()}

    moved = masks = None
    if any(type.is_integer for type in graph.inputs.values()):
        floats = {name: np.asarray(array) for name, array in weights.items()}
        moved = runner(serialized(to_onnx(graph, nudged(floats, np.random.default_rng(seed)), opset=opset)))
    if any(type.mask is not None for type in graph.output_types.values()):
        masks = _masks(graph, runner(serialized(to_onnx(graph, weights, opset=opset, masks=True))))
    cases = [*draw(graph, seed=seed), *golden]
    return measure(named, runner(serialized(model)), cases, moved=moved, masks=masks, seed=seed)


def first_difference(
    graph: Graph, weights: Mapping[str, ArrayLike], rebuild: Callable[[Graph], Run], *, opset: int = 23, seed: int = 0
) -> str | None:
    """The first layer whose output differs from Keras's, each layer written on its own; None where all agree.

    Args:
        graph: What to look through.
        weights: Its arrays by identity.
        rebuild: Runs the same layers with other outputs in Keras.
        opset: The version of ONNX's operators.
        seed: Of the random inputs.
    """
    refs = [Ref(node.name, output) for node in graph.nodes.values() for output in node.outputs]
    opened = replace(graph, outputs={f"{ref.source}/{ref.output}/opened": ref for ref in refs})
    parity = prove(opened, weights, to_onnx(opened, weights, opset=opset), rebuild(opened), opset=opset, seed=seed)
    return next((ref.source for name, ref in opened.outputs.items() if name in parity.differing), None)


def _difference(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    parity: Parity,
    rebuild: Callable[[Graph], Run] | None,
    opset: int,
    seed: int,
) -> str:
    lines = [f"  `{name}`: {figures}" for name, figures in parity.differing.items()]
    text = "\n".join(["the ONNX model differs from the Keras model, so no file is written:", *lines])
    if rebuild is None:
        return text
    layer = first_difference(graph, weights, rebuild, opset=opset, seed=seed)
    if layer is None:
        return f"{text}\nEach layer on its own agrees: the difference comes from how they are joined."
    return f"{text}\nThe first layer that differs is `{layer}` ({graph.nodes[layer].op}, {graph.nodes[layer].span})."


def _masks(graph: Graph, run: Run) -> Run:
    masked = [name for name, type in graph.output_types.items() if type.mask is not None]

    def masks(inputs: Arrays) -> Arrays:
        given = run(inputs)
        return {name: given[f"{name}_mask"] for name in masked}

    return masks
