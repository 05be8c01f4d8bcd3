"""Zeros around a tensor stay zeros for a pooling behind them: ONNX Runtime merges them into `MaxPool`, which pads with -inf."""

from __future__ import annotations

import numpy as np
import pytest

import nnspec
from nnspec.runtime.session import runner

SPEC = """nnspec: 1
name: net
inputs: {x: [7, 7, 2]}
layers:
  - MaxPooling2D
  - ZeroPadding2D: {padding: 1}
  - MaxPooling2D
"""


@pytest.mark.parametrize("opset", [18, 23, 26])
def test_the_largest_of_zeros_and_negative_values_is_zero(tmp_path, opset):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(SPEC)
    model = nnspec.to_onnx(nnspec.compile(nnspec.load(file)).main, {}, opset=opset)
    [y] = runner(model.SerializeToString())({"x": -np.ones((1, 7, 7, 2), np.float32)}).values()
    assert (y[0, 0] == 0).all()
