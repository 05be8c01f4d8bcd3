"""One drawn document, compiled and proven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import nnspec
from nnspec.graph import Graph, Model
from nnspec.onnx_backend.samples import sizes
from nnspec.types import Dim, TensorType, substitute

from .documents import Document
from .judge import concrete, judge

__all__ = ["check_outputs", "compiled", "counts", "prove_document"]


def compiled(text: str) -> Model:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "drawn.nnspec.yaml"
        file.write_text(text, encoding="utf-8")
        return nnspec.compile(nnspec.load(file))


def prove_document(document: Document, opset: int = 23) -> Model:
    """Compiles a drawn document, holds its outputs against what was drawn, and proves each of its networks.

    Raises:
        AssertionError: What differs.
        SpecError: Where the compiler refuses what its own layers take.
        Unproven: Where nothing can be concluded.
    """
    model = compiled(document.text)
    check_outputs(model.main, document.outputs)
    for graph in model.networks.values():
        judge(graph, opset)
    return model


def check_outputs(graph: Graph, drawn: Mapping[str, TensorType]) -> None:
    """What was compiled gives what was drawn; sizes are compared as numbers, for a free one may be written in several ways.

    Layers that must agree bind sizes to others: those that were drawn are bound in the same way.
    """
    assert list(graph.output_types) == list(drawn)

    def bound(shape: tuple[int | Dim, ...]) -> tuple[int | Dim, ...]:
        return tuple(substitute(size, graph.bound) for size in shape)

    for name, found in graph.output_types.items():
        wanted = drawn[name]
        assert (found.dtype, found.mask is None) == (wanted.dtype, wanted.mask is None), f"{name}: {found}, drawn {wanted}"
        for free in sizes(graph):
            for one, other in ((found.shape, wanted.shape), (found.mask or (), wanted.mask or ())):
                assert concrete(one, 1, free) == concrete(bound(other), 1, free), f"{name}: {found}, drawn {wanted}"


def counts(model: Model) -> Counter[str]:
    """How many layers of each family a document's networks have, those in cells included."""
    return Counter(
        type(node.layer).__module__.rpartition(".")[2] for graph in model.networks.values() for node in graph.every_node()
    )
