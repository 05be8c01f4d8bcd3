"""What a server answers for a model of standardized targets is in the units of the data."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.runtime.predictor import Predictor
from nnspec.serving.request_decoder import request_decoder_of
from tests.runtime.test_units_end_to_end import prices, shops  # noqa: F401 (fixtures)
from tests.serving.conftest import running

JSON = {"Content-Type": "application/json"}


def test_both_ways_of_asking_answer_in_the_units_of_the_data(prices):  # noqa: F811
    given = [[0.5, -1.0], [-0.5, 1.0]]
    wanted = Predictor(prices / "m.onnx").predict({"x": np.array(given, np.float32)})
    with running([prices / "m.onnx"]) as server:
        rows = [{"a": a, "b": b} for a, b in given]
        status, found = server.json("POST", "/predict", rows, JSON)
        assert status == 200, found
        tensor = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": given}
        status, inferred = server.json("POST", "/v2/models/net/infer", {"inputs": [tensor]})
        assert status == 200, inferred
    outputs = {output["name"]: output for output in inferred["outputs"]}
    assert outputs["pressure"]["datatype"] == "FP64"
    for name, values in wanted.items():
        assert np.ravel([row[name] for row in found["predictions"]]) == pytest.approx(values.ravel())
        assert outputs[name]["data"] == pytest.approx(values.ravel())
    assert abs(np.mean(outputs["price"]["data"]) - 300_000) < 20_000


def test_a_model_whose_units_differ_between_series_is_not_answered_in_deviations(shops):  # noqa: F811
    predictor = Predictor(shops / "m.onnx")
    assert request_decoder_of(predictor) is None
    with running([shops / "m.onnx"]) as server:
        status, _ = server.json("POST", "/predict", [{"load at past": [0.0] * 8}], JSON)
    assert status == 400
