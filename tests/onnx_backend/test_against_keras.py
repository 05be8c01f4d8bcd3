"""Every case of every layer, through Keras and through ONNX Runtime: the same numbers at every position, masked ones too."""

from __future__ import annotations

import pytest

from nnspec.testing.case import Case
from nnspec.testing.proof import check_onnx

from ..layers.cases import CASES, SIZES


@pytest.mark.parametrize("case", CASES, ids=str)
def test_onnx_runtime_answers_as_keras_does(case: Case) -> None:
    check_onnx(case, zip((1, 5), SIZES, strict=True))
