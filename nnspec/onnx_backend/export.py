"""Writes a model that has been proven equal to its reference, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import Parity, Reference
from nnspec.onnx_backend.preprocessing import OutputPostprocessing, Preprocessing
from nnspec.onnx_backend.proof import first_difference, prove, prove_preprocessing, prove_varied
from nnspec.onnx_backend.proto import sealed
from nnspec.runtime.session import Arrays, Run

__all__ = ["export"]


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
) -> Parity:
    """Writes the ONNX model of a graph, if it computes what the reference does.

    Args:
        graph: What to export.
        weights: Its arrays by identity, ``enc1/conv2d/kernel``.
        path: The file; it appears only when everything is proven, and whole.
        reference: Runs the graph in Keras with the same weights: inputs by name to outputs by name.
        rebuild: The same for the same layers with other outputs: lets the error name the first layer that differs.
        golden: Batches of real inputs, tried beside random ones.
        preprocessing: The preprocessing of inputs in the file, compared too; None for none.
        postprocessing: The postprocessing of outputs in the file, compared too; None for none.
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
        first = rebuild and first_difference(graph, weights, rebuild, golden=golden, opset=opset, seed=seed)
        raise NnspecError(_difference(graph, parity, first, bisected=rebuild is not None))
    parity = prove_varied(graph, weights, parity, reference, opset=opset, seed=seed)
    if parity.drawn is not None and not parity.drawn.agrees:
        raise NnspecError(_difference(graph, parity.drawn, None, bisected=False) + _DRAWN)
    if preprocessing is not None or postprocessing:
        before = preprocessing.inputs if preprocessing is not None else {}
        model = to_onnx(graph, weights, opset=opset, metadata=metadata, preprocessing=before, postprocessing=postprocessing)
        around = (preprocessing, postprocessing or {}, model, reference)
        processed = prove_preprocessing(graph, weights, *around, golden=golden, opset=opset, seed=seed)
        if not processed.agrees:
            raise NnspecError(_difference(graph, processed, None, bisected=False) + _PROCESSED)
        parity = parity.joined(processed)
    content = sealed(model, parity.as_json())
    if check_size is not None:
        check_size(len(content))
    write_whole(Path(path), content)
    return parity


_DRAWN = "\nWith its own weights the network agrees, and proves little: its outputs do not vary, or weights are all 0 or 1."
_PROCESSED = "\nWithout the transforms of inputs and targets both agree: the difference comes from these."


def _difference(graph: Graph, parity: Parity, first: str | None, *, bisected: bool) -> str:
    lines = ["the ONNX model differs from the Keras model, so no file is written:"]
    lines += [f"  `{name}`: {figures}" for name, figures in parity.differing.items()]
    lines += [f"  Keras in float64 could not decide: {parity.unasked}"] if parity.unasked else []
    if first is not None:
        lines.append(f"The first layer that differs is `{first}` ({graph.nodes[first].op}, {graph.nodes[first].span}).")
    elif bisected:
        lines.append("Each layer on its own agrees: the difference comes from how they are joined.")
    return "\n".join(lines)
