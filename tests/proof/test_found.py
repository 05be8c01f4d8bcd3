"""What drawn documents found, each made small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.emit import to_onnx
from nnspec.runtime.session import Run

from ..onnx_backend.nets import graph_of, random_weights, types
from .exact import only_coarse
from .judge import REFUSED, Unproven, judge


@pytest.mark.parametrize(
    ("layers", "inputs"),
    [
        ("  - CenterCrop: {height: 2, width: 4}\n  - UpSampling2D: {interpolation: bicubic}", "{x: [9, W, 4]}"),
        ("  - CenterCrop: {height: 3, width: 3}\n  - LayerNormalization: {axis: [1, 2]}", "{x: [H, W, 2]}"),
        ("  - CenterCrop: {height: 4, width: 4}\n  - CenterCrop: {height: 6, width: 5}", "{x: [H, 9, 1]}"),
        (
            "  - TimeDistributed: {layer: {CenterCrop: {height: 2, width: 8}}}\n  - LayerNormalization: {axis: 3}",
            "{x: [3, H, W, 2]}",
        ),
        ("  - TimeDistributed: {layer: {CenterCrop: {height: 4, width: 8}}}", "{x: [T, 9, W, 2]}"),
    ],
)
def test_what_is_cut_from_the_middle_has_a_known_size_in_a_compiled_function(layers: str, inputs: str) -> None:
    judge(graph_of(layers, inputs))


@pytest.mark.parametrize("layer", ["Conv2D: {filters: 3, ", "SeparableConv2D: {filters: 3, ", "DepthwiseConv2D: {"])
def test_a_dilated_convolution_keeps_the_known_size_beside_a_free_one(layer: str) -> None:
    """In a compiled function TensorFlow forgets both, and a normalization along the known axis needs its size."""
    convolution = f"  - {layer}kernel_size: 3, dilation_rate: 2, padding: same}}"
    judge(graph_of(f"{convolution}\n  - LayerNormalization: {{axis: 2}}", "{x: [H, 9, 2]}"))


@pytest.mark.parametrize("axis", ["-1", "2", "[1, 3, 5]"])
def test_shares_are_taken_of_tensors_of_more_axes_than_tensorflows_kernel_knows(axis: str) -> None:
    layers = f"  - Reshape: [2, 3, 2, 2, 2]\n  - Softmax: {{axis: {axis}}}"
    try:
        judge(graph_of(layers, "{x: [48]}"))
    except Unproven as reason:  # of one axis Keras's own softmax is left to TensorFlow, on this processor to oneDNN
        assert not axis.startswith("[")
        assert str(reason) == REFUSED
        pytest.skip(str(reason))


@pytest.mark.parametrize("layer", ["Resizing: {height: 8, width: 12}", "UpSampling2D: {interpolation: bilinear}"])
def test_what_is_resized_may_come_from_a_convolution_with_its_axes_permuted(layer: str) -> None:
    layers = f"  - Conv2D: {{filters: 3, kernel_size: 3}}\n  - Permute: {{dims: [2, 3, 1]}}\n  - {layer}"
    judge(graph_of(layers, "{x: [6, 8, 2]}"))


def test_an_ordinary_picture_is_resized_without_a_reshape() -> None:
    layers = "  - Conv2D: {filters: 3, kernel_size: 3}\n  - UpSampling2D: {interpolation: bilinear}"
    graph = graph_of(layers, "{x: [6, 8, 2]}")
    assert types(to_onnx(graph, random_weights(graph))) == ["Transpose", "Conv", "Resize", "Transpose"]


def test_one_tensor_read_as_it_is_and_permuted_is_brought_into_each_order_of_its_own() -> None:
    steps = """
  - Conv2D: {filters: 2, kernel_size: 1}
  - RMSNormalization:
    name: straight
  - Permute: {dims: [2, 1, 3]}
    from: conv2d
  - RMSNormalization:
    name: turned
"""
    judge(graph_of(steps, "{x: [3, 4, 2]}", "[straight, turned]"))
    judge(graph_of(steps, "{x: [4, 4, 2]}", "[straight, turned]"))


# A series times itself shuts all gates of the LSTM behind it.
SHUT = """
  - MaxPooling2D
  - Mean: {axis: 2}
    name: mean
  - Dot: {axes: [2, 2]}
    from: [mean, mean]
  - LSTM: {units: 1, use_bias: false}
"""


def test_gates_that_are_nearly_shut_are_no_mistake() -> None:
    judge(graph_of(SHUT, "{x: [8, W, 4]}"), seed=0)


@pytest.mark.parametrize(("given", "reported"), [(1e-7, True), (1e-6, False)])
def test_only_the_last_bit_of_a_gate_is_not_taken_for_a_mistake(given: float, reported: bool) -> None:
    def run(y: float) -> Run:
        return lambda inputs: {"y": np.float32(y) + 0 * inputs["x"]}

    cases = [{"x": np.ones((2, 3), "float32")}]
    assert only_coarse(run(1e-6), run(1e-6 + given), run(1e-6), cases) is reported
    assert not only_coarse(run(2e-6), run(1e-6), run(1e-6), cases)


def test_a_mistake_in_a_file_with_gates_is_not_taken_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    write: Callable[..., list[str]] = Builder.ops

    def without_bias(self: Builder, type: str, inputs: Sequence[str], *rest: Any, **attributes: Any) -> list[str]:
        given = [name if place != 3 else "" for place, name in enumerate(inputs)] if type == "LSTM" else inputs
        return write(self, type, given, *rest, **attributes)

    monkeypatch.setattr(Builder, "ops", without_bias)
    with pytest.raises(AssertionError, match="differs"):
        judge(graph_of("  - LSTM: {units: 3}", "{x: [5, 4]}"))


def test_a_mean_taken_away_leaves_something_of_every_input() -> None:
    judge(graph_of("  - BatchNormalization: {center: false, scale: false}", "{x: [4]}"))
