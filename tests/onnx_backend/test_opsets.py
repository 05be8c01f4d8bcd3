"""Every version of ONNX's operators that can be asked for: the file loads, and answers as the usual one does."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
import pytest

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.graph.model import Graph
from nnspec.layers import LAYERS
from nnspec.onnx_backend.emit import OPSETS, to_onnx
from nnspec.onnx_backend.lower import newest_opset
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw
from nnspec.runtime.session import open_session, runner
from tests.conftest import CORPUS, FULL

from ..layers.cases import CASES, Case
from .nets import graph_of, random_weights

USUAL = 23
SIZES = {"T": 7, "S": 2, "H": 9, "W": 8, "C": 3}
OTHERS = [opset for opset in OPSETS if opset != USUAL]
NEWEST_IR = 13
"""What ONNX Runtime 1.31 reads."""

each_opset = pytest.mark.parametrize("opset", OTHERS if FULL else [OPSETS[0], OPSETS[-1]])


def of_each_family() -> list[Case]:
    """For each family of layers the case of most arguments."""
    found: dict[str, Case] = {}
    for case in CASES:
        family = LAYERS.modules[case.op]
        if family not in found or len(case.arguments) > len(found[family].arguments):
            found[family] = case
    return list(found.values())


def networks() -> Iterator[tuple[str, Graph]]:
    for file in sorted(CORPUS.glob("*.nnspec.yaml")):
        for name, graph in nnspec.compile(nnspec.load(file)).networks.items():
            yield f"{file.name.partition('.')[0]}-{name}", graph


NETWORKS = dict(networks())


def check_case(case: Case, opset: int) -> None:
    graph = case.graph()
    weights, data = case.weights(graph), case.data(3, SIZES)
    usual, other = (to_onnx(graph, weights, opset=number, masks=True) for number in (USUAL, opset))
    check_form(other, newest_opset((node.layer for node in graph.every_node()), opset))
    parity = measure(runner(serialized(usual)), runner(serialized(other)), [data])
    assert parity.agrees, (str(case), parity.text())


def check_form(model: onnx.ModelProto, opset: int) -> None:
    onnx.checker.check_model(model, full_check=True)
    assert [(used.domain, used.version) for used in model.opset_import] == [("", opset)]
    assert model.ir_version <= NEWEST_IR


@each_opset
@pytest.mark.parametrize("case", of_each_family(), ids=lambda case: case.op)
def test_a_layer_of_each_family_answers_the_same(case: Case, opset: int) -> None:
    check_case(case, opset)


@pytest.mark.full
@pytest.mark.parametrize("opset", OTHERS)
def test_every_case_of_every_layer_answers_the_same(opset: int) -> None:
    for case in CASES:
        check_case(case, opset)


@each_opset
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_corpus_answers_the_same(name: str, opset: int) -> None:
    graph = NETWORKS[name]
    weights = random_weights(graph)
    usual, other = (to_onnx(graph, weights, opset=number) for number in (USUAL, opset))
    check_form(other, opset)
    parity = measure(runner(serialized(usual)), runner(serialized(other)), draw(graph, empty_rows=False))
    assert parity.agrees, parity.text()


@pytest.mark.parametrize("opset", OPSETS)
def test_the_runtime_loads_every_version(opset: int) -> None:
    graph = graph_of("  - Dense: {units: 2, activation: gelu}\n")
    open_session(serialized(to_onnx(graph, random_weights(graph), opset=opset)))


def test_a_version_that_the_runtime_does_not_read_is_refused() -> None:
    graph = graph_of("  - Dense: {units: 2}\n")
    for opset in (OPSETS[0] - 1, OPSETS[-1] + 1):
        with pytest.raises(NnspecError, match=f"opset {opset} is not supported; use 17 to {OPSETS[-1]}"):
            to_onnx(graph, random_weights(graph), opset=opset)
