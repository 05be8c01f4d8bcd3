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
