"""``nnspec verify``: activations against those that another framework recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from nnspec import NnspecError, verify_activations
from nnspec.cli import main

pytest.importorskip("keras")

SPEC = """nnspec: 1
name: net
weights: w.safetensors
inputs: {image: [6, 4, 2]}
layers:
  - Conv2D: {filters: 3, kernel_size: 1}
  - ReLU
  - Flatten
  - Dense: {units: 5, activation: tanh}
    name: scores
"""


@pytest.fixture
def recorded(write, tmp_path):
    """A spec, and the activations that a state dict gives in PyTorch's layout."""
    random = np.random.default_rng(0)
    weights = {
        "conv.weight": random.normal(size=(3, 2, 1, 1)),
        "conv.bias": random.normal(size=3),
        "fc.weight": random.normal(size=(5, 72)),
        "fc.bias": random.normal(size=5),
    }
    save_file({name: array.astype(np.float32) for name, array in weights.items()}, tmp_path / "w.safetensors")
    image = random.normal(size=(3, 2, 6, 4)).astype(np.float32)
    conv = np.einsum("nchw,oc->nohw", image, weights["conv.weight"][:, :, 0, 0]) + weights["conv.bias"][:, None, None]
    fc = np.maximum(conv, 0).reshape(3, -1) @ weights["fc.weight"].T + weights["fc.bias"]
    return write(SPEC), tmp_path / "recorded.npz", {"image": image, "conv": conv, "fc": fc, "scores": np.tanh(fc)}


def test_equal_activations_are_found_by_the_names_of_both_sides(recorded):
    spec, file, arrays = recorded
    np.savez(file, **arrays, other=arrays["fc"])
    verified = verify_activations(spec, file)
    assert [(each.name, each.recorded) for each in verified.activations] == [
        ("conv2d", "conv"),
        ("scores", "fc"),
        ("scores", "scores"),
    ]
    assert verified.first is None
    assert not verified.activations[1].is_compared  # before the activation there, after it here
    assert list(verified.unknown) == ["other"]


def test_the_first_layer_that_differs_is_named_and_the_command_exits_with_1(recorded):
    spec, file, arrays = recorded
    np.savez(file, **{**arrays, "conv": arrays["conv"] + 1e-2})
    done = CliRunner().invoke(main, ["verify", str(spec), str(file)])
    assert done.exit_code == 1
    assert "the first that differs is `conv2d` (`conv`)" in done.output
    done = CliRunner().invoke(main, ["verify", str(spec), str(file), "--tolerance", "0.1", "--format", "json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["equal"]


def test_safetensors_files_are_read_too(recorded):
    spec, file, arrays = recorded
    file = file.with_suffix(".safetensors")
    save_file({name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}, file)
    assert verify_activations(spec, file).first is None


@pytest.mark.parametrize(
    ("left_out", "message"), [({"image"}, "has no input `image`"), ({"conv", "fc", "scores"}, "has no outputs or layers")]
)
def test_a_file_that_cannot_be_compared_is_an_error(recorded, left_out, message):
    spec, file, arrays = recorded
    np.savez(file, **{name: array for name, array in arrays.items() if name not in left_out})
    with pytest.raises(NnspecError, match=message):
        verify_activations(spec, file)


def test_a_damaged_file_is_an_error(recorded):
    spec, file, _ = recorded
    file.write_bytes(b"PK\3\4")
    with pytest.raises(NnspecError, match="is not an archive of arrays"):
        verify_activations(spec, file)
