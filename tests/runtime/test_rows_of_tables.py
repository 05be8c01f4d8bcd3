"""Numbers that choose from a table, and are in none of its rows."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.graph import compile
from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.predictor import AnswerError, Predictor
from nnspec.spec import load
from tests.serving import models

EMBEDDED = """\
nnspec: 1
name: emb
inputs: {t: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 5, output_dim: 2}
  - GlobalAveragePooling1D
"""


@pytest.fixture
def embedded(write, tmp_path):
    graph = compile(load(write(EMBEDDED))).main
    (tmp_path / "m.onnx").write_bytes(serialized(to_onnx(graph, {"embedding/embeddings": np.ones((5, 2), np.float32)})))
    return Predictor(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("tokens", "number", "row"), [([[0, 4], [5, 0]], 5, 1), ([[-1, 0]], -1, 0), ([[2**31 - 1, 0]], 2**31 - 1, 0)]
)
def test_a_number_outside_of_the_table_is_named_with_the_range(embedded, tokens, number, row):
    with pytest.raises(NnspecError) as caught:
        embedded.predict({"t": np.array(tokens)})
    assert str(caught.value) == f"the input `t` has {number} in row {row}; it must be an integer from 0 to 4"


def test_numbers_of_the_table_are_answered(embedded):
    assert embedded.predict({"t": np.array([[0, 4]])})["global_average_pooling1d"].shape == (1, 2)


def test_a_model_that_does_not_say_how_many_rows_it_has_fails_in_words(tmp_path):
    predictor = Predictor(models.write(tmp_path / "t.onnx", models.table()))
    with pytest.raises(AnswerError, match="has the index 9 for a table with rows 0 to 3: use indices from 0 to 3"):
        predictor.predict({"t": np.array([[1, 9]])})
