"""Discontinuous layers: elements that a tie decides are not compared, and everything else is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.export import export
from nnspec.onnx_backend.parity import Parity, measure
from nnspec.onnx_backend.proof import verify
from nnspec.onnx_backend.ties import Ties, discontinuous
from nnspec.runtime.session import Arrays
from tests.onnx_backend.nets import graph_of, random_weights

IMAGE = "{x: [5, 5]}"


def parity(right: str, written: str = "", inputs: str = IMAGE, golden: Arrays | None = None) -> Parity:
    """The parity of the ONNX model of one list of steps and Keras's model of another."""
    graph = graph_of(right, inputs)
    weights = random_weights(graph)
    model = to_onnx(graph_of(written or right, inputs), weights)
    return verify(graph, weights, model, keras_reference(graph, weights), golden=[golden] if golden else [])


def compute(text: str) -> str:
    return f"  - Compute: {text}\n    name: y\n"


def rows(scores: np.ndarray) -> tuple[Arrays, Arrays, Ties]:
    """The classes of a batch by two computations that round differently."""

    def one(inputs: Arrays) -> Arrays:
        return {"y": np.argmax(inputs["x"], axis=1).astype(np.int32)}

    def other(inputs: Arrays) -> Arrays:
        return {"y": np.argmax((inputs["x"] / np.float32(3)) * np.float32(3), axis=1).astype(np.int32)}

    inputs = {"x": scores}
    return inputs, {"one": one, "other": other}, Ties({"y"}, one, other)  # type: ignore[dict-item]


def nearly_tied(share: float, count: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(0)
    scores = rng.uniform(1, 2, (count, 3)).astype(np.float32)
    tied = np.arange(int(share * count))
    scores[tied, 0] = scores[tied].max(axis=1)
    scores[tied, 1] = np.nextafter(scores[tied, 0], np.float32(3))
    return scores


def test_an_argmax_near_ties_passes_and_its_share_is_stated() -> None:
    inputs, runs, ties = rows(nearly_tied(0.008))
    assert measure(runs["one"], runs["other"], [inputs]).outputs["y"].error == 1  # type: ignore[arg-type]
    found = measure(runs["one"], runs["other"], [inputs], ties=ties)  # type: ignore[arg-type]
    assert found.agrees
    assert 0.004 < found.outputs["y"].share < 0.01
    assert "are undecided" in found.text()
    assert found.as_json()["outputs"]["y"]["undecided"] == found.outputs["y"].share  # type: ignore[index]


def test_one_percent_of_undecided_elements_is_too_many() -> None:
    inputs, runs, ties = rows(nearly_tied(0.03))
    found = measure(runs["one"], runs["one"], [inputs], ties=ties)  # type: ignore[arg-type]
    assert found.outputs["y"].error == 0
    assert not found.agrees
    assert "an output with 1% or more cannot be verified" in found.text()


def test_the_share_is_that_of_all_batches() -> None:
    tied, runs, ties = rows(nearly_tied(1.0, 10))
    rest, *_ = rows(nearly_tied(0.0, 4000))
    found = measure(runs["one"], runs["other"], [tied, rest], ties=ties)  # type: ignore[arg-type]
    assert found.agrees
    assert (found.outputs["y"].undecided, found.outputs["y"].elements) == (10, 4010)


def test_a_decided_element_that_differs_is_found_among_ties() -> None:
    inputs, runs, _ = rows(nearly_tied(0.008))

    def wrong(inputs: Arrays) -> Arrays:
        found = runs["one"](inputs)["y"]  # type: ignore[operator]
        return {"y": np.where(np.arange(len(found)) == 3999, (found + 1) % 3, found)}

    ties = Ties({"y"}, runs["one"], wrong)  # type: ignore[arg-type]
    assert not measure(runs["one"], wrong, [inputs], ties=ties).agrees  # type: ignore[arg-type]


def test_a_class_number_off_by_one_differs_whatever_the_number_of_classes() -> None:
    def right(inputs: Arrays) -> Arrays:
        return {"y": np.full(len(inputs["x"]), 500_000, np.int32)}

    def wrong(inputs: Arrays) -> Arrays:
        return {"y": np.full(len(inputs["x"]), 500_001, np.int32)}

    assert not measure(right, wrong, [{"x": np.ones((2, 1), np.float32)}]).agrees


def test_a_network_that_amplifies_has_no_ties() -> None:
    def steep(inputs: Arrays) -> Arrays:
        return {"y": np.sin(inputs["x"] * np.float32(300))}

    ties = Ties({"y"}, steep, steep)
    inputs = {"x": np.random.default_rng(0).uniform(1, 2, (50, 4)).astype(np.float32)}
    assert not ties.undecided(inputs, (steep(inputs), steep(inputs)))["y"].any()


def test_an_unstable_recurrence_that_hardly_moves_in_one_run_by_chance_has_no_ties() -> None:
    """All elements follow one unstable direction, whose size differs by orders of magnitude between the runs."""
    moves = iter([0.0, 1e-6, *[1e-3] * 7, 0.0, 1e-6, *[1e-3] * 7])

    def unstable(inputs: Arrays) -> Arrays:
        return {"y": np.float32(1 + next(moves)) * np.ones((len(inputs["x"]), 4), np.float32)}

    ties = Ties({"y"}, unstable, lambda inputs: {"y": np.ones((len(inputs["x"]), 4), np.float32)})
    inputs = {"x": np.ones((8, 4), np.float32)}
    own = unstable(inputs)
    assert not ties.undecided(inputs, (own, own))["y"].any()


def test_the_largest_element_of_an_unstable_network_is_decided_if_it_responds_smoothly() -> None:
    def unstable(inputs: Arrays) -> Arrays:
        return {"y": inputs["x"] ** np.float32(20)}

    ties = Ties({"y"}, unstable, unstable)
    inputs = {"x": np.array([[1e-3], [1.0], [7.0], [40.0]], np.float32)}
    assert not ties.undecided(inputs, (unstable(inputs), unstable(inputs)))["y"].any()


def test_an_element_that_is_larger_than_all_others_when_it_jumps_is_undecided() -> None:
    def jumps(inputs: Arrays) -> Arrays:
        x = inputs["x"]
        return {"y": np.where(x == x[2], np.float32(1e6) * x, x)}

    x = np.array([[1e-3], [1.0], [7.0], [7.0]], np.float32)
    own = jumps({"x": x})
    found = Ties({"y"}, jumps, jumps).undecided({"x": x}, (own, own))["y"]
    assert found[:, 0].tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("cast(relu(x) > 0, 'float32')", "cast(relu(x) >= 0, 'float32')"),
        ("relu(x) > 0", "relu(x) >= 0"),
        ("argmax(x, 1)", "argmax(x, 2)"),
        ("argmax(x, 1)", "argmin(x, 1)"),
        ("argsort(x, 2)", "argsort(-x, 2)"),
        ("sort(x, 1)", "sort(x, 2)"),
        ("top_k(x, 2)[1]", "top_k(x, 3)[1][:, :, 1:]"),
        ("top_k(x, 2)[0]", "top_k(x, 3)[0][:, :, 1:]"),
        ("floor(3 * x)", "round(3 * x)"),
        ("x // 0.3", "cast(cast(x / 0.3, 'int32'), 'float32')"),
        ("x % 0.3", "x - 0.3 * cast(cast(x / 0.3, 'int32'), 'float32')"),
        ("cast(3 * x, 'int32')", "cast(floor(3 * x), 'int32')"),
        ("sign(relu(x))", "sign(relu(x) + 0.001)"),
    ],
)
def test_a_mistake_in_a_discontinuous_function_is_found(right: str, wrong: str) -> None:
    assert parity(compute(right)).agrees
    assert not parity(compute(right), compute(wrong)).agrees


def test_real_inputs_near_a_tie_do_not_stop_an_export() -> None:
    golden = {"x": np.random.default_rng(0).standard_normal((300, 5, 5)).astype(np.float32)}
    golden["x"][7, 0, :2] = 5
    found = parity(compute("argmax(x, 2)"), golden=golden)
    assert found.agrees
    assert found.outputs["y"].undecided == 1


def test_an_export_that_ties_prevent_names_the_layers_that_jump(tmp_path: Path) -> None:
    graph = graph_of("  - Compute: where(x > 0.5, 1.0, 0.0)\n    name: edge\n  - Dense: {units: 2}\n    name: y\n", IMAGE)
    weights = random_weights(graph)
    golden = {"x": np.full((300, 5, 5), 0.5, np.float32)}
    with pytest.raises(NnspecError) as raised:
        export(
            graph,
            weights,
            tmp_path / "net.onnx",
            reference=keras_reference(graph, weights),
            rebuild=lambda changed: keras_reference(changed, weights),
            golden=[golden],
        )
    text = str(raised.value)
    assert text.startswith("the outputs cannot be verified, so no file is written:")
    assert "Small changes make `edge` (Compute, " in text
    assert "first layer that differs" not in text


def test_weights_are_perturbed_if_inputs_are_integers() -> None:
    table = "  - Embedding: {input_dim: 4000, output_dim: 3}\n    name: table\n"
    graph = graph_of(table + compute("argmax(table, 2)"), "{tokens: {shape: [400], dtype: int32}}")
    weights = random_weights(graph)
    for ties, agrees in ((20, True), (200, False)):
        columns = weights["table/embeddings"].copy()
        columns[:ties, :2] = columns[:ties].max(axis=1, keepdims=True)
        own = {**weights, "table/embeddings": columns}
        found = verify(graph, own, to_onnx(graph, own), keras_reference(graph, own))
        assert found.agrees == agrees
        assert found.outputs["y"].undecided > 0


@pytest.mark.parametrize(
    ("steps", "jumps"),
    [
        (compute("x > 0"), True),
        (compute("cast(x, 'int32')"), True),
        (compute("cast(cast(x > 0, 'float32'), 'float32')"), True),
        (compute("cast(x, 'float32') + cast(x.shape[1] > 3, 'float32')"), False),
        (compute("where(mask(x), sum(x, 2), 0)"), False),
        (compute("in_training(floor(x), x)"), False),
        (compute("in_training(x, floor(x))"), True),
        (compute("x * cast(expand_dims(arange(5), 1) == expand_dims(arange(5), 0), 'float32')"), False),
        ("  - Activation: {activation: hard_shrink}\n    name: y\n", True),
        ("  - Dense: {units: 2, activation: hard_shrink}\n    name: y\n", True),
        ("  - ReLU: {threshold: 0.5}\n    name: y\n", True),
        ("  - ReLU\n  - Dense: {units: 2}\n    name: y\n", False),
        ("  - TimeDistributed: {layer: {ReLU: {threshold: 0.5}}}\n    name: y\n", True),
    ],
)
def test_only_networks_that_jump_are_run_more_often(steps: str, jumps: bool) -> None:
    graph = graph_of(steps, IMAGE)
    assert discontinuous(graph) == ({"y"} if jumps else set())
    assert bool(_record(graph)["elements"]) == jumps


def test_outputs_beside_a_discontinuous_layer_are_compared_as_ever() -> None:
    steps = "  - Compute: argmax(x, 1)\n    name: best\n  - Compute: cast(best, 'float32') + 1\n    name: y\n  - Dense: {units: 2}\n    name: z\n    from: x\n"
    assert discontinuous(graph_of(steps, IMAGE, "{y: y, z: z}")) == {"y"}


def _record(graph: Graph) -> dict[str, int]:
    weights = random_weights(graph)
    found = verify(graph, weights, to_onnx(graph, weights), keras_reference(graph, weights)).outputs["y"]
    return {"elements": found.elements, "undecided": found.undecided}


def test_a_build_writes_the_share_into_the_file(tmp_path: Path) -> None:
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(f"nnspec: 1\nname: net\ninputs: {IMAGE}\nlayers:\n{compute('argmax(x, 1)')}")
    nnspec.build(nnspec.load(file), tmp_path / "build", seed=1)
    predictor = nnspec.Predictor(tmp_path / "build" / "model.onnx")
    assert json.loads(predictor.metadata["nnspec.parity"])["outputs"]["y"]["undecided"] == 0
