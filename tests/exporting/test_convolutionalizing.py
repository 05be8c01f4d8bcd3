"""A classifier made fully convolutional: the same on its own size, and on a larger picture the same for every window."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.exporting.convolutionalizing import convolutionalize
from nnspec.exporting.keras_reference import keras_reference
from nnspec.onnx_backend import to_onnx
from nnspec.runtime.predictor import Predictor
from nnspec.training import train
from nnspec.training.loop.progress import Quiet
from nnspec.training.run.initial_weights import initial_weights
from tests.onnx_backend.nets import random_weights

CONV = "  - Conv2D: {filters: 4, kernel_size: 3, activation: relu}\n  - MaxPooling2D\n"
DENSE = "  - Dense: {units: 5, activation: softmax}\n    name: y\n"

NETS = {
    "Flatten and Dense": CONV + "  - Flatten\n  - Dense: {units: 6, activation: relu}\n" + DENSE,
    "dropout behind Flatten": CONV + "  - Flatten\n  - Dropout: {rate: 0.3}\n" + DENSE,
    "a global average": CONV + "  - GlobalAveragePooling2D\n" + DENSE,
    "a global maximum, and a normalization": CONV + "  - GlobalMaxPooling2D\n  - BatchNormalization\n" + DENSE,
    "axes kept": CONV + "  - GlobalAveragePooling2D: {keepdims: true}\n  - Flatten\n" + DENSE,
    "a Reshape": CONV + "  - Reshape: [-1]\n" + DENSE,
    "no convolution": "  - Flatten\n  - Dense: {units: 6, activation: tanh}\n" + DENSE,
    "activations as layers": CONV + "  - Flatten\n  - ReLU\n  - Dense: {units: 5}\n  - Softmax:\n    name: y\n",
    "a branch": CONV + "  - Flatten\n  - Dense: {units: 6}\n    name: a\n  - Dense: {units: 6, activation: relu}\n"
    "  - Add:\n    from: [a, dense]\n" + DENSE,
    "Flatten by its name": CONV + "  - Flatten\n  - Dense: {units: 6}\n    name: a\n  - Dense: {units: 6}\n    from: flatten\n"
    "  - Concatenate:\n    from: [a, dense]\n" + DENSE,
    "Flatten of what is named": CONV + "  - Conv2D: {filters: 3, kernel_size: 1}\n    name: unused_by_y\n"
    "  - Flatten:\n    from: max_pooling2d\n" + DENSE + "outputs: [y, unused_by_y]\n",
}


def written(folder, layers, shape="[10, 12, 2]", more="", outputs=""):
    """A spec whose weights, random ones, are in a file beside it."""
    file = folder / "net.nnspec.yaml"
    layers, _, listed = layers.partition("outputs:")
    text = f"nnspec: 1\nname: net\nweights: {{file: net.safetensors}}\n{more}inputs: {{x: {shape}}}\nlayers:\n{layers}"
    file.write_text(text + (f"outputs:{listed}" if listed else outputs))
    graph = nnspec.compile(nnspec.load(file)).main
    save_file(random_weights(graph), folder / "net.safetensors")
    return file


def classifier(file):
    spec = nnspec.load(file)
    graph = nnspec.compile(spec).main
    return keras_reference(graph, initial_weights(spec, graph))


@pytest.mark.parametrize("layers", NETS.values(), ids=NETS.keys())
def test_on_a_larger_picture_each_place_is_what_the_classifier_says_of_its_window(layers, tmp_path):
    file = written(tmp_path, layers)
    made = convolutionalize(file, tmp_path / "fcn")
    assert made.on_own_size.agrees
    assert made.parity.agrees
    picture = np.random.default_rng(0).random((1, 20, 20, 2), np.float32)
    found = Predictor(made.files[2]).predict({"x": picture})["y"]
    step = 2 if "MaxPooling2D" in layers else 1
    # The number of places a window of 10 × 12 has.
    assert found.shape == (1, 10 // step + 1, 8 // step + 1, 5)
    for row, column in ((0, 0), (2, 1), (found.shape[1] - 1, found.shape[2] - 1)):
        window = picture[:, row * step : row * step + 10, column * step : column * step + 12]
        np.testing.assert_allclose(found[:, row, column], classifier(file)({"x": window})["y"], rtol=1e-4, atol=1e-6)


def test_the_spec_that_is_written_is_good_and_starts_from_the_weights_beside_it(tmp_path):
    made = convolutionalize(written(tmp_path, NETS["Flatten and Dense"]), tmp_path / "fcn")
    assert [file.name for file in made.files] == ["net_fcn.nnspec.yaml", "net_fcn.safetensors", "net_fcn.onnx"]
    spec = nnspec.load(made.files[0])
    model = nnspec.compile(spec)
    assert model.diagnostics == ()
    graph = model.main
    (tmp_path / "again.onnx").write_bytes(to_onnx(graph, initial_weights(spec, graph)).SerializeToString())
    picture = {"x": np.random.default_rng(0).random((2, 16, 14, 2), np.float32)}
    again, first = (Predictor(file).predict(picture)["y"] for file in (tmp_path / "again.onnx", made.files[2]))
    np.testing.assert_array_equal(again, first)


def test_what_need_not_change_is_written_as_it_was(tmp_path):
    more = (
        "params: {classes: 5, size: 10}\nblocks:\n  head:\n    params: {units: int}\n    layers:\n      - Flatten\n"
        "      - Dense: {units: $units, kernel_initializer: he_normal, activation: softmax}\n"
    )
    layers = CONV + "  - head: {units: $classes}\n    name: y\n"
    made = convolutionalize(written(tmp_path, layers, '["${size}", "${size}", 1]', more), tmp_path / "fcn")
    document = nnspec.load(made.files[0]).document.plain()
    assert document["params"] == {"classes": 5}
    assert document["inputs"] == {"x": ["H", "W", 1]}
    assert document["layers"] == [*nnspec.load(tmp_path / "net.nnspec.yaml").document.plain()["layers"]]
    head = {"filters": "$units", "kernel_size": 4, "kernel_initializer": "he_normal", "activation": "softmax"}
    assert document["blocks"]["head"]["layers"] == [{"Conv2D": head, "name": "dense"}]


def test_a_series_becomes_one_of_any_length(tmp_path):
    layers = "  - Conv1D: {filters: 3, kernel_size: 3}\n  - Flatten\n" + DENSE
    made = convolutionalize(written(tmp_path, layers, "[9, 2]"), tmp_path / "fcn")
    assert made.outputs == {"y": "(T - 8, 5)"}


REFUSED = {
    "  - Flatten\n  - BatchNormalization\n"
    + DENSE: r"net.nnspec.yaml:7:5: `batch_normalization` .* features of 10 × 12 positions",
    "  - AdaptiveAveragePooling2D: 1\n  - Flatten\n" + DENSE: "`adaptive_average_pooling2d` .* no convolutional equivalent",
    "  - GlobalAveragePooling2D\n  - RepeatVector: 3\n" + DENSE: "`repeat_vector`",
    "  - GlobalAveragePooling2D:\n    name: g\n  - Multiply:\n    from: [g, x]\n  - Flatten\n"
    + DENSE: "`multiply` .* merges flattened features",
    "  - Permute: [2, 1, 3]\n  - Conv2D: {filters: 3, kernel_size: 3}\n    name: y\n": "`permute` .* depends on the whole image",
    "  - Resizing: {height: 8, width: 8}\n  - Flatten\n" + DENSE: "`resizing` .* reduces `y` to one prediction",
}


@pytest.mark.parametrize(("layers", "words"), REFUSED.items())
def test_what_cannot_slide_is_refused_with_its_place_and_nothing_is_written(layers, words, tmp_path):
    file = written(tmp_path, layers)
    with pytest.raises(NnspecError, match=words):
        convolutionalize(file, tmp_path / "fcn")
    assert not (tmp_path / "fcn").exists()


def test_a_network_without_a_size_of_its_own_has_no_window(tmp_path):
    file = written(tmp_path, CONV + "  - GlobalAveragePooling2D\n" + DENSE, "[H, W, 1]")
    with pytest.raises(NnspecError, match=r"a free size gives no kernel size.*\n.*export: \{activation_maps"):
        convolutionalize(file, tmp_path / "fcn")


def test_several_inputs_are_refused(tmp_path):
    layers = (
        "  - Flatten:\n    from: a\n"
        + DENSE
        + "  - Flatten:\n    from: b\n  - Dense: {units: 3}\n    name: z\noutputs: [y, z]\n"
    )
    text = f"nnspec: 1\nname: net\nweights: w.safetensors\ninputs: {{a: [3, 3, 1], b: [3, 3, 1]}}\nlayers:\n{layers}"
    (tmp_path / "net.nnspec.yaml").write_text(text)
    save_file(random_weights(nnspec.compile(nnspec.load(tmp_path / "net.nnspec.yaml")).main), tmp_path / "w.safetensors")
    with pytest.raises(NnspecError, match="a single image or series"):
        convolutionalize(tmp_path / "net.nnspec.yaml", tmp_path / "fcn")


def test_a_spec_without_trained_weights_is_refused(tmp_path):
    text = "nnspec: 1\nname: net\ninputs: {x: [8, 8, 1]}\nlayers:\n  - Flatten\n" + DENSE
    (tmp_path / "net.nnspec.yaml").write_text(text)
    with pytest.raises(NnspecError, match="has no value for the weight `y/kernel`"):
        convolutionalize(tmp_path / "net.nnspec.yaml", tmp_path / "fcn")


DIGITS = """nnspec: 1
name: digits
inputs: {image: [16, 16, 1]}
layers:
  - Conv2D: {filters: 4, kernel_size: 3, activation: relu}
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data:
  train: {builtin: digits}
  validation: 0.5
  inputs: {image: {column: image, transform: [{resize: [16, 16]}, {rescale: 0.5}]}}
  targets: {digit: {column: target, transform: [{label_encode: {names: [o, i, ii, iii, iv, v, vi, vii, viii, ix]}}]}}
train: {epochs: 1, seed: 3, loss: SparseCategoricalCrossentropy}
"""


def test_of_a_run_the_file_keeps_the_classes_and_the_transforms_but_not_the_size(tmp_path):
    (tmp_path / "digits.nnspec.yaml").write_text(DIGITS)
    run = train(nnspec.load(tmp_path / "digits.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    arguments = ["convolutionalize", str(tmp_path / "run"), "-o", str(tmp_path / "fcn"), "--format", "json"]
    reported = CliRunner().invoke(main, arguments)
    assert reported.exit_code == 0, reported.output
    reported = json.loads(reported.stdout.splitlines()[-1])
    assert reported["layers"] == {"flatten": None, "digit": "Conv2D"}
    predictor = Predictor(reported["files"][2])
    assert predictor.classes["digit"][1] == "i"
    assert predictor.recipe["inputs"]["image"]["transforms"] == []
    assert predictor.recipe["inputs"]["image"]["white"] == 1
    picture = np.random.default_rng(0).random((1, 20, 16, 1), np.float32)
    graph = run.model.main
    expected = keras_reference(graph, run.weights())({"image": picture[:, 4:] * np.float32(0.5)})["digit"]
    np.testing.assert_allclose(predictor.predict({"image": picture})["digit"][:, 4, 0], expected, rtol=1e-4, atol=1e-6)
