"""The Open Inference Protocol v2, over REST."""

from __future__ import annotations

import gzip
import json
import zlib

import numpy as np
import pytest

from tests.serving import models
from tests.serving.conftest import packed, request, running

INFER = "/v2/models/scale/infer"


def test_the_server_says_what_it_is(server):
    status, reported = server.json("GET", "/v2")
    assert (status, reported["name"], reported["extensions"]) == (200, "nnspec", ["binary_tensor_data"])


def test_the_server_lives_and_is_ready(server):
    assert server.json("GET", "/v2/health/live") == (200, {"live": True})
    assert server.json("GET", "/v2/health/ready") == (200, {"ready": True, "live": True})


def test_a_model_says_what_it_takes_and_gives(server):
    reported = {
        "name": "scale",
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}],
        "versions": ["1"],
    }
    assert server.json("GET", "/v2/models/scale") == (200, reported)
    assert server.json("GET", "/v2/models/scale/versions/1") == (200, reported)
    assert server.json("GET", "/v2/models/scale/ready") == (200, {"name": "scale", "ready": True})
    assert server.json("GET", "/v2/models") == (200, {"models": ["scale", "table"]})
    assert server.json("POST", "/v2/repository/index")[1][0] == {"name": "scale", "version": "1", "state": "READY"}


def test_a_model_that_is_not_there_is_answered_with_the_one_that_may_be_meant(server):
    assert server.json("GET", "/v2/models/scal") == (404, {"error": "unknown model 'scal'; did you mean `scale`?"})
    assert server.json("GET", "/v2/models/scale/versions/7")[0] == 404


@pytest.mark.parametrize("data", [[1, 2.5, 3, 4, 5, 6], [[1, 2.5, 3], [4, 5, 6]]])
def test_numbers_come_flat_or_nested(server, data):
    status, reported = server.json("POST", INFER, request(data, [2, 3], id="seven"))
    assert status == 200
    assert (reported["id"], reported["model_name"], reported["model_version"]) == ("seven", "scale", "1")
    assert reported["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [2, 3], "data": [2, 5, 6, 8, 10, 12]}]


def test_a_request_without_an_id_gets_one(server):
    assert server.json("POST", INFER, request())[1]["id"]


def test_tensors_go_and_come_in_binary(server):
    array = np.arange(6, dtype="<f4").reshape(2, 3)
    head = json.dumps(
        {
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 3], "parameters": {"binary_data_size": 24}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    status, headers, body = server.ask(
        "POST", INFER, head + array.tobytes(), {"Inference-Header-Content-Length": str(len(head))}
    )
    length = int(headers["Inference-Header-Content-Length"])
    reported = json.loads(body[:length])
    assert (status, reported["outputs"][0]["parameters"]) == (200, {"binary_data_size": 24})
    assert np.array_equal(np.frombuffer(body[length:], "<f4").reshape(2, 3), 2 * array)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_bodies_come_and_go_packed(server, coding, pack):
    rows = 2000
    body = pack(json.dumps(request(range(3 * rows), [rows, 3])).encode())
    status, headers, answer = server.ask("POST", INFER, body, {"Content-Encoding": coding, "Accept-Encoding": coding})
    assert (status, headers["Content-Encoding"]) == (200, coding)
    plain = zlib.decompress(answer, 31 if coding == "gzip" else 15)
    assert json.loads(plain)["outputs"][0]["data"] == [2 * i for i in range(3 * rows)]


def test_the_outputs_that_are_named_are_given(server):
    status, reported = server.json("POST", INFER, request(outputs=[{"name": "y"}]))
    assert status == 200
    status, reported = server.json("POST", INFER, request(outputs=[{"name": "z"}]))
    assert (status, reported["error"][:31]) == (400, "the model has no output 'z'; ex")


BAD = {
    "no JSON": (b"{", "not valid JSON"),
    "a list": (b"[]", "must be a JSON object"),
    "a key that is misspelt": ({"input": []}, "did you mean `inputs`?"),
    "no inputs": ({"inputs": []}, "is missing"),
    "another input": ({"inputs": [{"name": "q"}]}, "no input 'q'"),
    "an input twice": ({"inputs": request()["inputs"] * 2}, "duplicate input"),
    "another datatype": ({"inputs": [{**request()["inputs"][0], "datatype": "INT8"}]}, "has the datatype FP32"),
    "too few numbers": (request([1.0]), "has the shape [1, 3]"),
    "another shape": (request([1.0, 2.0], [1, 2]), "has 3 elements on axis 1"),
    "a negative size": (request(shape=[-1, 3]), "nonnegative integers"),
    "an enormous size": (request(shape=[2**62, 2**62]), "has the shape"),
    "many axes": (request(shape=[1] * 500), "axes"),
    "no rows": (request([], [0, 3]), "is empty"),
    "ragged": (request([[1.0], [2.0, 3.0]]), "not a tensor"),
    "texts": (request(["a", "b", "c"]), "not all have the datatype FP32"),
    "truth": (request([True, False, True]), "not all have the datatype FP32"),
    "null": (request([None, 1, 2]), "not all have the datatype FP32"),
    "too large a number": (request([1e300, 1, 2]), "exceeds the range of FP32"),
    "not a number": (json.dumps(request([float("nan"), 1, 2])).encode(), "not valid JSON"),
    "no data": ({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3]}]}, "neither"),
    "a parameter that would change the answer": (request(parameters={"sequence_id": 3}), "not supported"),
    "a key twice": (
        json.dumps(request()).encode().replace(b'{"inputs"', b'{"inputs": [], "inputs"'),
        'has the key "inputs" twice',
    ),
    "a key twice in a tensor": (json.dumps(request()).encode().replace(b'"name"', b'"name": "q", "name"'), "twice"),
    "a key twice beside many numbers": (
        json.dumps(request([1.5] * 30_000)).encode().replace(b'{"inputs"', b'{"inputs": [], "inputs"'),
        "twice",
    ),
    "deep": (b"[" * 100_000, "invalid inference request"),
    "deep data": (json.dumps(request([])).encode().replace(b"[]", b"[" * 200 + b"]" * 200), "the input"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_reported_what_is_wrong(server, case):
    body, words = BAD[case]
    status, reported = server.json("POST", INFER, body)
    assert status == 400
    assert words in reported["error"]
    assert server.json("POST", INFER, request())[0] == 200


@pytest.mark.parametrize(
    ("length", "size", "words"),
    [
        ("5000", 12, "but the body has"),
        ("-5", 12, "nonnegative integer"),
        ("9" * 5000, 12, "but the body has"),
        (None, 13, "are left in the body"),
        (None, -1, "nonnegative integer"),
        (None, 2**62, "are left in the body"),
        (None, 8, "12 bytes"),
        (None, 0, "12 bytes"),
    ],
)
def test_a_binary_request_whose_lengths_do_not_fit_is_refused(server, length, size, words):
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 3], "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Inference-Header-Content-Length": length or str(len(head))}
    status, reported = server.json("POST", INFER, head + bytes(12), headers)
    assert status == 400
    assert words in reported["error"]


def test_a_number_that_is_in_no_table_is_the_clients_error(server):
    tensor = {"name": "t", "datatype": "INT64", "shape": [1, 2], "data": [1, 9]}
    status, reported = server.json("POST", "/v2/models/table/infer", {"inputs": [tensor]})
    assert status == 400
    assert "from 0 to 3" in reported["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v2/models/../../etc/passwd", 404),
        ("GET", "/v2/models/%2e%2e%2fetc%2fpasswd", 404),
        ("GET", "/v2/models/a%00b", 404),
        ("GET", "/v2/models/%ff", 404),
        ("POST", "/v2/models/%2e%2e/infer", 404),
        ("GET", "/v2/models/scale/versions/..", 404),
        ("GET", INFER, 405),
        ("DELETE", "/v2/models/scale", 405),
    ],
)
def test_every_error_is_json(server, method, path, status):
    found, reported = server.json(method, path)
    assert (found, list(reported)) == (status, ["error"])


def test_versions_are_folders_and_the_latest_answers(tmp_path):
    for version, factor in ((9, 9.0), (10, 10.0)):
        models.write(tmp_path / "repo" / "net" / str(version) / "model.onnx", models.scale(factor))
    with running([tmp_path / "repo"]) as server:
        assert server.json("GET", "/v2/models/net")[1]["versions"] == ["9", "10"]
        assert server.json("POST", "/v2/models/net/infer", request())[1]["outputs"][0]["data"] == [10, 20, 30]
        reported = server.json("POST", "/v2/models/net/versions/9/infer", request())[1]
        assert (reported["model_version"], reported["outputs"][0]["data"]) == ("9", [9, 18, 27])


def test_a_gzip_that_is_none_is_refused(server):
    whole = packed(request())
    for body in (b"nothing", whole[:20] + whole[-4:], whole[:40] + b"\0" + whole[41:], whole + whole[-4:]):
        assert server.json("POST", INFER, body, {"Content-Encoding": "gzip"})[0] == 400
    assert server.json("POST", INFER, b"", {"Content-Encoding": "br"})[0] == 415
