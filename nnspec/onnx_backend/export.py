"""Writes a model that has been proven equal to its reference, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.entry import Entries, Exit
from nnspec.onnx_backend.parity import Parity, Reference
from nnspec.onnx_backend.proof import first_difference, prove, prove_entries, prove_varied
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
    entries: Entries | None = None,
    exits: Mapping[str, Exit] | None = None,
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
        entries: What stands before the inputs in the file, proven too; None for nothing.
        exits: What stands behind the outputs in the file, proven too; None for nothing.
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
    if entries is not None or exits:
        before = entries.inputs if entries is not None else {}
        model = to_onnx(graph, weights, opset=opset, metadata=metadata, entries=before, exits=exits)
        around = (entries, exits or {}, model, reference)
        entered = prove_entries(graph, weights, *around, golden=golden, opset=opset, seed=seed)
        if not entered.agrees:
            raise NnspecError(_difference(graph, entered, None, bisected=False) + _ENTERED)
        parity = parity.joined(entered)
    content = sealed(model, parity.as_json())
    if check_size is not None:
        check_size(len(content))
    write_whole(Path(path), content)
    return parity


_DRAWN = "\nWith its own weights the network agrees, and proves little: its outputs do not vary, or weights are all 0 or 1."
_ENTERED = "\nWithout the transforms of inputs and targets both agree: the difference comes from these."


def _difference(graph: Graph, parity: Parity, first: str | None, *, bisected: bool) -> str:
    lines = ["the ONNX model differs from the Keras model, so no file is written:"]
    lines += [f"  `{name}`: {figures}" for name, figures in parity.differing.items()]
    lines += [f"  Keras in float64 could not decide: {parity.unasked}"] if parity.unasked else []
    if first is not None:
        lines.append(f"The first layer that differs is `{first}` ({graph.nodes[first].op}, {graph.nodes[first].span}).")
    elif bisected:
        lines.append("Each layer on its own agrees: the difference comes from how they are joined.")
    return "\n".join(lines)
