"""Inputs from which indices are computed are drawn so that the indices are valid."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.onnx_backend.index_values import valid_values
from nnspec.onnx_backend.samples import draw

from .nets import graph_of_text


def _graph(expressions: str, inputs: str = "memory: [6, 4], at: {shape: [], dtype: int32}"):
    return graph_of_text(f"nnspec: 1\nname: net\ninputs: {{{inputs}}}\nlayers:\n{expressions}")


@pytest.mark.parametrize(
    ("expressions", "valid"),
    [
        ("  - Compute: take(memory, at // 2, axis=1)\n", range(12)),
        ("  - Compute: 9 - at\n    name: back\n  - Compute: take(memory, back, axis=1)\n", range(4, 16)),
        ("  - Compute: at * 3\n    name: token\n  - Embedding: {input_dim: 10, output_dim: 2}\n    from: token\n", range(4)),
    ],
    ids=["within an expression", "by an earlier step", "of an embedding"],
)
def test_values_whose_computed_indices_are_in_range_are_valid(expressions, valid):
    assert valid_values(_graph(expressions), {})["at"].tolist() == list(valid)


def test_inputs_are_drawn_from_the_valid_values():
    drawn = [inputs["at"] for inputs in draw(_graph("  - Compute: take(memory, at // 2, axis=1)\n"))]
    assert all(((one >= 0) & (one < 12)).all() for one in drawn) and len(np.unique(np.concatenate(drawn))) > 3


def test_a_graph_without_computed_indices_has_no_restriction():
    assert valid_values(_graph("  - Embedding: {input_dim: 10, output_dim: 2}\n    from: at\n"), {}) == {}
