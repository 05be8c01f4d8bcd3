"""Samplers from training to file: the ONNX file, the run and Keras generate the same samples."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.exporting.building import write_build
from nnspec.exporting.keras_reference import keras_reference
from nnspec.exporting.run_models import RunSampler
from nnspec.exporting.runs import export_run
from nnspec.exporting.sampler_models import SamplerModel, prove_sampler
from nnspec.exporting.samplers import sampler_of_run
from nnspec.generation import draws
from nnspec.generation.sampler_check import sampling_of
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.keras_backend.run import keras_run
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.sampling_loop import to_sampler
from nnspec.runtime.model_file import ModelFile
from nnspec.runtime.sampler import Sampler
from nnspec.runtime.samples import RandomInput, Samples
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.sample_sheets import write_sheet
from tests.generation.samplers import (
    ANCESTRAL,
    CONDITIONED,
    DDIM,
    DENOISER,
    DENOISER_OF_ALL_STEPS,
    DRAWN,
    DRAWN_AT_EVERY_STEP,
    FLOW,
    TRAINED,
)
from tests.serving.conftest import running


def written(folder, text):
    file = folder / "net.nnspec.yaml"
    file.write_text(text)
    return file


def trained(folder, text):
    return train(written(folder, text), out=folder / "run")


@pytest.fixture(scope="module")
def ddim(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("ddim"), DENOISER + DDIM + TRAINED + DRAWN)


@pytest.fixture(scope="module")
def ddim_file(ddim):
    export_run(ddim.path, ddim.path / "ddim.onnx")
    return ddim.path / "ddim.onnx"


@pytest.fixture(scope="module")
def conditioned(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("conditioned"), CONDITIONED)


@pytest.fixture(scope="module")
def conditioned_file(conditioned):
    export_run(conditioned.path, conditioned.path / "decoder.onnx")
    return conditioned.path / "decoder.onnx"


def by_keras(run, inputs):
    """The samples of a run's sampler, by Keras with the run's weights."""
    sampling = sampling_of(run.spec, run.model)
    model = to_keras(sampling.graph, seed=1)
    set_weight_arrays(model, sampling.graph, sampling.graph.own(run.weights()))
    return sampling.repeated(keras_run(model))(inputs)[sampling.result]


def drawn(sampling, count=3, seed=0):
    rng = np.random.default_rng(seed)
    draws = {**sampling.begin, **sampling.draw}
    return {name: draws[name].values(rng, (count, *type_.shape)) for name, type_ in sampling.inputs.items()}


# --- one file -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opset", [17, 23])
def test_ten_steps_of_ddim_are_one_file_that_generates_what_keras_does(ddim, opset, tmp_path):
    parity = export_run(ddim.path, tmp_path / "ddim.onnx", opset=opset)
    assert parity.agrees
    assert parity.steps == 10
    model = onnx.load(tmp_path / "ddim.onnx")
    assert [node.op_type for node in model.graph.node].count("Loop") == 1
    assert sum(node.op_type == "Conv" for node in model.graph.node) == 0  # all in the body of the loop
    noise = np.random.default_rng(3).standard_normal((5, 8, 8, 1), np.float32)
    found = ModelFile((tmp_path / "ddim.onnx").read_bytes(), "ddim")({"image": noise})["image"]
    np.testing.assert_allclose(found, by_keras(ddim, {"image": noise}), atol=1e-5)


@pytest.mark.parametrize("opset", [17, 23])
def test_values_that_are_new_at_every_step_are_an_input_with_an_axis_of_steps(tmp_path, opset):
    spec = load(written(tmp_path, DENOISER_OF_ALL_STEPS + ANCESTRAL + TRAINED + DRAWN_AT_EVERY_STEP))
    sampling = sampling_of(spec, nnspec.compile(spec))
    assert {name: type_.shape for name, type_ in sampling.inputs.items()} == {"image": (8, 8, 1), "noise": (20, 8, 8, 1)}
    model = to_keras(sampling.graph, seed=1)
    weights = weight_arrays(model, sampling.graph)
    inputs = drawn(sampling)
    file = ModelFile(serialized(to_sampler(sampling, weights, opset=opset)), "ancestral")
    wanted = sampling.repeated(keras_run(model))(inputs)["image"]
    found = file(inputs)["image"]
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())
    other = file({**inputs, "noise": inputs["noise"][:, ::-1]})["image"]
    assert np.abs(found - other).max() > 1e-3


def test_ancestral_sampling_is_exported_in_parity(tmp_path):
    run = trained(tmp_path, DENOISER_OF_ALL_STEPS + ANCESTRAL + TRAINED + DRAWN_AT_EVERY_STEP)
    assert export_run(run.path, tmp_path / "ancestral.onnx").agrees
    found = RunSampler(tmp_path / "ancestral.onnx").sample(300, seed=2)
    assert set(found) == {"image", "image_begin"}
    np.testing.assert_allclose(RunSampler(run.path).sample(3, seed=2)["image"], found["image"][:3], atol=1e-4)


def test_the_inverse_of_a_flow_generates_with_the_weights_of_its_forward_direction(tmp_path):
    run = trained(tmp_path, FLOW)
    assert export_run(run.path, tmp_path / "flow.onnx").agrees
    found = RunSampler(tmp_path / "flow.onnx").sample(4, seed=1)
    np.testing.assert_allclose(found["x"], by_keras(run, {"z": found["z"]}), atol=1e-5)
    assert (
        "`inverse` generates 4, not images"
        in CliRunner().invoke(main, ["generate", str(run.path), "-o", str(tmp_path / "a.png")]).output
    )


def test_a_state_that_begins_with_zeros_and_an_index_are_no_inputs_of_the_file(tmp_path):
    text = (
        "nnspec: 1\nname: net\nnetworks:\n  step:\n    inputs: {x: [3], total: [3], i: {shape: [], dtype: int32}}\n    layers:\n"
        "      - Compute: {next: \"total + x * cast(expand_dims(i, 1) + 1, 'float32')\", twice: 2 * next}\n        name: s\n"
        "    outputs: {total: s.next, twice: s.twice}\n"
        "generate: {network: step, steps: 3, count: i, draw: {x: {uniform: {shape: [3]}}}, result: twice}\n"
    )
    spec = load(written(tmp_path, text))
    sampling = sampling_of(spec, nnspec.compile(spec))
    file = ModelFile(serialized(to_sampler(sampling, {})), "net")
    x = np.random.default_rng(0).random((2, 3, 3), np.float32)
    assert list(file.inputs) == ["x"]
    np.testing.assert_allclose(file({"x": x})["twice"], 2 * (x[:, 0] + 2 * x[:, 1] + 3 * x[:, 2]), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves
def test_build_writes_the_sampler_with_initial_weights(tmp_path):
    spec = load(written(tmp_path, DENOISER + DDIM + TRAINED + DRAWN))
    files = write_build(spec, nnspec.compile(spec), tmp_path / "out", seed=0)
    assert tmp_path / "out/generate.onnx" in files


def test_a_wrong_weight_in_the_file_is_found(ddim):
    model = sampler_of_run(ddim, ddim.weights())
    changed = {name: array * 1.001 for name, array in ddim.weights().items()}
    wrong = SamplerModel(model.sampling, changed, {}, 23)
    with pytest.raises(NnspecError, match="the ONNX sampler differs"):
        prove_sampler(wrong, lambda graph: keras_reference(graph, ddim.weights()))


# --- runs -----------------------------------------------------------------------------------------------------------------


def test_the_run_and_its_file_generate_the_same(ddim, ddim_file):
    from_run, from_file = RunSampler(ddim.path).sample(6, seed=4), Sampler(ddim_file).sample(6, seed=4)
    np.testing.assert_allclose(from_run["image"], from_file["image"], atol=1e-5)
    np.testing.assert_array_equal(Sampler(ddim_file).sample(2, seed=4)["image_begin"], from_file["image_begin"][:2])


def test_a_sheet_is_written_after_each_epoch_with_the_averaged_weights(ddim):
    assert [file.name for file in sorted((ddim.path / "samples").iterdir())] == ["epoch-0001.png", "epoch-0002.png"]
    # The last epoch is the best one, so its sheet shows the run's weights, which are averages.

    samples = Samples.from_json(ddim.generator_record(), "the run")
    images = by_keras(ddim, samples.drawn(64, 0))
    write_sheet(samples, images, 9, ddim.path)
    sheets = {file.stem: file.read_bytes() for file in (ddim.path / "samples").iterdir()}
    (ddim.path / "samples/epoch-0009.png").unlink()
    best = ddim.info["best"]["epoch"]
    assert sheets["epoch-0009"] == sheets[f"epoch-{best:04}"]


def test_generate_writes_images_or_arrays(ddim, tmp_path):
    for name in ("a.png", "a.npz"):
        wanted = ["generate", str(ddim.path), "--number", "5", "--seed", "3", "-o", str(tmp_path / name), "--format", "json"]
        result = CliRunner().invoke(main, wanted)
        assert json.loads(result.stdout) | {"file": ""} == {
            "file": "", "number": 5, "seed": 3, "shape": [8, 8, 1], **({"columns": 3} if name == "a.png" else {})
        }  # fmt: skip
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_allclose(arrays["image"], by_keras(ddim, {"image": arrays["image_begin"]}), atol=1e-5)


def test_a_run_generates_without_loading_a_framework(ddim):
    code = "import sys; from nnspec.exporting.run_models import RunSampler; RunSampler(sys.argv[1]); "
    code += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(ddim.path)], check=False).returncode == 0


def test_a_network_can_still_be_exported_alone(ddim, tmp_path):
    export_run(ddim.path, tmp_path / "denoiser.onnx", network="denoiser")
    assert list(ModelFile((tmp_path / "denoiser.onnx").read_bytes(), "x").inputs) == ["image", "t"]
    with pytest.raises(NnspecError, match="a sampler has one file"):
        export_run(ddim.path, tmp_path / "parts", form="parts")


def test_a_label_is_given_by_the_user(conditioned, conditioned_file):
    for path in (conditioned.path, conditioned_file):
        sampler = RunSampler(path)
        assert sampler.samples.columns == 10
        found = sampler.sample(3, conditions={"label": "7"})
        np.testing.assert_array_equal(found["label"], [7, 7, 7])
        np.testing.assert_allclose(found["image"], by_keras(conditioned, {k: found[k] for k in ("label", "code")}), atol=1e-5)
    result = CliRunner().invoke(main, ["generate", str(conditioned.path), "--condition", "label=12"])
    assert "`label` is one of 0, 1" in result.output


def test_a_condition_that_is_not_in_the_data_is_a_number(tmp_path):
    text = CONDITIONED.replace("code: [4]}\n    layers", "code: [4], strength: []}\n    layers").replace(
        "        from: [embedding, code]\n",
        "        from: [embedding, code]\n      - Compute: concatenate * expand_dims(strength, 1)\n",
    )
    text = text.replace("draw: {code", "draw: {strength: {uniform: {shape: []}}, code").replace(
        "from: {label: label, code: code}", "from: {label: label, code: code, strength: strength}"
    )
    text = text.replace("condition: [label]", "condition: [label, strength]")
    run = trained(tmp_path, text)
    sampler = RunSampler(run.path)
    with pytest.raises(NnspecError, match="pass `--condition strength="):
        sampler.sample(2)
    with pytest.raises(NnspecError, match="is a number, not `much`"):
        sampler.sample(2, conditions={"strength": "much"})
    found = sampler.sample(2, conditions={"strength": "0.5", "label": "1"})
    np.testing.assert_array_equal(found["strength"], [0.5, 0.5])


@pytest.mark.parametrize(
    "draw",
    [
        draws.normal(shape=[3]),
        draws.uniform(shape=[3], low=-2.0, high=5.0),
        draws.integers(shape=[3], below=7),
        draws.bernoulli(shape=[3], probability=0.3),
    ],
    ids=["normal", "uniform", "integers", "bernoulli"],
)
def test_what_is_drawn_depends_on_the_seed_and_not_on_the_size_of_batches(draw):
    inputs = {"a": RandomInput(draw), "b": RandomInput(draw, steps=2)}
    samples = Samples("net", inputs, "out", 0.0, 1.0, (), {}, ())
    samples = Samples.from_json(json.loads(json.dumps(samples.as_json())), "a test")
    whole = samples.drawn(10, 3)
    assert (whole["a"].shape, whole["b"].shape) == ((10, 3), (10, 2, 3))
    for name in inputs:
        parts = np.concatenate([values[name] for values in samples.batches(10, 3, 4)])
        np.testing.assert_array_equal(parts, whole[name])
    assert (whole["a"] != samples.drawn(10, 4)["a"]).any()
    assert (whole["b"][:, 0] != whole["a"]).any()


# --- serving --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(ddim_file, conditioned_file):
    with running([f"ddim={ddim_file}", f"conditioned={conditioned_file}"]) as found:
        yield found


def test_the_server_generates_what_the_command_does(server, ddim_file):
    status, answer = server.json("POST", "/generate/ddim", {"number": 3, "seed": 5})
    assert (status, answer["model"], answer["seed"]) == (200, "ddim", 5)
    np.testing.assert_allclose(answer["samples"], Sampler(ddim_file).sample(3, seed=5)["image"], atol=1e-5)


def test_the_samples_are_described_as_they_are_returned(server):
    _, described = server.json("GET", "/openapi.json")
    validate(described)
    [kind] = [described["paths"]["/generate/conditioned"]["post"]["responses"]["200"]["content"]["application/json"]]
    Draft202012Validator(kind["schema"]).validate(server.json("POST", "/generate/conditioned", {"number": 2})[1])


def test_the_server_answers_with_an_image_if_asked(server):
    status, headers, body = server.ask("POST", "/generate/conditioned", b'{"number": 20}', {"Accept": "image/png"})
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert body.startswith(b"\x89PNG")


@pytest.mark.parametrize("value", ["7", 7])
def test_a_request_may_have_conditions(server, value):
    status, answer = server.json("POST", "/generate/conditioned", {"number": 2, "conditions": {"label": value}})
    assert (status, answer["conditions"]) == (200, {"label": ["7", "7"]})


@pytest.mark.parametrize(
    ("path", "body", "status", "part"),
    [
        ("/generate", {}, 400, "/generate/ddim"),
        ("/generate/ddim", {"count": 3}, 400, "unknown key `count`"),
        ("/generate/ddim", {"number": 0}, 400, "`number` must be an integer from 1"),
        ("/generate/ddim", {"seed": -1}, 400, "`seed` must be an integer from 0"),
        ("/generate/ddim", {"number": 10**9}, 413, "--max-rows"),
        ("/generate/ddim", {"conditions": {"label": 1}}, 400, "no condition `label`"),
        ("/generate/conditioned", {"conditions": {"label": "x"}}, 400, "`label` is one of 0"),
        ("/generate/conditioned", {"conditions": [1]}, 400, "must be an object"),
        ("/generate/ddim", b"{", 400, "not JSON"),
        ("/generate/ddim", b"[1]", 400, "not an object"),
    ],
)
def test_a_wrong_request_is_refused_with_the_reason(server, path, body, status, part):
    found, answer = server.json("POST", path, body)
    assert (found, part in answer["error"]) == (status, True), answer
