"""What serving engines deploy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nnspec.diagnostics import NnspecError
from nnspec.packaging import card
from nnspec.packaging.triton import config
from nnspec.packaging.writing import write_package
from nnspec.runtime.ports import Port
from nnspec.runtime.predictor import Predictor
from nnspec.serving.loading import find_files, named_sources
from nnspec.serving.metrics import Metrics
from tests.serving import models


@pytest.fixture
def iris(tmp_path):
    return models.write(tmp_path / "iris.onnx", models.iris())


def test_a_triton_repository_holds_the_model_its_config_and_its_labels(iris, tmp_path):
    files = write_package(iris, "triton", tmp_path / "out")
    names = sorted(str(file.relative_to(tmp_path / "out")) for file in files)
    assert names == ["iris/1/model.onnx", "iris/README.md", "iris/config.pbtxt", "iris/kind.labels.txt"]
    assert (tmp_path / "out/iris/kind.labels.txt").read_text() == "long\nwide\n<b>neither</b>\n"
    text = (tmp_path / "out/iris/config.pbtxt").read_text()
    assert "max_batch_size: 64" in text
    assert "dims: [ 2 ]" in text
    assert 'label_filename: "kind.labels.txt"' in text
    assert (tmp_path / "out/iris/1/model.onnx").read_bytes() == iris.read_bytes()


def test_a_triton_repository_is_what_serve_takes(iris, tmp_path):
    write_package(iris, "triton", tmp_path / "out")
    assert list(find_files(named_sources([str(tmp_path / "out")]))) == [("iris", "1")]


def test_rows_that_may_not_be_joined_are_not_batched_and_a_scalar_is_reshaped():
    steps = {"y": Port("y", ("batch", "steps"), "float16")}
    assert "max_batch_size: 0\n" in config("a", {"x": Port("x", ("batch", "T"), "int64")}, steps, joins=False)
    text = config("a", {"x": Port("x", ("batch",), "int64")}, {"y": Port("y", ("batch", None), "float64")}, joins=True)
    assert "dims: [ 1 ]\n  reshape { shape: [ ] }" in text
    assert "TYPE_FP64\n  dims: [ -1 ]" in text


def test_a_name_with_quotes_is_quoted():
    port = Port('a"b\\', ("batch", 1), "bool")
    assert 'name: "a\\"b\\\\"' in config("m", {"x": port}, {"x": port}, joins=True)


def test_a_kserve_service_points_to_its_storage(iris, tmp_path):
    write_package(iris, "kserve", tmp_path / "out", storage_uri="s3://models/iris")
    service = yaml.safe_load((tmp_path / "out/inferenceservice.yaml").read_text())
    model = service["spec"]["predictor"]["model"]
    assert (model["storageUri"], model["protocolVersion"], model["modelFormat"]) == ("s3://models/iris", "v2", {"name": "onnx"})
    assert (tmp_path / "out/storage/iris/1/model.onnx").is_file()


def test_a_kserve_service_has_a_name_that_kubernetes_accepts(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale(name="Big_Net.v2"))
    write_package(file, "kserve", tmp_path / "out", storage_uri="s3://models/net")
    assert yaml.safe_load((tmp_path / "out/inferenceservice.yaml").read_text())["metadata"]["name"] == "big-net-v2"


@pytest.mark.parametrize(
    ("target", "uri", "words"),
    [("kserve", None, "requires a storage URI"), ("triton", "s3://a", "is for"), ("kserve", "here", "is not a storage URI")],
)
def test_a_storage_is_named_for_kserve_alone(iris, tmp_path, target, uri, words):
    with pytest.raises(NnspecError, match=words):
        write_package(iris, target, tmp_path / "out", storage_uri=uri)
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["iris.onnx"]


def test_a_container_holds_no_framework(iris, tmp_path):
    write_package(iris, "docker", tmp_path / "out")
    wanted = {line.partition("==")[0] for line in (tmp_path / "out/requirements.txt").read_text().splitlines()}
    assert {"onnxruntime", "numpy", "starlette", "uvicorn", "orjson", "prometheus-client", "pydantic"} <= wanted
    assert not {"tensorflow", "keras", "onnx", "nnspec", "tf2onnx"} & wanted
    assert 'serve", "/models/iris"' in (tmp_path / "out/Dockerfile").read_text()
    served = subprocess.run(
        [sys.executable, "-m", "nnspec", "--version"], cwd=tmp_path / "out", capture_output=True, text=True, check=True
    )
    assert served.stdout.startswith("nnspec ")


def test_the_card_says_what_is_known_and_escapes_what_is_not_ours(iris, tmp_path):
    write_package(iris, "triton", tmp_path / "out", license="Apache-2.0")
    text = (tmp_path / "out/iris/README.md").read_text()
    assert 'license: "Apache-2.0"' in text
    assert "\\<b\\>neither" in text
    assert "| y | 0.0e+00 | 1.0e-05 |" in text
    assert Predictor(iris).parity["sha256"] in text


@pytest.mark.parametrize("target", ["triton", "docker"])
@pytest.mark.parametrize(
    "name", ["../../evil", "/tmp/evil", ".", "..", "a\nRUN evil", 'a", "b', "<img src=x>", "\x1b[31m", "a" * 300]
)
def test_a_name_in_a_model_file_that_could_leave_the_package_is_refused(tmp_path, target, name):
    file = models.write(tmp_path / "m.onnx", models.scale(name=name))
    with pytest.raises(NnspecError, match="cannot be the name of a folder"):
        write_package(file, target, tmp_path / "deep" / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["m.onnx", "deep"] or not any((tmp_path / "deep").iterdir())


def test_a_license_is_escaped_on_the_card(iris, tmp_path):
    write_package(iris, "triton", tmp_path / "out", license="<img src=x>\x1b[31m\u202e\n# Title\n::error::x")
    text = (tmp_path / "out/iris/README.md").read_text()
    assert "<img" not in text.replace("\\<img", "")
    assert not {"\x1b", "\u202e"} & set(text)
    assert "\n# Title" not in text
    assert "\n::error" not in text


def test_a_folder_that_is_there_is_not_written_over(iris, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("")
    with pytest.raises(NnspecError, match="already exists"):
        write_package(iris, "triton", tmp_path / "out")


def test_the_autoscaling_examples_name_metrics_that_the_server_has(iris):
    text = (Path(__file__).parents[2] / "examples/autoscaling/serve.yaml").read_text()
    metrics = Metrics()
    metrics.of_batches("digits", "1")(1, 0.1)
    metrics.queue("digits", "1", 0, 0.0, 0.0)
    exported = metrics.text(lambda: None)[0].decode()
    named = re.findall(r"nnspec_\w+", text)
    assert named
    assert all(f'\n{name}{{model="digits"' in exported for name in named)


def test_a_model_that_is_not_proven_is_not_packaged(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale(), record=None)
    with pytest.raises(NnspecError, match="no parity record"):
        write_package(file, "triton", tmp_path / "out")
    with pytest.raises(NnspecError, match="neither a run folder nor"):
        write_package(tmp_path / "nothing", "triton", tmp_path / "out")


def test_the_card_states_the_share_of_elements_that_ties_decide():
    output = {"error": 0.0, "tolerance": 1e-5, "undecided": 0.00125}
    assert "| y | 0.0e+00 | 1.0e-05 | 0.12% |" in card._parity({"outputs": {"y": output, "z": {**output, "undecided": 0.0}}})
