"""The nearest rows in an ONNX graph are those in NumPy."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.search import VectorSearch
from nnspec.runtime.neighbors import KnowledgeBase, Neighbors
from nnspec.runtime.session import runner
from tests.onnx_backend.nets import graph_of


@pytest.fixture(scope="module")
def graph():
    return graph_of("  - ReLU:\n    name: vector\n", "{x: [6]}")


def vectors(rows, seed=0):
    return np.abs(np.random.default_rng(seed).normal(size=(rows, 6))).astype(np.float32)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("opset", [17, 23])
def test_a_model_finds_the_nearest_rows(graph, similarity, opset):
    base, asked = vectors(40), 3 * vectors(9, seed=1)
    search = VectorSearch.of("vector", base, 5, similarity)
    answer = runner(serialized(to_onnx(graph, {}, opset=opset, search=search)))({"x": asked})
    scores = asked.astype(np.float64) @ base.T
    if similarity == "cosine":
        scores /= np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(base, axis=1)[None]
    wanted = np.argsort(-scores, axis=1)[:, :5]
    np.testing.assert_array_equal(answer["neighbors"], wanted)
    np.testing.assert_allclose(answer["similarity"], np.take_along_axis(scores, wanted, 1), rtol=1e-5)
    rows, found = search.nearest(asked)
    np.testing.assert_array_equal(rows, wanted)
    np.testing.assert_allclose(found, answer["similarity"], rtol=1e-5)


def test_there_are_no_more_neighbors_than_rows(graph):
    search = VectorSearch.of("vector", vectors(3), 10, "cosine")
    answer = runner(serialized(to_onnx(graph, {}, search=search)))({"x": vectors(2)})
    assert answer["neighbors"].shape == (2, 3)


def test_a_vector_of_zeros_has_similarity_zero(graph):
    search = VectorSearch.of("vector", vectors(3), 1, "cosine")
    answer = runner(serialized(to_onnx(graph, {}, search=search)))({"x": np.zeros((1, 6), np.float32)})
    assert answer["similarity"].tolist() == [[0.0]]


def test_a_model_with_other_vectors_is_not_written(graph):
    search = VectorSearch.of("vector", vectors(40), 5, "dot")
    model = to_onnx(graph, {}, search=search)
    assert search.verify(model, "vector", [{"x": vectors(4)}]) < 1e-6
    for constant in model.graph.initializer:
        if constant.name.endswith("vectors"):
            changed = numpy_helper.to_array(constant) * 1.01
            constant.CopyFrom(numpy_helper.from_array(changed, constant.name))
    onnx.checker.check_model(model)
    with pytest.raises(NnspecError, match="differ from those in NumPy by"):
        search.verify(model, "vector", [{"x": vectors(4)}])


@pytest.mark.parametrize(
    "given",
    [
        {"rows": 2},
        {"rows": 2, "output": "v", "columns": {"a": ["x"]}},
        {"rows": "2", "output": "v", "columns": {}},
        {"rows": 1, "output": "v", "columns": {"a": 3}},
    ],
)
def test_damaged_metadata_are_refused(given):
    with pytest.raises(ValueError, match=r"missing|different lengths"):
        KnowledgeBase.from_json(given)


def test_rows_that_the_knowledge_base_does_not_have_are_refused():
    base = KnowledgeBase(2, "v", {"a": ["x", "y"]})
    outputs = {"neighbors": np.array([[2]]), "similarity": np.array([[0.5]])}
    with pytest.raises(NnspecError, match="does not have"):
        base.found(outputs)
    with pytest.raises(NnspecError, match="not the outputs"):
        base.found({"neighbors": np.array([[1]])})


def test_more_neighbors_than_a_model_returns_are_refused():
    neighbors = Neighbors(np.array([[1, 0]]), np.array([[0.5, 0.1]]), KnowledgeBase(2, "v", {}))
    assert neighbors.first(1).rows.tolist() == [[1]]
    with pytest.raises(NnspecError, match="3 neighbors are requested, and the model returns 2 of 2 rows"):
        neighbors.first(3)
