"""``/openapi.json``: valid, complete, and true of what the server returns."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.routing import Match

from nnspec.serving.app import application
from tests.serving import models
from tests.serving.conftest import request, running
from tests.serving.test_plain import drawn

JSON, PNG = {"Content-Type": "application/json"}, {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """A server with a model of each kind: tensors, images, and rows with a classification."""
    folder = tmp_path_factory.mktemp("m")
    files = [
        models.write(folder / "a.onnx", models.scale()),
        models.write(folder / "b.onnx", models.picture(white=255)),
        models.write(folder / "c.onnx", models.iris()),
    ]
    with running(files) as found:
        yield found


@pytest.fixture(scope="module")
def described(every):
    status, found = every.json("GET", "/openapi.json")
    assert status == 200
    return found


def test_the_description_is_valid_openapi_3_1(described):
    validate(described)
    assert described["openapi"] == "3.1.0"


def test_the_description_of_a_single_model_and_of_a_token_is_valid(tmp_path):
    with running([models.write(tmp_path / "a.onnx", models.iris())], tokens=frozenset({b"secret"})) as server:
        assert server.json("GET", "/openapi.json")[0] == 401
        _, found = server.json("GET", "/openapi.json", None, {"Authorization": "Bearer secret"})
    validate(found)
    assert found["security"] == [{"token": []}]
    assert found["paths"]["/"]["get"]["security"] == found["paths"]["/v2/health/live"]["get"]["security"] == []
    assert {"get", "post"} == found["paths"]["/predict"].keys()


def test_every_route_of_the_server_is_described_and_every_description_is_a_route(every, described):
    routes = application(every.state)._app.routes
    met = set()
    for path, operations in described["paths"].items():
        for method in operations:
            scope = {"type": "http", "path": path, "method": method.upper(), "headers": []}
            [route] = [route for route in routes if route.matches(scope)[0] is Match.FULL]
            met.add(route.name)
    # None of the models generates samples.
    assert met == {route.name for route in routes} - {"generate"}


def _schema(described, method, path, kind="application/json"):
    return described["paths"][path][method.lower()]["responses"]["200"]["content"][kind]["schema"]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "/v2", None, {}),
        ("GET", "/v2/health/live", None, {}),
        ("GET", "/v2/health/ready", None, {}),
        ("GET", "/v2/models", None, {}),
        ("POST", "/v2/repository/index", b"", {}),
        ("GET", "/v2/models/scale", None, {}),
        ("GET", "/v2/models/scale/ready", None, {}),
        ("POST", "/v2/models/scale/infer", request(), JSON),
        ("POST", "/v2/models/scale/versions/1/infer", request(), JSON),
        ("GET", "/predict", None, {}),
        ("GET", "/predict/side", None, {}),
        ("GET", "/predict/scale/examples", None, {}),
        ("POST", "/predict/iris", {"length": 1, "width": 2}, JSON),
        ("POST", "/predict/side", drawn(), PNG),
        ("POST", "/preprocess/side", drawn(), PNG),
        ("POST", "/preprocess/iris", [{"length": 1, "width": 2}], JSON),
    ],
)
def test_a_response_has_the_described_form(every, described, method, path, body, headers):
    status, found = every.json(method, path, body, headers)
    assert status == 200
    Draft202012Validator(_schema(described, method, path)).validate(found)


def test_a_request_to_infer_is_as_described(described):
    content = described["paths"]["/v2/models/scale/infer"]["post"]["requestBody"]["content"]
    validator = Draft202012Validator(content["application/json"]["schema"])
    assert validator.is_valid(request())
    assert not validator.is_valid({"inputs": []})
    assert not validator.is_valid(json.loads(json.dumps(request()).replace("FP32", "INT8")))


def test_the_inputs_of_a_row_are_described_by_name_and_type(described):
    row = described["paths"]["/predict/iris"]["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert row["properties"] == {"length": {"type": "number"}, "width": {"type": "number"}}
    assert row["required"] == ["length", "width"]


def test_an_error_has_the_described_form(every, described):
    status, found = every.json("POST", "/predict/iris", {"length": 1}, JSON)
    assert status == 400
    Draft202012Validator(described["components"]["schemas"]["Error"]).validate(found)


def test_a_wrong_method_is_answered_with_all_methods_of_the_path(every):
    status, headers, _ = every.ask("DELETE", "/predict/iris")
    assert (status, headers["Allow"]) == (405, "GET, HEAD, POST")
