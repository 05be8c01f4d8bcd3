from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from nnspec.api import validate
from nnspec.diagnostics import SpecError
from nnspec.graph import compile
from nnspec.spec import load
from nnspec.training.run.initial_weights import initial_weights

SPEC = """nnspec: 1
name: net
inputs: {{x: [4]}}
blocks:
  encoder:
    layers:
      - Dense: {{units: 3}}
layers:
  - encoder:
    name: body
    weights: {weights}
  - Dense: {{units: 2}}
"""


@pytest.fixture
def starting(write, tmp_path):
    def start(weights, **arrays):
        save_file(
            {name.replace("__", "/"): np.full(shape, 2.0, np.float32) for name, shape in arrays.items()},
            tmp_path / "w.safetensors",
        )
        spec = load(write(SPEC.format(weights=weights)))
        return initial_weights(spec, compile(spec).main)

    return start


def test_weights_start_from_those_of_the_same_name(starting):
    found = starting("w.safetensors", body__dense__kernel=(4, 3), body__dense__bias=(3,), other=(1,))
    assert sorted(found) == ["body/dense/bias", "body/dense/kernel"]
    assert found["body/dense/bias"].tolist() == [2, 2, 2]


def test_a_prefix_says_what_the_names_begin_with_in_the_file(starting):
    found = starting("{file: w.safetensors, prefix: old/enc}", old__enc__dense__kernel=(4, 3), old__enc__dense__bias=(3,))
    assert sorted(found) == ["body/dense/bias", "body/dense/kernel"]


def test_a_run_folder_stands_for_its_weights(write, tmp_path):
    (tmp_path / "run").mkdir()
    arrays = {"body/dense/kernel": np.ones((4, 3), np.float32), "body/dense/bias": np.ones(3, np.float32)}
    save_file(arrays, tmp_path / "run" / "weights.safetensors")
    spec = load(write(SPEC.format(weights="run")))
    assert sorted(initial_weights(spec, compile(spec).main)) == ["body/dense/bias", "body/dense/kernel"]


@pytest.mark.parametrize(
    ("weights", "arrays", "message"),
    [
        ("w.safetensors", {"body__dense__kernel": (4, 3)}, "`w.safetensors` has no weight `body/dense/bias`"),
        (
            "w.safetensors",
            {"body__dense__kernel": (5, 3), "body__dense__bias": (3,)},
            r"is \(5, 3\), and `body/dense/kernel` is \(4, 3\)",
        ),
        ("none.safetensors", {"x": (1,)}, "there is no file `none.safetensors`"),
        ("net.nnspec.yaml.safetensors", {"x": (1,)}, "there is no file"),
    ],
)
def test_a_missing_name_or_another_shape_is_an_error_at_its_place(starting, weights, arrays, message):
    with pytest.raises(SpecError, match=message) as error:
        starting(weights, **arrays)
    assert error.value.diagnostics[0].span.line == 11


WHOLE = """nnspec: 1
name: net
weights: {weights}
networks:
  encoder:
    inputs: {{x: [4]}}
    layers:
      - Dense: {{units: 3}}
inputs: {{a: [4], b: [4]}}
layers:
  - encoder:
    from: a
  - encoder:
    from: b
    name: again
  - Add:
    from: [encoder, again]
  - Dense: {{units: 2}}
    name: head
    {beside}
"""


def _names(spec):
    return {identity: node.start.name_there(identity) for identity, _, node in compile(spec).main.weights() if node.start}


def test_weights_of_a_whole_document_are_found_by_their_own_names(write):
    names = _names(load(write(WHOLE.format(weights="w.safetensors", beside=""))))
    assert names == {name: name for name in ("encoder/dense/kernel", "encoder/dense/bias", "head/kernel", "head/bias")}


def test_a_prefix_beside_a_whole_document_stands_before_every_name(write):
    names = _names(load(write(WHOLE.format(weights="{file: w.safetensors, prefix: old}", beside=""))))
    assert names["head/kernel"] == "old/head/kernel"


def test_what_a_step_starts_from_goes_before_what_the_document_does(write):
    spec = load(write(WHOLE.format(weights="w.safetensors", beside="weights: {file: other.safetensors, prefix: top}")))
    files = {identity: node.start.file for identity, _, node in compile(spec).main.weights()}
    assert files["head/kernel"] == "other.safetensors"
    assert files["encoder/dense/kernel"] == "w.safetensors"


def test_a_document_that_is_used_brings_its_weights_along(write, tmp_path):
    (tmp_path / "parts").mkdir()
    write(WHOLE.format(weights="w.safetensors", beside=""), "parts/part.nnspec.yaml")
    (tmp_path / "pyproject.toml").touch()
    text = """nnspec: 1
name: user
use: {backbone: {spec: parts/part.nnspec.yaml}}
inputs: {a: [4], b: [4]}
layers:
  - backbone:
    from: {a: a, b: b}
  - Dense: {units: 5}
"""
    graph = compile(load(write(text))).main
    starts = {
        identity: (node.start.file, node.start.name_there(identity)) for identity, _, node in graph.weights() if node.start
    }
    assert starts["backbone/head/kernel"] == ("parts/w.safetensors", "head/kernel")
    assert starts["encoder/dense/kernel"] == ("parts/w.safetensors", "encoder/dense/kernel")
    assert "dense/kernel" not in starts


def test_weights_of_a_whole_document_that_are_no_path_are_an_error(write):
    with pytest.raises(SpecError, match="`file` must be a string"):
        load(write(WHOLE.format(weights="{file: 3}", beside="")))


# --- what validate sees ---------------------------------------------------------------------------------------------------


def _validated(write, tmp_path, weights: str, content: bytes | None = None, **shapes):
    if content is None:
        arrays = {name.replace("__", "/"): np.full(shape, 2.0, np.float32) for name, shape in shapes.items()}
        save_file(arrays, tmp_path / "w.safetensors")
    else:
        (tmp_path / "w.safetensors").write_bytes(content)
    return validate(write(SPEC.format(weights=weights)))


def test_validate_compares_names_and_shapes_with_the_header(write, tmp_path):
    [missing] = _validated(write, tmp_path, "w.safetensors", body__dense__kernel=(4, 3))
    assert (missing.code, missing.span.line) == ("NN235", 11)
    assert "has no weight `body/dense/bias`" in missing.message
    [other] = _validated(write, tmp_path, "w.safetensors", body__dense__kernel=(4, 5), body__dense__bias=(3,))
    assert "is (4, 5), and `body/dense/kernel` is (4, 3)" in other.message
    assert _validated(write, tmp_path, "w.safetensors", body__dense__kernel=(4, 3), body__dense__bias=(3,)) == []


@pytest.mark.parametrize(("there", "prefix"), [("old__enc__", "old/enc"), ("", '""')])
def test_validate_names_the_prefix_that_is_missing(write, tmp_path, there, prefix):
    shapes = {f"{there}dense__kernel": (4, 3), f"{there}dense__bias": (3,)}
    [problem] = _validated(write, tmp_path, "w.safetensors", **shapes)
    assert f"write `prefix: {prefix}`" in problem.help
    assert _validated(write, tmp_path, f"{{file: w.safetensors, prefix: {prefix}}}", **shapes) == []


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"", "does not begin with the length of a header"),
        (b"\xff" * 64, "does not begin with the length of a header"),
        (b"\x10" + b"\0" * 7 + b"x" * 16, "its header is not JSON"),
        (b"\x02" + b"\0" * 7 + b"[]", "its header is not a mapping"),
        ((9).to_bytes(8, "little") + b'{"a": 12}', "its header does not describe `a`"),
        (
            (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'.ljust(60),
            "is truncated: `a`",
        ),
        ((60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,16]}}'.ljust(76), "has 16 bytes"),
        ((5 * 10**4).to_bytes(8, "little") + b"[" * 5 * 10**4, "its header is not JSON"),
    ],
)
def test_a_file_that_is_no_safetensors_file_is_an_error_of_validate(write, tmp_path, content, reported):
    [problem] = _validated(write, tmp_path, "w.safetensors", content)
    assert reported in problem.message


def test_a_run_that_is_not_there_yet_is_a_warning_of_validate(write, tmp_path):
    [problem] = _validated(write, tmp_path, "runs/none", x=(1,))
    assert (problem.code, problem.severity) == ("NN850", "warning")
    assert "there is no file `runs/none/weights.safetensors`" in problem.message
