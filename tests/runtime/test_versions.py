"""Versions of ONNX Runtime: what they load, and the error of an older one."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.emit import OPSETS
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime import session
from nnspec.runtime.metadata import RUNTIME
from nnspec.runtime.seal import metadata_of
from nnspec.runtime.versions import newest_opset_of, oldest_runtime_of
from tests.onnx_backend.nets import lenet, random_weights


@pytest.mark.parametrize("opset", OPSETS)
def test_a_file_states_the_oldest_runtime_which_loads_its_opset(opset):
    graph = lenet()
    oldest = metadata_of(serialized(to_onnx(graph, random_weights(graph), opset=opset)))[RUNTIME]
    assert oldest == oldest_runtime_of(opset)
    assert newest_opset_of(f"onnxruntime=={oldest}") >= opset


@pytest.mark.parametrize(("runtime", "opset"), [("1.15.1", 18), ("1.17", 20), ("1.20.1", 21), ("1.22.9", 22), ("1.31.1", 26)])
def test_the_newest_opset_of_a_runtime_is_that_of_its_minor_version(runtime, opset):
    assert newest_opset_of(f"onnxruntime=={runtime}") == opset
    assert newest_opset_of(f"onnxruntime == {runtime}") == opset


@pytest.mark.parametrize("runtime", ["onnxruntime", "onnxruntime>=1.17", "1.17", "tensorrt==10", "onnxruntime==1.9", ""])
def test_what_is_no_known_version_is_refused(runtime):
    with pytest.raises(NnspecError, match=r"write `onnxruntime==1\.17`|the oldest one is 1\.15"):
        newest_opset_of(runtime)


def test_a_runtime_older_than_stated_is_refused_with_both_versions(monkeypatch):
    graph = lenet()
    content = serialized(to_onnx(graph, random_weights(graph)))

    def refuse(*arguments, **options):
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : Unsupported model IR version: 11, max supported IR version: 9")

    monkeypatch.setattr(session.onnxruntime, "InferenceSession", refuse)
    monkeypatch.setattr(session.onnxruntime, "__version__", "1.17.3")
    with pytest.raises(NnspecError, match=r"ONNX Runtime 1\.17\.3: it needs version 1\.23 or newer") as error:
        session.open_session(content)
    assert "--for onnxruntime==1.17.3" in str(error.value)


def test_an_opset_that_the_runtime_does_not_load_is_refused(tmp_path):
    arguments = ["export", str(tmp_path), "--for", "onnxruntime==1.17", "--opset", "23"]
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == 1
    assert "loads opsets up to 20, not 23" in found.output
