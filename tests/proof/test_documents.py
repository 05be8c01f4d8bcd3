"""Whole documents that nobody wrote, through the compiler, Keras and ONNX Runtime.

Each is made from its number alone, so that a number names it: ``python -m benchmarks proof --only 17`` shows and shrinks it.
(Drawn by Hypothesis, thirty documents are variations of five.)
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from nnspec.expressions.syntax import Call, Syntax, children, parse
from nnspec.functions.catalogue import FUNCTIONS
from nnspec.onnx_backend.builder import Builder
from nnspec.types import TensorType, symbol
from tests.conftest import FULL

from ..onnx_backend.nets import graph_of
from .documents import MOST_LAYERS, numbered
from .expressions import drawn_expressions
from .judge import Unproven, judge
from .proven import compiled, prove_document
from .smallest import smallest

COUNT = 3_000 if FULL else 16


@pytest.mark.filterwarnings("ignore:.*softmax over axis -1 of a tensor of shape", "ignore:.*invalid value encountered")
@pytest.mark.parametrize("number", range(COUNT))
def test_a_drawn_document_is_the_same_four_ways(number: int) -> None:
    try:
        prove_document(numbered(0, number))
    except Unproven as reason:
        pytest.skip(str(reason))


@pytest.mark.filterwarnings("ignore:.*softmax over axis -1 of a tensor of shape", "ignore:.*invalid value encountered")
@pytest.mark.parametrize("number", range(200 if FULL else 4))
def test_a_drawn_document_with_expressions_is_the_same_four_ways(number: int) -> None:
    try:
        prove_document(numbered(1, number, least=5, expressions=14))
    except Unproven as reason:
        pytest.skip(str(reason))


def called(tree: Syntax) -> set[str]:
    """The names of the functions that an expression calls."""
    found: set[str] = set()
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Call):
            found.add(node.function.name)
        stack.extend(children(node))
    return found


def test_expressions_are_drawn_of_all_functions() -> None:
    found: set[str] = set()
    x, i = TensorType((symbol("T"), 4)), TensorType((symbol("T"),), "int32")
    for number in range(1500):
        results = drawn_expressions(Random(number), {"a": x, "b": x, "c": TensorType((3,)), "i": i}, {"units": 3}) or {}
        for text in results.values():
            found |= called(parse(text, tensors=True))
    assert set(FUNCTIONS) <= found


def test_a_drawn_document_compiles_to_what_was_drawn() -> None:
    sizes = []
    for number in range(COUNT, COUNT + 100):
        model = compiled(numbered(0, number).text)
        sizes.append(len(model.main.nodes))
    assert max(sizes) <= MOST_LAYERS + 3
    assert sum(sizes) / len(sizes) > 6


def test_a_number_names_one_document() -> None:
    assert numbered(3, 5).text == numbered(3, 5).text != numbered(4, 5).text


def test_a_document_that_fails_is_made_small() -> None:
    text = "a: 1\nlayers: [Dense, {Conv: {units: 3, bad: true}, name: s}, ReLU]\noutputs: {y: s}\n"
    assert smallest(text, lambda other: "bad" in other) == "layers:\n- Conv: {bad: true}\n"


def test_rounding_inside_a_net_is_not_taken_for_a_mistake() -> None:
    judge(graph_of("  - GlobalAveragePooling1D\n  - Activation: {activation: tanh_shrink}\n", "{x: [400, 2]}"))


def test_a_mistake_is_not_taken_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    write: Callable[..., str] = Builder.op

    def without_bias(self: Builder, type: str, *inputs: str, **attributes: object) -> str:
        return write(self, type, *(inputs[:2] if type == "Gemm" else inputs), **attributes)

    monkeypatch.setattr(Builder, "op", without_bias)
    with pytest.raises(AssertionError, match="differs"):
        judge(graph_of("  - Dense: {units: 3}\n  - Activation: {activation: tanh_shrink}\n"))
