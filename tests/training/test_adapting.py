"""Normalization takes the statistics of the training part before the first step."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from nnspec.data.prepare import prepare
from nnspec.diagnostics import Diagnostic
from nnspec.graph import compile
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.session import runner
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.batches.fit_statistics import Moments
from nnspec.training.check import check_training
from nnspec.training.loop.progress import Quiet

HEAD = "nnspec: 1\nname: net\ninputs: {facts: [10]}\nlayers:\n"
DATA = "data: {train: {builtin: diabetes}, validation: 0.2}\ntrain: {epochs: 1, seed: 3, loss: MeanSquaredError%s}\n"


def trained(folder: Path, layers: str, more: str = "", data: str = DATA):
    (folder / "net.nnspec.yaml").write_text(HEAD + layers + data % more)
    return train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet(), overwrite=True)


def training_part(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    spec = load(folder / "net.nnspec.yaml")
    problems: list[Diagnostic] = []
    plan = check_training(spec, compile(spec), problems, require_data=True)
    assert plan is not None and plan.data is not None
    examples = prepare(plan.data, 3).train.batch(slice(None))
    return examples.inputs["facts"], next(iter(examples.targets.values()))


def test_a_layer_after_an_input_takes_the_training_part_alone(tmp_path: Path) -> None:
    run = trained(tmp_path, "  - Normalization\n  - Dense: {units: 1}\n")
    x, _ = training_part(tmp_path)
    assert len(x) < len(load_diabetes().data)
    np.testing.assert_allclose(run.weights()["normalization/mean"], x.mean(0, np.float64), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(run.weights()["normalization/variance"], x.var(0, dtype=np.float64), rtol=1e-5)


def test_a_layer_further_inside_takes_what_comes_to_it(tmp_path: Path) -> None:
    layers = "  - Normalization\n  - Rescaling: 3\n  - Normalization: {axis: null}\n    name: second\n  - Dense: {units: 1}\n"
    run = trained(tmp_path, layers)
    np.testing.assert_allclose(run.weights()["second/mean"], 0, atol=1e-5)
    np.testing.assert_allclose(run.weights()["second/variance"], 9, rtol=1e-5)


def test_an_inverse_at_an_output_takes_the_targets(tmp_path: Path) -> None:
    run = trained(tmp_path, "  - Normalization\n  - Dense: {units: 1}\n  - Normalization: {invert: true}\n    name: progress\n")
    _, y = training_part(tmp_path)
    np.testing.assert_allclose(run.weights()["progress/mean"], y.mean(0), rtol=1e-5)
    np.testing.assert_allclose(run.weights()["progress/variance"], y.var(0), rtol=1e-4)


def test_given_statistics_and_those_of_a_file_stay_as_they_are(tmp_path: Path) -> None:
    run = trained(tmp_path, "  - Normalization: {mean: 1, variance: 4}\n  - Dense: {units: 1}\n")
    assert not [name for name in run.weights() if name.startswith("normalization")]
    first = trained(tmp_path, "  - Normalization\n  - Dense: {units: 1}\n").weights()
    (tmp_path / "run").rename(tmp_path / "first")
    layers = "  - Rescaling: 7\n  - Normalization:\n    weights: first\n  - Dense: {units: 1}\n"
    again = trained(tmp_path, layers).weights()
    np.testing.assert_array_equal(again["normalization/mean"], first["normalization/mean"])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_weights_that_are_set_count_at_once(tmp_path: Path) -> None:
    (tmp_path / "net.nnspec.yaml").write_text(HEAD + "  - Normalization\n")
    graph = compile(load(tmp_path / "net.nnspec.yaml")).main
    model = to_keras(graph)
    x = np.ones((2, 10), np.float32)
    assert np.allclose(model({"facts": x})["normalization"], 1)
    arrays = weight_arrays(model, graph) | {"normalization/mean": np.full(10, 3.0), "normalization/variance": np.full(10, 4.0)}
    set_weight_arrays(model, graph, arrays)
    assert np.allclose(model({"facts": x})["normalization"], -1)
    model.save(tmp_path / "m.keras")
    assert np.allclose(keras.models.load_model(tmp_path / "m.keras")({"facts": x})["normalization"], -1)


@pytest.mark.parametrize("invert", ["false", "true"])
@pytest.mark.parametrize("before", ["Flatten\n  - Dense: {units: 4}", "Conv2D: {filters: 4, kernel_size: 3}"])
def test_the_layer_before_takes_the_statistics_in_where_it_is_exported(tmp_path: Path, before: str, invert: str) -> None:
    text = f"nnspec: 1\nname: net\ninputs: {{x: [6, 6, 2]}}\nlayers:\n  - {before}\n  - Normalization: {{invert: {invert}}}\n"
    (tmp_path / "net.nnspec.yaml").write_text(text)
    graph = compile(load(tmp_path / "net.nnspec.yaml")).main
    model = to_keras(graph, seed=1)
    statistics = {"normalization/mean": np.arange(4.0), "normalization/variance": np.arange(1.0, 5)}
    arrays = {k: np.asarray(v, np.float32) for k, v in (weight_arrays(model, graph) | statistics).items()}
    set_weight_arrays(model, graph, arrays)
    exported = to_onnx(graph, arrays)
    assert not {"Sub", "Div"} & {node.op_type for node in exported.graph.node}
    data = {"x": np.random.default_rng(0).normal(size=(3, 6, 6, 2)).astype("float32")}
    parity = measure(lambda given: {k: np.asarray(v) for k, v in model(given).items()}, runner(serialized(exported)), [data])
    assert parity.agrees, parity.text()


def test_moments_of_parts_are_those_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(1e4, 1, (1000, 3, 4)).astype("float32")
    moments = Moments((2,))
    for part in np.array_split(values, [1, 7, 400]):
        moments.add(part)
    np.testing.assert_allclose(moments.mean, values.mean((0, 1), np.float64), rtol=1e-12)
    np.testing.assert_allclose(moments.variance, values.var((0, 1), dtype=np.float64), rtol=1e-9)
