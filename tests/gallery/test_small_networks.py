"""The networks of the gallery that are too large to build here are built small, with an ONNX model that agrees with Keras."""

from __future__ import annotations

import pytest

import nnspec
from nnspec.spec import load
from tests.gallery.commands import SPECS, small_overrides

pytest.importorskip("keras")

SMALL = [file for file in sorted(SPECS.glob("*.nnspec.yaml")) if small_overrides(file)]


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras, when it saves
@pytest.mark.parametrize("file", SMALL, ids=lambda file: file.name.partition(".")[0])
def test_a_small_one_is_built_in_parity(file, tmp_path):
    nnspec.build(load(file, small_overrides(file)), tmp_path)  # raises if the outputs of the two differ
    assert (tmp_path / "model.onnx").is_file()
