"""Whether a spec that is accepted builds, and runs at the sizes that its conditions admit."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import onnxruntime

import nnspec
from nnspec.graph import Graph, Model
from nnspec.onnx_backend.emit import output_names
from nnspec.onnx_backend.samples import draw, sizes
from nnspec.spec import Spec
from nnspec.types import TensorType, substitute

from .oracle import admits, free_sizes, numeric, tried_sizes

__all__ = ["build_failure"]

_LARGEST = 200_000


def build_failure(spec: Spec, model: Model, folder: Path) -> str | None:
    """What goes wrong when the spec is built: an exception, a difference, a wrong shape; None where nothing does.

    Args:
        spec: A spec that is accepted.
        model: Its graphs.
        folder: An empty folder, in which it is built as ``nnspec build`` does it.
    """
    try:
        nnspec.build(spec, folder, seed=1)
        _check_samples(model.main)
        _run_elsewhere(spec, model.main, folder / "model.onnx")
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    return None


def _check_samples(graph: Graph) -> None:
    """A proof at one size alone is none where the conditions admit another."""
    names = free_sizes(graph)
    if not names:
        return
    found = [choice for choice in tried_sizes(names, Random(0)) if admits(graph, choice)]
    tried = sizes(graph)
    wrong = [choice for choice in tried if not admits(graph, choice)]
    assert not wrong, f"the build was proven at {wrong}, which the conditions do not admit"
    assert len(found) < 2 or len(tried) > 1, f"the build was proven at {tried} alone; {found[:3]} are admitted too"


def _run_elsewhere(spec: Spec, graph: Graph, file: Path) -> None:
    """ONNX Runtime at other sizes that are admitted: the shapes are those of the numeric spec."""
    names = free_sizes(graph)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    given = output_names(graph)
    *_, drawn = draw(graph)
    tried = 0
    for choice in tried_sizes(names, Random(1)) if names else ():
        if tried == 3 or not admits(graph, choice) or _elements(graph, choice) > _LARGEST:
            continue
        at_numbers, reason = numeric(spec, graph.inputs, choice)
        assert at_numbers is not None, f"{choice} is admitted: {reason}"
        tried += 1
        inputs = {name: np.resize(drawn[name], (2, *at_numbers.inputs[name].shape)) for name in graph.inputs}
        answers = dict(zip([x.name for x in session.get_outputs()], session.run(None, inputs), strict=True))
        for name, type in at_numbers.output_types.items():
            found = answers[given[name]].shape
            assert found == (2, *type.shape), f"at {choice} ONNX gives {found} for `{name}`, which is {type} with the batch"


def _elements(graph: Graph, choice: dict[str, int]) -> int:
    def count(type: TensorType) -> int:
        return int(np.prod([substitute(size, choice) for size in type.shape], dtype=np.int64))

    return max(count(type) for node in graph.nodes.values() for type in node.outputs.values())
