"""What is read off a model's bytes without loading it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.proto import sealed, serialized
from nnspec.runtime.seal import metadata_of

from .nets import lenet, random_weights


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_the_metadata_are_those_that_onnx_reads(reported):
    graph = helper.make_graph([], "g", [], [])
    model = helper.make_model(graph)
    helper.set_model_props(model, reported)
    assert metadata_of(serialized(model)) == reported


def test_a_sealed_model_says_its_record():
    graph = lenet()
    content = sealed(to_onnx(graph, random_weights(graph)), {"outputs": {}})
    assert '"sha256"' in metadata_of(content)["nnspec.parity"]


@given(st.binary(max_size=64))
def test_bytes_that_are_no_model_are_refused_or_say_nothing_that_was_not_there(content):
    try:
        found = metadata_of(content)
    except ValueError:
        return
    assert sum(len(key.encode()) + len(value.encode()) for key, value in found.items()) <= len(content)


@pytest.mark.parametrize("content", [b"\xff" * 20, b"\x72\x7f"])
def test_what_is_cut_short_is_refused(content):
    with pytest.raises(ValueError, match=r"protobuf|truncated"):
        metadata_of(content)
