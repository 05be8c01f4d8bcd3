"""Pictures of sizes that a network cannot take: every way to one refuses them and says which sizes it takes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.exporting.run_predictions import predict_run
from nnspec.onnx_backend import to_onnx
from nnspec.runtime.metadata import DATA
from nnspec.runtime.predictor import Predictor
from nnspec.training import train
from nnspec.training.loop.progress import Quiet
from tests.conftest import CORPUS
from tests.onnx_backend.nets import random_weights
from tests.serving import models
from tests.serving.conftest import running
from tests.serving.test_plain import drawn

WORDS = "`H` and `W` must be multiples of 8, not 250 and 250; the next valid sizes are 256 and 256"

FOURS = """
nnspec: 1
name: fours
inputs: {image: [H, W, 1]}
layers:
  - Conv2D: {filters: 2, kernel_size: 3, padding: same}
    name: fine
  - MaxPooling2D: {pool_size: 4}
  - UpSampling2D: {size: 4}
  - Concatenate:
    from: [up_sampling2d, fine]
  - Conv2D: {filters: 2, kernel_size: 1, activation: softmax}
    name: mask
data: {train: {npz: fitting.npz}, inputs: {image: image}, targets: {mask: mask}}
train: {epochs: 1, loss: {mask: SparseCategoricalCrossentropy}}
"""


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    """The corpus's U-Net, exported."""
    graph = nnspec.compile(nnspec.load(CORPUS / "unet.nnspec.yaml")).main
    reported = {"inputs": {"image": {"columns": ["image"], "stacked": False, "transforms": [], "white": 1}}}
    model = to_onnx(graph, random_weights(graph), metadata={DATA: json.dumps(reported)})
    return models.write(tmp_path_factory.mktemp("unet") / "unet.onnx", model)


def pictures(size: int) -> np.ndarray:
    return np.random.default_rng(0).random((1, size, size, 3), np.float32)


def test_the_predictor_says_that_both_sizes_must_be_multiples_of_8(unet):
    predictor = Predictor(unet)
    with pytest.raises(NnspecError, match=WORDS):
        predictor.predict({"image": pictures(250)})
    assert predictor.predict({"image": pictures(64)})["mask"].shape == (1, 64, 64, 2)


def test_nnspec_predict_says_it(unet, tmp_path):
    np.savez(tmp_path / "pictures.npz", image=pictures(250))
    reported = CliRunner().invoke(main, ["predict", str(unet), "--data", str(tmp_path / "pictures.npz")])
    assert reported.exit_code == 1
    assert reported.output == f"error: {WORDS}\n"


def test_the_server_says_it_on_both_of_its_routes(unet):
    with running([unet]) as server:
        tensor = {"name": "image", "datatype": "FP32", "shape": [1, 250, 250, 3], "data": pictures(250).ravel().tolist()}
        assert server.json("POST", "/v2/models/unet/infer", {"inputs": [tensor]}) == (400, {"error": WORDS})
        picture = drawn((250, 250))
        assert server.json("POST", "/predict", picture, {"Content-Type": "image/png"}) == (400, {"error": WORDS})


@pytest.fixture
def fours(tmp_path, monkeypatch):
    """A spec whose network takes multiples of 4, and data that fit and that do not."""
    random = np.random.default_rng(0)
    for name, size in (("fitting", 8), ("unfit", 10)):
        mask = random.integers(0, 2, (6, size, size), np.int32)
        np.savez(tmp_path / f"{name}.npz", image=random.random((6, size, size, 1), np.float32), mask=mask)
    (tmp_path / "fours.nnspec.yaml").write_text(FOURS)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "fours.nnspec.yaml"


def test_training_says_it_before_it_begins(fours):
    fours.write_text(FOURS.replace("fitting", "unfit"))
    reported = CliRunner().invoke(main, ["validate", str(fours)])
    assert reported.exit_code == 1
    assert (
        "error[NN415]: `H` and `W` must be multiples of 4, not 10 and 10; the next valid sizes are 12 and 12" in reported.output
    )
    assert "the column `image` has shape (10, 10, 1)" in reported.output


def test_a_run_says_it_of_data_it_is_asked_about(fours, tmp_path):
    train(nnspec.load(fours), out=tmp_path / "run", progress=Quiet())
    with pytest.raises(NnspecError, match="`H` and `W` must be multiples of 4, not 10 and 10"):
        predict_run(tmp_path / "run", str(tmp_path / "unfit.npz"))
    assert predict_run(tmp_path / "run", str(tmp_path / "fitting.npz")).outputs["mask"].shape == (6, 8, 8, 2)
