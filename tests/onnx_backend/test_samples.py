"""The inputs a graph is tried with."""

from __future__ import annotations

import numpy as np

from nnspec.onnx_backend.samples import draw, sizes
from nnspec.testing.case import Case, Input

from .nets import graph_of, lenet, tagger


def test_several_batch_sizes_and_two_lengths_are_drawn() -> None:
    shapes = [inputs["tokens"].shape for inputs in draw(tagger())]
    assert [shape[0] for shape in shapes] == [1, 2, 5, 1, 2, 5]
    assert len({shape[1] for shape in shapes}) == 2
    assert [inputs["image"].shape for inputs in draw(lenet())] == [(n, 28, 28, 1) for n in (1, 2, 5)]


def test_positions_stay_inside_the_picture_that_is_put_together() -> None:
    pooled = {"x": Input(("H", "W", 2)), "indices": Input(("H", "W", 2), "int32")}
    for inputs in draw(Case("MaxUnpooling2D", {"output_size": [2, 3]}, pooled).graph()):
        assert inputs["in_indices"].max() < 6
    for inputs in draw(Case("MaxUnpooling2D", {"pool_size": 1}, pooled).graph()):
        _, height, width, _ = inputs["in_x"].shape
        assert inputs["in_indices"].max() < height * width


def test_tokens_stay_inside_the_table_and_hold_padding_of_every_kind() -> None:
    *_, last = draw(tagger())
    tokens = last["tokens"]
    assert tokens.dtype == np.int32
    assert tokens.min() == 0
    assert tokens.max() < 11
    kept = tokens != 0
    right, holes, whole, left, empty = kept
    assert right[0] and not right[-1]
    assert not holes.all() and holes.any()
    assert whole.all()
    assert left[-1] and not left[0]
    assert not empty.any()


def test_tokens_that_are_reshaped_first_stay_inside_the_table_too() -> None:
    graph = graph_of("  - Reshape: [6]\n  - Embedding: {input_dim: 3, output_dim: 2}\n", "{t: {shape: [2, 3], dtype: int64}}")
    assert max(inputs["t"].max() for inputs in draw(graph)) == 2


def test_tokens_that_are_looked_up_at_each_step_stay_inside_the_table_too() -> None:
    layers = "  - TimeDistributed: {layer: {Embedding: {input_dim: 3, output_dim: 2}}}\n"
    graph = graph_of(layers, "{t: {shape: [2, 3], dtype: int32}}")
    assert max(inputs["t"].max() for inputs in draw(graph)) == 2


def test_indices_of_an_expression_stay_inside_the_tensor() -> None:
    inputs = "{x: [T, 2], t: {shape: [K], dtype: int32}}"
    for taken in ("take(x, t, axis=1)", "take_along_axis(x, t[..., null], axis=1)"):
        graph = graph_of(f"  - Compute: {taken}\n", inputs)
        assert all(drawn["t"].max() < drawn["x"].shape[1] for drawn in draw(graph))


def test_what_is_cut_at_each_step_has_room() -> None:
    graph = graph_of("  - TimeDistributed: {layer: {CenterCrop: {height: 8, width: 9}}}\n", "{x: [3, H, W, 2]}")
    assert all(choice["H"] >= 8 and choice["W"] >= 9 for choice in sizes(graph))


def test_two_symbols_get_different_sizes() -> None:
    graph = graph_of("  - Conv2D: {filters: 2, kernel_size: 3}\n", "{x: [H, W, 3]}")
    assert all(choice["H"] != choice["W"] for choice in sizes(graph))


def test_sizes_satisfy_what_the_layers_ask() -> None:
    graph = graph_of(
        "  - MaxPooling2D: {pool_size: 8}\n  - Conv2D: {filters: 3, kernel_size: 2}\n  - Flatten\n  - Reshape: [1, 1, 3]\n",
        "{x: [H, W, 3]}",
    )
    assert all(choice["H"] // 8 == choice["W"] // 8 == 2 for choice in sizes(graph))


def test_two_samples_differ_and_satisfy_the_conditions() -> None:
    graph = graph_of("  - Reshape: [-1, 977]\n", "{x: [T]}")
    first, second = sizes(graph)
    assert first != second
    assert {first["T"] % 977, second["T"] % 977} == {0}


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (next(iter(draw(lenet(), seed=seed)))["image"] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_a_free_size_has_room_for_what_is_cut_out_of_it() -> None:
    graph = Case("CenterCrop", {"height": 1, "width": 6}, {"x": Input(("H", "W", 2))}).graph()
    assert all(inputs["in_x"].shape[2] >= 6 for inputs in draw(graph))


def test_every_row_of_a_small_table_is_looked_up() -> None:
    graph = graph_of("  - Embedding: {input_dim: 20, output_dim: 2}\n", "{t: {shape: [8], dtype: int32}}")
    seen = {int(token) for inputs in draw(graph) for token in inputs["t"].ravel()}
    assert seen == set(range(20))
