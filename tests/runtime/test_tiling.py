"""Large pictures, tile by tile: with the overlap that the file asks for the answers are those to the whole picture."""

from __future__ import annotations

import io
import json
from fractions import Fraction

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend import to_onnx
from nnspec.runtime.metadata import SPEC_NAME
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.tiled import Tiling
from nnspec.runtime.tiling import ReceptiveField
from nnspec.serving.journal import Journal
from nnspec.serving.server import create_state
from nnspec.serving.settings import Settings
from tests.conftest import CORPUS
from tests.onnx_backend.nets import graph_of, random_weights
from tests.serving import models
from tests.serving.conftest import running

IMAGE = "{x: [H, W, 2]}"
CONV = "  - Conv2D: {filters: 3, kernel_size: 3, padding: same, activation: relu}\n"
MASK = "  - Conv2D: {filters: 2, kernel_size: 1, activation: softmax}\n    name: y\n"


def predictor(folder, graph):
    onnx.save(to_onnx(graph, random_weights(graph)), folder / "m.onnx")
    return Predictor(folder / "m.onnx")


def net(folder, layers, inputs=IMAGE, outputs=None):
    return predictor(folder, graph_of(layers, inputs, outputs))


def pictures(*shape):
    return {"x": np.random.default_rng(0).random(shape, np.float32)}


NETS = {
    "convolutions": CONV * 2 + MASK,
    "convolutions without padding": CONV.replace("padding: same, ", "") * 2 + MASK,
    "a dilated convolution": CONV.replace("activation", "dilation_rate: 3, activation") + MASK,
    "strides": CONV.replace("activation", "strides: 2, activation") + CONV + MASK,
    "uneven padding": CONV.replace("kernel_size: 3, padding: same", "kernel_size: 4, padding: [[1, 2], [0, 3]]") + MASK,
    "a window of a classifier": CONV + "  - MaxPooling2D\n  - Conv2D: {filters: 4, kernel_size: 7}\n" + MASK,
    "poolings and no way back": CONV
    + "  - AveragePooling2D: {pool_size: 3, strides: 2}\n"
    + CONV
    + "  - MaxPooling2D\n"
    + MASK,
    "twice the size": CONV + "  - Conv2DTranspose: {filters: 3, kernel_size: 4, strides: 2, padding: same}\n" + CONV + MASK,
    "down and up again": CONV + "  - MaxPooling2D: {pool_size: 4}\n" + CONV + "  - UpSampling2D: {size: 4}\n" + CONV + MASK,
    "a skip": CONV
    + "  - MaxPooling2D\n"
    + CONV
    + "  - UpSampling2D\n  - Concatenate:\n    from: [up_sampling2d, conv2d]\n"
    + MASK,
}


@pytest.mark.parametrize("layers", NETS.values(), ids=NETS.keys())
def test_the_answers_are_those_to_the_whole_picture(layers, tmp_path):
    model = net(tmp_path, layers)
    inputs = pictures(2, 92, 136, 2)
    tiling = Tiling(model, 40)
    found, whole = tiling.predict(inputs)["y"], model.predict(inputs)["y"]
    assert min(tiling.tiles) > 1
    assert tiling.exact
    np.testing.assert_allclose(found, whole, atol=2e-6)


def test_a_unet_of_the_corpus_answers_as_it_does_to_the_whole(tmp_path):
    spec = nnspec.load(CORPUS / "unet.nnspec.yaml", ["params.base=2", "params.depth=2"])
    model = predictor(tmp_path, nnspec.compile(spec).main)
    assert model.fields["mask"] == (ReceptiveField(47, Fraction(1), -23, 4),) * 2
    image = np.random.default_rng(0).random((1, 160, 200, 3), np.float32)
    tiling = Tiling(model, 96)
    np.testing.assert_allclose(tiling.predict({"image": image})["mask"], model.predict({"image": image})["mask"], atol=2e-6)
    # Places that see 23 positions to each side want 46, and tiles begin at multiples of 4.
    assert tiling.overlap == 48
    assert tiling.seams["mask"] < 1e-6


def test_a_series_is_cut_along_time(tmp_path):
    layers = "  - Conv1D: {filters: 3, kernel_size: 5, padding: causal}\n  - Dense: {units: 2}\n    name: y\n"
    model = net(tmp_path, layers, "{x: [T, 2]}")
    inputs = pictures(3, 100, 2)
    np.testing.assert_allclose(model.predict(inputs, tile=16)["y"], model.predict(inputs)["y"], atol=2e-6)


def test_a_smaller_overlap_goes_over_from_tile_to_tile_and_says_so(tmp_path):
    model = net(tmp_path, CONV * 6 + MASK)
    inputs = pictures(1, 120, 120, 2)
    whole = model.predict(inputs)["y"]
    tilings = [Tiling(model, 40, overlap) for overlap in (0, 4, 12)]
    errors = [np.abs(tiling.predict(inputs)["y"] - whole).max() for tiling in tilings]
    assert not any(tiling.exact for tiling in tilings[:2])
    assert errors[0] > 3 * errors[1] > 1e-4
    assert errors[2] < 2e-6
    assert tilings[0].seams == {}
    assert tilings[1].seams["y"] > 1e-3 > tilings[2].seams.get("y", 0)
    assert "4 × 4 tiles of 40 with an overlap of 4: the outputs are blended" in tilings[1].text()


def test_no_more_than_one_tile_is_computed_at_a_time(tmp_path, monkeypatch):
    model = net(tmp_path, NETS["down and up again"])
    seen, run = [], model.run
    monkeypatch.setattr(model, "run", lambda arrays: seen.append(arrays["x"].shape) or run(arrays))
    model.predict(pictures(2, 300, 200, 2), tile=64)
    assert {shape[0] for shape in seen} == {1}
    assert max(size for shape in seen for size in shape[1:3]) == 64


def test_sizes_that_the_model_does_not_take_are_mirrored_and_cropped_back(tmp_path):
    model = net(tmp_path, NETS["a skip"])
    inputs = pictures(1, 91, 135, 2)
    with pytest.raises(NnspecError, match="`H` and `W` must be multiples of 2, not 91 and 135"):
        model.predict(inputs)
    tiling = Tiling(model, 40)
    found = tiling.predict(inputs)["y"]
    mirrored = np.pad(inputs["x"], [(0, 0), (0, 1), (0, 1), (0, 0)], mode="symmetric")
    np.testing.assert_allclose(found, model.predict({"x": mirrored})["y"][:, :91, :135], atol=2e-6)
    assert "images were padded to 92 × 136 by mirroring, and the outputs cropped" in tiling.text()


def test_a_picture_smaller_than_a_tile_is_answered_whole(tmp_path):
    model = net(tmp_path, CONV + MASK)
    inputs = pictures(1, 20, 24, 2)
    np.testing.assert_array_equal(model.predict(inputs, tile=64)["y"], model.predict(inputs)["y"])


SMALL = NETS["a window of a classifier"]


@pytest.mark.parametrize(
    ("layers", "tile", "overlap", "words"),
    [
        (
            CONV + "  - GlobalAveragePooling2D\n  - Dense: {units: 3}\n    name: y\n",
            32,
            None,
            "the receptive fields of `y` are the whole",
        ),
        (CONV + "  - GroupNormalization: {groups: 1}\n" + MASK, 32, None, "the receptive fields of `y` are the whole"),
        (NETS["a skip"], 33, None, "a tile must be a multiple of 2 here, and its overlap a multiple of 2; not 33 and 8"),
        (NETS["a skip"], 32, 3, "a tile must be a multiple of 2 here, and its overlap a multiple of 2; not 32 and 3"),
        (NETS["a skip"], 8, None, "tiles of 8 are no larger than their overlap of .*\n.*or an overlap below"),
        (SMALL, 8, 0, "a multiple of 2 and at least 14 here, and its overlap a multiple of 2; not 8 and 0"),
        (SMALL, 32, 0, "no tile covers some positions of `y`"),
    ],
)
def test_what_cannot_be_tiled_is_refused(layers, tile, overlap, words, tmp_path):
    with pytest.raises(NnspecError, match=words):
        Tiling(net(tmp_path, layers), tile, overlap).predict(pictures(1, 96, 96, 2))


def test_a_model_of_fixed_sizes_or_of_two_inputs_is_refused(tmp_path):
    with pytest.raises(NnspecError, match="a single image input of free sizes"):
        Tiling(net(tmp_path, CONV + MASK, "{x: [32, 32, 2]}"), 16)
    two = "  - Add:\n    from: [x, z]\n    name: y\n"
    with pytest.raises(NnspecError, match="a single image input of free sizes"):
        Tiling(net(tmp_path, two, "{x: [H, W, 2], z: [H, W, 2]}"), 16)


def test_nnspec_predict_tiles_and_says_how(tmp_path):
    model = net(tmp_path, NETS["a skip"])
    np.savez(tmp_path / "x.npz", **pictures(1, 81, 80, 2))
    arguments = ["predict", str(tmp_path / "m.onnx"), "--data", str(tmp_path / "x.npz"), "--tile", "40", "--format", "json"]
    reported = CliRunner().invoke(main, arguments)
    assert reported.exit_code == 0, reported.output
    assert "tiles of 40 with an overlap of" in reported.stderr
    assert "padded to 82 × 80" in reported.stderr
    found = np.array(json.loads(reported.stdout)["y"])
    assert found.shape == (81, 80, 2)
    assert model.outputs["y"].shape == ("batch", "H", "W", 2)


def test_overlap_without_tile_is_bad_usage(tmp_path):
    net(tmp_path, CONV + MASK)
    reported = CliRunner().invoke(main, ["predict", str(tmp_path / "m.onnx"), "--data", "x.npz", "--overlap", "8"])
    assert reported.exit_code == 2
    assert "--overlap requires --tile" in reported.output


def served(folder, layers):
    graph = graph_of(layers, IMAGE)
    return models.write(folder / "m.onnx", to_onnx(graph, random_weights(graph), metadata={SPEC_NAME: "net"}))


def asked(server, array):
    tensor = {"name": "x", "datatype": "FP32", "shape": list(array.shape), "data": array.ravel().tolist()}
    status, reported = server.json("POST", "/v2/models/net/infer", {"inputs": [tensor]})
    assert status == 200, reported
    [output] = reported["outputs"]
    return np.array(output["data"], np.float32).reshape(output["shape"])


def test_the_server_tiles_what_is_larger_than_it_is_reported_to_compute_whole(tmp_path):
    file = served(tmp_path, NETS["a skip"])
    inputs = pictures(1, 96, 64, 2)["x"]
    with running([file], tile=40) as server:
        model = server.state.repository.find("net").predictor
        seen, run = [], model.run
        model.run = lambda arrays: seen.append(arrays["x"].shape[1:3]) or run(arrays)
        found = asked(server, inputs)
        asked(server, inputs[:, :40, :40])
    assert max(max(shape) for shape in seen) == 40
    assert seen[-1] == (40, 40)
    np.testing.assert_allclose(found, Predictor(file).predict({"x": inputs})["y"], atol=2e-6)


def test_a_server_does_not_start_with_tiles_that_a_model_cannot_have(tmp_path):
    with pytest.raises(NnspecError, match="a tile must be a multiple of 2"):
        create_state([str(served(tmp_path, NETS["a skip"]))], Settings(threads=1, tile=41), Journal(io.StringIO()))


def test_a_model_that_cannot_be_tiled_is_served_whole(tmp_path):
    layers = CONV + "  - GlobalAveragePooling2D\n  - Dense: {units: 3}\n    name: y\n"
    with running([served(tmp_path, layers)], tile=8) as server:
        assert asked(server, pictures(1, 32, 32, 2)["x"]).shape == (1, 3)
