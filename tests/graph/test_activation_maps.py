"""Class activation maps: which outputs have one, and what it is."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.activation_maps import NoMapError, head_of, with_activation_maps
from tests.onnx_backend.nets import graph_of, random_weights

CONV = "  - Conv2D: {filters: 6, kernel_size: 3, activation: relu}\n"
DENSE = "  - Dense: {units: 4, activation: softmax}\n    name: y\n"
AVERAGE = "  - GlobalAveragePooling2D\n"
IMAGE = "{x: [H, W, 1]}"


def given(graph, inputs=None):
    """The outputs of a network with random weights, in Keras."""
    weights = random_weights(graph)
    inputs = inputs or {"x": np.random.default_rng(1).random((2, 9, 12, 1), np.float32)}
    return keras_reference(graph, weights)(inputs)


def softmax(values):
    shares = np.exp(values - values.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


ENDS = {
    "a Dense": AVERAGE + DENSE,
    "dropout before the Dense": AVERAGE + "  - Dropout: {rate: 0.5}\n" + DENSE,
    "the activation as a layer": AVERAGE + "  - Dense: {units: 4}\n  - Softmax:\n    name: y\n",
    "the mean with its axes kept": "  - GlobalAveragePooling2D: {keepdims: true}\n  - Flatten\n" + DENSE,
    "a convolution of 1 × 1": "  - GlobalAveragePooling2D: {keepdims: true}\n  - Conv2D: {filters: 4, kernel_size: 1}\n"
    "  - Reshape: [4]\n  - Activation: softmax\n    name: y\n",
    "an adaptive mean": "  - AdaptiveAveragePooling2D: 1\n  - Flatten\n" + DENSE,
    "two linear layers": AVERAGE + "  - Dense: {units: 3}\n" + DENSE,
    "the mean itself": "  - Conv2D: {filters: 4, kernel_size: 1}\n" + AVERAGE + "  - Softmax:\n    name: y\n",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_map_averaged_over_its_positions_is_what_the_activation_takes(end):
    graph = with_activation_maps(graph_of(CONV + end, IMAGE), ["y"])
    found = given(graph)
    assert found["y_map"].shape == (2, 7, 10, 4)
    np.testing.assert_allclose(softmax(found["y_map"].mean((1, 2))), found["y"], rtol=1e-4)
    assert [str(size) for size in graph.output_types["y_map"].shape] == ["H - 2", "W - 2", "4"]


def test_the_output_and_its_weights_stay_what_they_are():
    graph = graph_of(CONV + AVERAGE + DENSE, IMAGE)
    mapped = with_activation_maps(graph, ["y"])
    assert [name for name, *_ in mapped.weights()] == [name for name, *_ in graph.weights()]
    np.testing.assert_array_equal(given(mapped)["y"], given(graph)["y"])


def test_a_layer_that_is_shared_is_shared_still():
    steps = (
        "  - Conv2D: {filters: 6, kernel_size: 3}\n    name: c\n    from: a\n"
        "  - GlobalAveragePooling2D\n  - Dense: {units: 4, activation: softmax}\n    name: y\n"
        "  - share: c\n    from: b\n    name: d\n  - GlobalAveragePooling2D\n  - share: y\n    name: z\n"
    )
    graph = graph_of(steps, "{a: [8, 8, 1], b: [8, 8, 1]}", "[y, z]")
    mapped = with_activation_maps(graph, ["y", "z"])
    random = np.random.default_rng(0)
    inputs = {name: random.random((1, 8, 8, 1), np.float32) for name in "ab"}
    found = given(mapped, inputs)
    for name in "yz":
        np.testing.assert_allclose(softmax(found[f"{name}_map"].mean((1, 2))), found[name], rtol=1e-4)
    assert sum(1 for _ in mapped.weights()) == 4


def test_a_series_has_a_map_along_time():
    steps = "  - Conv1D: {filters: 6, kernel_size: 3}\n  - GlobalAveragePooling1D\n" + DENSE
    graph = with_activation_maps(graph_of(steps, "{x: [T, 2]}"), ["y"])
    found = given(graph, {"x": np.ones((1, 9, 2), np.float32)})
    assert found["y_map"].shape == (1, 7, 4)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("  - Flatten\n" + DENSE, r"`flatten` \(Flatten\) is not allowed between the mean"),
        ("  - GlobalMaxPooling2D\n" + DENSE, r"`global_max_pooling2d` \(GlobalMaxPooling2D\) is not allowed between the mean"),
        (
            AVERAGE + "  - Dense: {units: 8, activation: relu}\n    name: h\n" + DENSE,
            "`h` has the activation `relu` before `y`",
        ),
        ("  - AdaptiveAveragePooling2D: 2\n  - Flatten\n" + DENSE, "`flatten`"),
        (
            "  - GlobalAveragePooling2D: {keepdims: true}\n  - Conv2D: {filters: 4, kernel_size: 3, padding: same}\n    name: y\n",
            "`y`",
        ),
    ],
)
def test_another_end_has_none_and_the_layer_in_its_way_is_named(end, reason):
    with pytest.raises(NoMapError, match=reason):
        head_of(graph_of(CONV + end, "{x: [9, 9, 1]}"), "y")


def net(export, end=AVERAGE + DENSE, more=""):
    return f"nnspec: 1\nname: net\ninputs: {{x: [9, 9, 1]}}\nlayers:\n{CONV}{end}{more}export: {export}\n"


def test_validate_says_which_output_has_none_where_it_is_named(checked):
    [problem] = checked(net("{activation_maps: [y]}", "  - Flatten\n" + DENSE))[1]
    assert (problem.code, problem.path) == ("NN237", "export.activation_maps[0]")
    [problem] = checked(net("{activation_maps: [z]}"))[1]
    assert (problem.code, problem.span.column) == ("NN234", net("{activation_maps: [z]}").splitlines()[-1].index("z]") + 1)
    assert not checked(net("{activation_maps: [y]}"))[1]


def test_a_name_that_is_taken_is_refused(checked):
    end = "  - GlobalAveragePooling2D:\n    name: y_map\n" + DENSE
    [problem] = checked(net("{activation_maps: [y]}", end))[1]
    assert "the name `y_map` is in use" in problem.message
