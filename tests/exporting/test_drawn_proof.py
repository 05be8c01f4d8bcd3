"""Where initial weights verify too little, the proof is repeated with drawn ones; the record states what proves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import load_model_from_string

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.model import Graph
from nnspec.keras_backend import to_keras, weight_arrays
from nnspec.onnx_backend import proof
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proof import verify, verify_varied
from nnspec.onnx_backend.proto import sealed
from nnspec.runtime.seal import metadata_of, require_proven
from nnspec.runtime.session import Arrays
from tests.onnx_backend.nets import graph_of

# Keras writes a variable by `np.array`, which NumPy 2 warns of where TensorFlow holds it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# In a deep network with fresh statistics the signal dies away; a branch that starts from 0 adds nothing.
DEEP = "".join(
    f"  - Residual: {{layers: [{{Conv2D: {{filters: 4, kernel_size: 3, padding: same, kernel_initializer: {{RandomNormal: "
    f"{{stddev: 1e-4}}}}}}}}, {{BatchNormalization: {{gamma_initializer: {kind}}}}}, ReLU]}}\n"
    for kind in ("Zeros", "Ones", "Zeros")
)
DEEP += "  - GlobalAveragePooling2D\n  - Dense: {units: 3, kernel_initializer: Zeros, activation: softmax}\n    name: y\n"


def built(layers: str, folder: Path, inputs: str = "{x: [8, 8, 4]}") -> tuple[dict[str, object], nnspec.Predictor]:
    file = folder / "net.nnspec.yaml"
    file.write_text(f"nnspec: 1\nname: net\ninputs: {inputs}\nlayers:\n{layers}")
    nnspec.build(nnspec.load(file), folder / "build", seed=1)
    predictor = nnspec.Predictor(folder / "build" / "model.onnx")
    return json.loads(predictor.metadata["nnspec.parity"]), predictor


def test_outputs_that_are_constant_at_the_start_are_proven_with_drawn_weights(tmp_path: Path) -> None:
    record, predictor = built(DEEP, tmp_path)
    given = predictor.predict({"x": np.random.default_rng(0).standard_normal((4, 8, 8, 4)).astype(np.float32)})["y"]
    assert np.ptp(given, axis=0).max() == 0
    drawn = record["drawn_weights"]["outputs"]["y"]  # type: ignore[index]
    assert 0 < drawn["error"] < 1e-5
    assert drawn["sensitivity"] > 0
    assert "constant" not in record


def test_an_output_that_no_weights_make_vary_is_stated(tmp_path: Path) -> None:
    record, _ = built("  - Dense: {units: 3}\n  - Rescaling: {scale: 0.0, offset: 1.0}\n    name: y\n", tmp_path, "{x: [4]}")
    assert record["constant"] == ["y"]


def weights_at_the_start(graph: Graph) -> Arrays:
    return weight_arrays(to_keras(graph, seed=1), graph)


@pytest.mark.parametrize("identity", ["batch_normalization/moving_variance", "batch_normalization/beta", "y/bias"])
def test_a_weight_that_the_file_lacks_is_found_though_it_starts_from_zero_or_one(
    identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(
        "  - Conv2D: {filters: 4, kernel_size: 3}\n  - BatchNormalization\n  - Dense: {units: 3}\n    name: y\n",
        "{x: [6, 6, 2]}",
    )
    weights = weights_at_the_start(graph)
    reference = keras_reference(graph, weights)
    model = to_onnx(graph, weights)
    parity = verify(graph, weights, model, reference)
    assert parity.agrees
    assert verify_varied(graph, weights, parity, reference).agrees

    def forgetful(graph: Graph, given: Arrays, **options: object) -> object:
        return to_onnx(graph, {**given, identity: weights[identity]}, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(proof, "to_onnx", forgetful)
    assert verify(graph, weights, model, reference).agrees
    assert not verify_varied(graph, weights, parity, reference).agrees


def test_a_network_with_its_own_weights_again_is_as_it_was(tmp_path: Path) -> None:
    graph = graph_of(DEEP, "{x: [8, 8, 4]}")
    weights = weights_at_the_start(graph)
    reference = keras_reference(graph, weights)
    assert reference.drawn is not None
    inputs = {"x": np.random.default_rng(0).standard_normal((4, 8, 8, 4)).astype(np.float32)}
    before = reference(inputs)["y"]
    others, changed = reference.drawn(inputs)
    assert others.keys() == weights.keys()
    assert np.ptp(changed(inputs)["y"], axis=0).max() > 0.01
    np.testing.assert_array_equal(reference(inputs)["y"], before)


def test_trained_weights_are_not_drawn_again() -> None:
    graph = graph_of("  - Dense: {units: 3}\n    name: y\n", "{x: [4]}")
    weights = {
        "y/kernel": np.ones((4, 3), np.float32) * np.arange(1, 4, dtype=np.float32),
        "y/bias": np.full(3, 0.5, np.float32),
    }
    reference = keras_reference(graph, weights)
    parity = verify(graph, weights, to_onnx(graph, weights), reference)
    assert verify_varied(graph, weights, parity, reference) is parity


def test_a_record_whose_drawn_proof_differs_is_refused(tmp_path: Path) -> None:
    _, predictor = built(DEEP, tmp_path)
    content = predictor.path.read_bytes()
    record = json.loads(metadata_of(content)["nnspec.parity"])
    record["drawn_weights"]["outputs"]["y"]["error"] = 1.0
    del record["sha256"]
    changed = sealed(load_model_from_string(content), record)
    with pytest.raises(NnspecError, match="`y` differs"):
        require_proven(changed, metadata_of(changed), "the model")
