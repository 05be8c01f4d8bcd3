"""Exports a graph to an ONNX file, if it agrees with the Keras reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import onnx
from numpy.typing import ArrayLike

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import output_names, to_onnx
from nnspec.onnx_backend.parity import Parity, Reference
from nnspec.onnx_backend.passes import PASSES, Pass
from nnspec.onnx_backend.preprocessing import OutputPostprocessing, Preprocessing
from nnspec.onnx_backend.proof import first_difference, verify, verify_preprocessing, verify_varied
from nnspec.onnx_backend.proto import sealed
from nnspec.onnx_backend.samples import draw
from nnspec.onnx_backend.search import VectorSearch
from nnspec.runtime.session import Arrays, Run

Reduction = Callable[[Callable[..., onnx.ModelProto]], onnx.ModelProto]
"""Makes a model with smaller numbers from the function that builds the verified one, of ``passes``."""


def export(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    path: str | Path,
    *,
    reference: Run | Reference,
    rebuild: Callable[[Graph], Run | Reference] | None = None,
    golden: Sequence[Arrays] = (),
    preprocessing: Preprocessing | None = None,
    postprocessing: Mapping[str, OutputPostprocessing] | None = None,
    opset: int = 23,
    metadata: Mapping[str, str] | None = None,
    seed: int = 0,
    check_size: Callable[[int], None] | None = None,
    search: VectorSearch | None = None,
    passes: Sequence[Pass] = PASSES,
    reduced: Reduction | None = None,
) -> Parity:
    """Write the ONNX model of a graph if it agrees with the reference.

    Args:
        graph: The graph.
        weights: The arrays by identity, ``enc1/conv2d/kernel``.
        path: The file. It is written completely, after all checks pass, or not at all.
        reference: The Keras reference with the same weights: from named inputs to named outputs.
        rebuild: Builds the reference of a graph of the same layers with other outputs, to locate the first layer that differs.
        golden: Batches of real inputs, in addition to random ones.
        preprocessing: The preprocessing of inputs in the file, also verified; None for none.
        postprocessing: The postprocessing of outputs in the file, also verified; None for none.
        opset: The ONNX opset.
        metadata: Model metadata, in addition to nnspec's version and the parity record.
        seed: The seed of the random inputs.
        check_size: Receives the size of the file in bytes, and raises if it is too large.
        search: Adds the nearest neighbors of an output with a vector, also verified; None for none.
        passes: The rewrites of the ONNX graph.
        reduced: Makes the file that is written from the verified one; None to write that.

    Returns:
        The parity of the file and the reference.

    Raises:
        NnspecError: If an output differs, the graph cannot be lowered, or the file cannot be written.
    """
    built = partial(to_onnx, graph, weights, opset=opset, metadata=metadata, passes=passes)
    model = built()
    parity = verify(graph, weights, model, reference, golden=golden, opset=opset, seed=seed)
    if not parity.agrees:
        if all(result.is_undecided for result in parity.differing.values()):
            raise NnspecError(_undecided(graph, parity))
        first = rebuild and first_difference(graph, weights, rebuild, golden=golden, opset=opset, seed=seed)
        raise NnspecError(_difference(graph, parity, first, bisected=rebuild is not None))
    parity = verify_varied(graph, weights, parity, reference, opset=opset, seed=seed)
    if parity.drawn is not None and not parity.drawn.agrees:
        raise NnspecError(_difference(graph, parity.drawn, None, bisected=False) + _DRAWN)
    before = preprocessing.inputs if preprocessing is not None else {}
    if before or postprocessing:
        built = partial(built, preprocessing=before, postprocessing=postprocessing)
        model = built()
        around = (preprocessing, postprocessing or {}, model, reference)
        processed = verify_preprocessing(graph, weights, *around, golden=golden, opset=opset, seed=seed)
        if not processed.agrees:
            raise NnspecError(_difference(graph, processed, None, bisected=False) + _PROCESSED)
        parity = parity.joined(processed)
    if search is not None:
        built = partial(built, search=search)
        model = built()
        cases = preprocessing.cases if preprocessing is not None else [*draw(graph, seed=seed, empty_rows=False), *golden]
        parity = replace(parity, search=search.verify(model, output_names(graph)[search.output], cases))
    if reduced is not None:
        model = reduced(built)
    content = sealed(model, parity.as_json())
    if check_size is not None:
        check_size(len(content))
    write_whole(Path(path), content)
    return parity


_SHOWN = 3
_DRAWN = "\nWith its own weights the network agrees, but they hide differences: outputs do not vary, or weights are all 0 or 1."
_PROCESSED = "\nWithout the input and target transforms both agree: the difference is in the transforms."


def _undecided(graph: Graph, parity: Parity) -> str:
    """The error for outputs of which too many elements depend on ties; both models may be right."""
    lines = ["the outputs cannot be verified, so no file is written:"]
    lines += [f"  `{name}`: {result}" for name, result in parity.differing.items()]
    jumping = [node for node in graph.nodes.values() if node.layer.is_discontinuous(node.input_types)]
    shown = ", ".join(f"`{node.name}` ({node.op}, {node.span})" for node in jumping[:_SHOWN])
    more = f" and {len(jumping) - _SHOWN} more" if len(jumping) > _SHOWN else ""
    lines.append(f"Small changes make {shown}{more} jump: values are often equal to its thresholds, or to each other.")
    lines.append("  = help: put a threshold between the values of the data: `x > 0.404`, not `x > 0.4`, for multiples of 0.4")
    return "\n".join(lines)


def _difference(graph: Graph, parity: Parity, first: str | None, *, bisected: bool) -> str:
    lines = ["the ONNX model differs from the Keras model, so no file is written:"]
    lines += [f"  `{name}`: {result}" for name, result in parity.differing.items()]
    lines += [f"  Keras in float64 failed, so the quick bound decided: {parity.float64_error}"] if parity.float64_error else []
    if first is not None:
        lines.append(f"The first layer that differs is `{first}` ({graph.nodes[first].op}, {graph.nodes[first].span}).")
    elif bisected:
        lines.append("Each layer agrees by itself: the difference is in how the layers are connected.")
    return "\n".join(lines)
