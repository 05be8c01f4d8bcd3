from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from nnspec.diagnostics import SpecError
from nnspec.graph import compile
from nnspec.spec import load
from nnspec.training.starting import starting_arrays

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
        return starting_arrays(spec, compile(spec).main)

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
    assert sorted(starting_arrays(spec, compile(spec).main)) == ["body/dense/bias", "body/dense/kernel"]


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
    with pytest.raises(SpecError, match="`file` must be text"):
        load(write(WHOLE.format(weights="{file: 3}", beside="")))
