"""What a server answers for a model of standardized targets is in the units of the data."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from tests.runtime.test_units_end_to_end import READER, prices, shops  # noqa: F401 (fixtures)
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


def test_rows_with_their_series_are_answered_in_the_units_of_each_series(shops, monkeypatch):  # noqa: F811
    monkeypatch.chdir(shops)
    wanted = predict_file("m.onnx", READER).outputs["y"]
    windows = {"A": np.sin(np.arange(8)), "B": 500 + 20 * np.sin(np.arange(8))}
    rows = [{"shop": shop, "load at past": window.tolist()} for shop, window in windows.items()]
    with running([shops / "m.onnx"]) as server:
        status, described = server.json("GET", "/predict/shops")
        assert described["columns"][0] == {"name": "shop", "kind": "choice", "may_miss": False, "choices": ["A", "B"]}
        status, found = server.json("POST", "/predict", rows, JSON)
        assert status == 200, found
        status, one = server.json("POST", "/predict", rows[1], JSON)
        assert status == 200, one
    answers = [row["y"] for row in found["predictions"]]
    np.testing.assert_allclose(answers, wanted[[0, 21]], rtol=1e-4)
    np.testing.assert_allclose([one["predictions"][0]["y"]], wanted[[21]], rtol=1e-4)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "the rows have no `shop`, which identifies the series of a row; add `shop` to every row"),
        ({"shop": "Z"}, "row 0 belongs to the series `Z`, which was not in the training data; the known series are `A`, `B`"),
        ({"shop": None}, "the request, row 1, column `shop`: the value is missing"),
    ],
)
def test_rows_of_no_known_series_are_refused_with_what_to_send(shops, more, message):  # noqa: F811
    with running([shops / "m.onnx"]) as server:
        status, found = server.json("POST", "/predict", [{"load at past": [0.0] * 8, **more}], JSON)
    assert status == 400
    assert message in found["error"]
