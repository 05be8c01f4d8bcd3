"""``export``: a run's ONNX model, proven equal to its Keras model."""

from __future__ import annotations

import json
from pathlib import Path

from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import Graph
from nnspec.graph.budget import check_onnx_bytes
from nnspec.graph.exported import exported, read_export
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.onnx_backend.export import export
from nnspec.onnx_backend.metadata import CLASSES, DATA, SPEC_HASH, SPEC_NAME
from nnspec.onnx_backend.parity import Parity
from nnspec.onnx_backend.parity import Run as Answers
from nnspec.runtime.answers import answering
from nnspec.runtime.raw_inputs import raw_inputs
from nnspec.training import Run, golden_rows

__all__ = ["export_run"]

GOLDEN_ROWS = 64
"""Real examples on which the file is compared with Keras, beside random ones."""


def export_run(path: str | Path, out: str | Path, *, opset: int | None = None) -> Parity:
    """Writes the ONNX model of a run's best weights, if it computes what Keras computes.

    Args:
        path: The run folder.
        out: The file; it appears whole, or not at all.
        opset: The version of ONNX's operators; what the spec says by default.

    Returns:
        How far the file is from Keras.

    Raises:
        NnspecError: Where the run is damaged, or an output differs.
    """
    run = Run.open(path)
    problems: list[Diagnostic] = []
    section = read_export(run.spec, run.model, problems)
    if section is None or any(problem.is_error for problem in problems):
        raise SpecError(problems)
    graph = exported(section, run.model)
    weights = run.weights()
    table, golden = golden_rows(run, GOLDEN_ROWS)
    # The transforms are those of the document's own inputs.
    of_main = graph.name == "main"
    served, entries = raw_inputs(run.recipe(), table, graph.inputs) if of_main else (run.recipe(), None)
    metadata = {
        SPEC_NAME: run.name,
        SPEC_HASH: run.spec.hash,
        CLASSES: json.dumps(
            {name: [str(c) for c in classes] for name, classes in run.classes().items() if name in graph.outputs}
        ),
        DATA: json.dumps(served),
    }

    def keras_of(graph: Graph) -> Answers:
        model = to_keras(graph)
        names = {identity for identity, *_ in graph.weights()}
        set_weight_arrays(model, graph, {name: array for name, array in weights.items() if name in names})
        return answering(model)

    return export(
        graph,
        weights,
        out,
        reference=keras_of(graph),
        rebuild=keras_of,
        golden=[{name: golden[name] for name in graph.inputs}] if all(name in golden for name in graph.inputs) else [],
        entries=entries,
        opset=opset or section.opset,
        metadata=metadata,
        check_size=lambda size: check_onnx_bytes(run.spec, size),
    )
