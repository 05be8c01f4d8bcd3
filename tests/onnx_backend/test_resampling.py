"""Pictures resized, pooled to one size and unpooled: the places are those of TensorFlow, at every size."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.session import runner

from .nets import graph_of, random_weights, types


def agree(graph: Graph, *shapes: tuple[int, ...]) -> None:
    random, weights = np.random.default_rng(0), random_weights(graph)
    [name] = graph.inputs
    run = runner(serialized(to_onnx(graph, weights)))
    pictures = [{name: random.uniform(0, 1, (2, *shape)).astype("float32")} for shape in shapes]
    parity = measure(keras_reference(graph, weights), run, pictures)
    assert parity.agrees, parity.text()


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_a_free_size_far_from_the_wanted_one_is_resized_as_in_tensorflow(interpolation: str) -> None:
    layer = f"  - Resizing: {{height: 224, width: 96, interpolation: {interpolation}}}\n"
    agree(graph_of(layer, "{x: [H, W, 1]}"), (500, 333, 1), (31, 1080, 1))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("antialias", ["true", "false"])
def test_a_large_picture_is_resized_as_in_tensorflow(interpolation: str, antialias: str) -> None:
    layer = f"  - Resizing: {{height: 224, width: 96, interpolation: {interpolation}, antialias: {antialias}}}\n"
    agree(graph_of(layer, "{x: [500, 41, 1]}"), (500, 41, 1))


def test_a_picture_made_twice_as_large_is_one_operator() -> None:
    graph = graph_of("  - Resizing: {height: 16, width: 24}\n", "{x: [8, 12, 1]}")
    assert [type_ for type_ in types(to_onnx(graph, {})) if type_ not in ("Reshape", "Transpose")] == ["Resize"]


def test_windows_of_one_size_are_an_ordinary_pooling() -> None:
    for op, operator in (("AdaptiveAveragePooling2D", "AveragePool"), ("AdaptiveMaxPooling2D", "MaxPool")):
        graph = graph_of(f"  - {op}: [2, 4]\n", "{x: [6, 12, 8]}")
        assert types(to_onnx(graph, {})) == ["Transpose", operator, "Transpose"]


def test_a_single_output_is_a_global_pooling() -> None:
    graph = graph_of("  - AdaptiveAveragePooling2D: 1\n  - Flatten\n", "{x: [H, W, 8]}")
    assert "GlobalAveragePool" in types(to_onnx(graph, {}))


def test_what_is_cut_from_the_middle_must_have_room_in_a_free_size() -> None:
    graph = graph_of("  - CenterCrop: {height: 9, width: 5}\n", "{x: [H, W, 1]}")
    assert {name: condition.at_least for name, condition in graph.conditions.items()} == {"H": 9, "W": 5}
    agree(graph, (9, 5, 1), (12, 20, 1))


def test_values_return_to_where_they_were_found_whatever_the_size() -> None:
    graph = graph_of(
        """
  - MaxPoolingWithIndices2D: {pool_size: 2}
    name: pool
  - MaxUnpooling2D:
    from: {x: pool, indices: pool.indices, like: x}
    name: back
  - Conv2D: {filters: 2, kernel_size: 3, padding: same}
    name: y
""",
        "{x: [H, W, 2]}",
        "[back, y]",
    )
    agree(graph, (6, 8, 2), (7, 9, 2))
    picture = np.random.default_rng(1).permuted(np.arange(1, 64, dtype="float32")).reshape(1, 7, 9, 1).repeat(2, axis=-1)
    back = runner(serialized(to_onnx(graph, random_weights(graph))))({"x": picture})["back"]
    best = picture[:, :6, :8].reshape(1, 3, 2, 4, 2, 2).max(axis=(2, 4))
    assert np.array_equal(back, np.where(np.isin(picture, best), picture, 0))
