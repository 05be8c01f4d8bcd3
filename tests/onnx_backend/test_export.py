"""A file appears only when it is proven."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.model import Graph
from nnspec.onnx_backend import builder
from nnspec.onnx_backend.export import export
from nnspec.onnx_backend.parity import Reference
from nnspec.runtime.session import Arrays, Run

from .nets import graph_of, lenet, random_weights, tagger


@pytest.fixture(scope="module")
def net() -> tuple[Graph, dict[str, np.ndarray], Run]:
    graph = lenet()
    weights = random_weights(graph)
    return graph, weights, keras_reference(graph, weights)


def test_the_file_says_how_far_it_is_from_keras(net: tuple[Graph, Arrays, Run], tmp_path: Path) -> None:
    graph, weights, reference = net
    parity = export(graph, weights, tmp_path / "m.onnx", reference=reference, metadata={"k": "v"})
    reported = {entry.key: entry.value for entry in onnx.load(tmp_path / "m.onnx").metadata_props}
    record = json.loads(reported["nnspec.parity"])
    assert len(record.pop("sha256")) == 64
    assert {*graph.own(weights)} <= {*record.pop("constants")}
    assert record == parity.as_json()
    assert reported["k"] == "v"
    assert parity.outputs["digit"].error < 1e-6
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize("name", ["conv2d/kernel", "dense/bias", "digit/kernel"])
def test_tampered_weights_are_found_and_leave_no_file(net: tuple[Graph, Arrays, Run], tmp_path: Path, name: str) -> None:
    graph, weights, reference = net
    tampered = {**weights, name: weights[name] * np.float32(1.01)}
    with pytest.raises(NnspecError, match=r"differs from the Keras model, so no file is written:\n  `digit`: error \d"):
        export(graph, tampered, tmp_path / "m.onnx", reference=reference)
    assert not list(tmp_path.iterdir())


def test_a_file_that_was_there_stays_where_the_new_one_fails(net: tuple[Graph, Arrays, Run], tmp_path: Path) -> None:
    graph, weights, reference = net
    (tmp_path / "m.onnx").write_bytes(b"old")
    with pytest.raises(NnspecError):
        export(graph, {**weights, "dense/bias": weights["dense/bias"] + 1}, tmp_path / "m.onnx", reference=reference)
    assert (tmp_path / "m.onnx").read_bytes() == b"old"


def test_one_wrong_golden_example_fails_the_export(net: tuple[Graph, Arrays, Run], tmp_path: Path) -> None:
    graph, weights, reference = net
    golden = {"image": np.full((3, 28, 28, 1), 0.5, np.float32)}

    def odd(inputs: Arrays) -> Arrays:
        """Answers otherwise on the golden examples alone."""
        wrong = len(inputs["image"]) == 3
        return {name: array + wrong for name, array in reference(inputs).items()}

    export(graph, weights, tmp_path / "m.onnx", reference=odd)
    with pytest.raises(NnspecError, match="differs"):
        export(graph, weights, tmp_path / "n.onnx", reference=odd, golden=[golden])


def test_the_first_layer_that_differs_is_named(tmp_path: Path) -> None:
    graph = graph_of(
        "  - Dense: {units: 4}\n    name: a\n  - Dense: {units: 4}\n    name: b\n  - Dense: {units: 4}\n    name: c\n"
    )
    weights = random_weights(graph)
    tampered = {**weights, "b/kernel": weights["b/kernel"] * 2}
    with pytest.raises(NnspecError, match=r"The first layer that differs is `b` \(Dense, .*net.nnspec.yaml:7:5\)"):
        export(
            graph,
            tampered,
            tmp_path / "m.onnx",
            reference=keras_reference(graph, weights),
            rebuild=lambda graph: keras_reference(graph, weights),
        )


def test_a_layer_that_differs_on_real_examples_alone_is_named_too(tmp_path: Path) -> None:
    graph = graph_of("  - Dense: {units: 4}\n    name: a\n  - Dense: {units: 4}\n    name: b\n")
    weights = random_weights(graph)

    def rebuild(graph: Graph) -> Run:
        keras = keras_reference(graph, weights)

        def odd(inputs: Arrays) -> Arrays:
            """Answers otherwise in the second layer, where the input is large."""
            wrong = float(np.max(inputs["x"]) > 50)
            return {name: array + wrong * ("b" in name) for name, array in keras(inputs).items()}

        return odd

    golden = [{"x": np.full((2, 4), 99, np.float32)}]
    with pytest.raises(NnspecError, match="The first layer that differs is `b`"):
        export(graph, weights, tmp_path / "m.onnx", reference=rebuild(graph), rebuild=rebuild, golden=golden)


def test_a_masked_model_is_proven_where_its_mask_is_set(tmp_path: Path) -> None:
    graph = tagger()
    weights = random_weights(graph)
    keras = keras_reference(graph, weights)

    def wrong_at(token: int) -> Reference:
        return keras.around(
            lambda run: lambda inputs: {"labels": np.where(inputs["tokens"][..., None] == token, 9, run(inputs)["labels"])}
        )

    parity = export(graph, weights, tmp_path / "m.onnx", reference=wrong_at(0))
    assert parity.outputs["labels"].sensitivity > 0
    with pytest.raises(NnspecError, match="`labels`"):
        export(graph, weights, tmp_path / "n.onnx", reference=wrong_at(1))


def test_a_file_that_is_too_large_is_not_written(net: tuple[Graph, Arrays, Run], tmp_path: Path) -> None:
    graph, weights, reference = net
    seen: list[int] = []

    def refuse(size: int) -> None:
        seen.append(size)
        raise NnspecError("too large")

    with pytest.raises(NnspecError, match="too large"):
        export(graph, weights, tmp_path / "m.onnx", reference=reference, check_size=refuse)
    assert not list(tmp_path.iterdir())
    assert 240_000 < seen[0] < 260_000


def test_a_place_that_cannot_be_written_is_an_error(net: tuple[Graph, Arrays, Run], tmp_path: Path) -> None:
    graph, weights, reference = net
    with pytest.raises(NnspecError, match="cannot write"):
        export(graph, weights, tmp_path / "none" / "m.onnx", reference=reference)


def test_a_mistake_of_the_emitter_is_found(
    net: tuple[Graph, Arrays, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, weights, reference = net
    write: Callable[..., str] = builder.Builder.op

    def without_tanh(self: builder.Builder, type: str, *inputs: str, **attributes: object) -> str:
        return write(self, "Sigmoid" if type == "Tanh" else type, *inputs, **attributes)

    monkeypatch.setattr(builder.Builder, "op", without_tanh)
    with pytest.raises(NnspecError, match="The first layer that differs is `conv2d`"):
        export(graph, weights, tmp_path / "m.onnx", reference=reference, rebuild=lambda graph: keras_reference(graph, weights))


def test_the_mean_over_nothing_is_not_asked_for(tmp_path: Path) -> None:
    layers = "  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n  - GlobalAveragePooling1D\n  - Dense: {units: 2, activation: relu}\n"
    graph = graph_of(layers, "{tokens: {shape: [T], dtype: int32}}")
    weights = random_weights(graph)
    seen: list[np.ndarray] = []
    keras = keras_reference(graph, weights)

    def reference(inputs: Arrays) -> Arrays:
        seen.append(inputs["tokens"])
        return keras(inputs)

    assert export(graph, weights, tmp_path / "m.onnx", reference=reference).agrees
    assert all((tokens != 0).any(axis=1).all() for tokens in seen)
    assert any((tokens == 0).any() for tokens in seen)
