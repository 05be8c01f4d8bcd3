"""What ``python -m benchmarks sound`` has found, made small: each validates, so each builds."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnspec

from .built import build_failure

FOUND = {
    "the middle of an image whose channels are free": "inputs: {b: [H, 7, C]}\nlayers:\n- CenterCrop: {height: 1, width: 4}\n",
    "a recurrent layer that does not saturate": "inputs: {b: [T, 3]}\nlayers:\n"
    "- LSTM: {units: 3, activation: relu, recurrent_activation: leaky_relu, peephole: true}\n",
    "a recurrent layer that overflows": "inputs: {b: [T, 8]}\nlayers:\n"
    "- LSTM: {units: 3, activation: relu, recurrent_activation: null, coupled_gates: true}\n",
}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_builds(name: str, write, tmp_path: Path) -> None:
    spec = nnspec.load(write("nnspec: 1\nname: net\n" + FOUND[name]))
    assert build_failure(spec, nnspec.compile(spec), tmp_path / "build") is None
