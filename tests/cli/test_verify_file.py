"""``nnspec verify MODEL.onnx``: whether a file is what was exported."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.proto import sealed
from tests.onnx_backend.nets import lenet, random_weights

RECORD = {"outputs": {"digit": {"error": 0.0, "tolerance": 1e-5}}}


@pytest.fixture
def file(tmp_path):
    graph = lenet()
    path = tmp_path / "digit.onnx"
    path.write_bytes(sealed(to_onnx(graph, random_weights(graph)), RECORD))
    return path


def verified(*arguments: object):
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def test_a_file_as_it_was_exported_passes(file):
    found = verified(file)
    assert found.exit_code == 0, found.output
    assert "is what was exported: " in found.output
    assert json.loads(verified(file, "--format", "json").stdout)["parity"]["outputs"] == RECORD["outputs"]


def test_a_weight_with_one_other_bit_is_named(file):
    model = onnx.load(file)
    (kernel,) = (each for each in model.graph.initializer if each.name == "dense_1/kernel")
    array = onnx.numpy_helper.to_array(kernel).copy()
    array[3, 2] = np.nextafter(array[3, 2], np.float32(9))
    kernel.CopyFrom(onnx.numpy_helper.from_array(array, kernel.name))
    onnx.save(model, file)
    found = verified(file)
    assert found.exit_code == 1
    assert "differs from what was exported: `dense_1/kernel` changed" in found.output


def test_a_constant_that_was_renamed_is_missing(file):
    model = onnx.load(file)
    for node in model.graph.node:
        node.input[:] = ["other" if name == "dense/bias" else name for name in node.input]
    next(each for each in model.graph.initializer if each.name == "dense/bias").name = "other"
    onnx.save(model, file)
    assert "`dense/bias` missing" in verified(file).output


def test_a_change_of_a_node_is_told_apart_from_one_of_a_weight(file):
    model = onnx.load(file)
    model.graph.node[-1].attribute[0].i -= 1
    onnx.save(model, file)
    assert "its nodes or its metadata changed" in verified(file).output


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x0a" * 50])
def test_what_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "a.onnx").write_bytes(content)
    found = verified(tmp_path / "a.onnx")
    assert found.exit_code == 1
    assert "Traceback" not in found.output


def test_a_spec_alone_is_refused_with_what_is_missing(tmp_path):
    (tmp_path / "a.nnspec.yaml").write_text("nnspec: 1")
    found = verified(tmp_path / "a.nnspec.yaml")
    assert found.exit_code == 1
    assert "also name the recorded activations" in found.output
