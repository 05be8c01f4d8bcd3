"""What a model's file says of itself may have been written by anyone: whatever it says, nothing breaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnspec
from nnspec.data.recipe import open_data, read_inputs
from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime import metadata as keys
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.reading import read_metadata
from nnspec.types import TensorType

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3))
READ = (keys.ANSWERS, keys.CLASSES, keys.CONDITIONS, keys.DATA, keys.FIELDS, keys.MAPS, keys.OUTPUTS, keys.PARITY)
WORDS = {"transform": "tokenize", "arguments": {"by": "word"}, "learned": {"vocabulary": ["<PAD>", "a"]}}
NUMBERS = {"transform": "standardize", "arguments": {"axis": -1}, "learned": {"mean": [1.0, 2.0], "std": [1.0, 1.0]}}


@pytest.mark.parametrize("key", READ)
@given(reported=JSON)
def test_json_of_any_kind_is_read_or_refused(key, reported):
    try:
        read_metadata({key: json.dumps(reported)}, key, "`m.onnx`")
    except NnspecError as error:
        assert f"the metadata of `m.onnx` are not valid under `{key}`" in str(error)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (keys.CLASSES, "[" * 5000),
        (keys.CLASSES, '{"digit": [0, 1]}'),
        (keys.ANSWERS, '{"digit": {"kind": "clas"}}'),
        (keys.OUTPUTS, '{"digit_1": {}}'),
        (keys.CONDITIONS, '{"H": {"multiple_of": 0}}'),
        (keys.CONDITIONS, '{"H": {"multiple_of": 4, "remainder": 4}}'),
        (keys.CONDITIONS, '{"H": 8}'),
        (keys.FIELDS, '{"mask": {"size": [9, 9], "stride": [1], "start": [0, 0], "period": [1, 1]}}'),
        (keys.FIELDS, '{"mask": {"size": [9], "stride": ["1/0"], "start": [0], "period": [1]}}'),
        (keys.FIELDS, '{"mask": {"size": [1000000000000], "stride": [1], "start": [0], "period": [1]}}'),
        (keys.DATA, '{"inputs": [1]}'),
    ],
)
def test_what_nnspec_never_writes_is_refused(key, text):
    with pytest.raises(NnspecError, match="not valid under"):
        read_metadata({key: text}, key, "`m.onnx`")


def test_a_stride_below_1_is_read_as_a_fraction():
    text = '{"mask": {"size": [3], "stride": ["1/2"], "start": [null], "period": [1]}}'
    [sight] = read_metadata({keys.FIELDS: text}, keys.FIELDS, "`m.onnx`")["mask"]
    assert (sight.stride, sight.start) == (0.5, None)


def test_a_model_that_says_nonsense_is_refused_when_it_is_opened(tmp_path: Path, write):
    graph = nnspec.compile(nnspec.load(write("nnspec: 1\nname: n\ninputs: {x: [2]}\nlayers: [ReLU]\n"))).main
    file = tmp_path / "m.onnx"
    file.write_bytes(serialized(to_onnx(graph, {}, metadata={keys.CLASSES: '{"relu": {}}'})))
    with pytest.raises(NnspecError, match=r"not valid under `nnspec\.classes`"):
        Predictor(file)


@pytest.mark.parametrize(
    "reported",
    [
        {"columns": [], "stacked": False, "transforms": []},
        {"columns": ["text"], "stacked": False, "transforms": [WORDS | {"learned": {"vocabulary": [[], "a"]}}]},
        {"columns": ["text"], "stacked": False, "transforms": [WORDS | {"learned": {}}]},
        {"columns": ["a", "b"], "stacked": True, "transforms": [NUMBERS | {"learned": {"mean": "x", "std": [1.0]}}]},
        {"columns": ["a", "b"], "stacked": True, "transforms": [NUMBERS | {"learned": {"mean": [1.0] * 3, "std": [1.0] * 3}}]},
    ],
)
def test_a_recipe_whose_transforms_cannot_have_learned_that_is_refused(reported, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "a b", "a": 1.0, "b": 2.0}\n', encoding="utf-8")
    table, name = open_data(str(file))
    with pytest.raises(NnspecError, match=r"the model.s metadata of the input `x` are damaged"):
        read_inputs(table, name, {"inputs": {"x": reported}}, {"x": TensorType((2,))})


@pytest.mark.parametrize(
    ("row", "steps", "message"),
    [
        ({"a": [1.0], "b": 2.0}, [NUMBERS], r"the columns of `x` must have equal shapes: `a` \(1,\), `b` \(\)"),
        ({"a": None, "b": None}, [WORDS], "column `a`: the value is missing"),
    ],
    ids=["shapes", "texts"],
)
def test_rows_that_do_not_fit_a_valid_recipe_are_to_blame(row, steps, message, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    table, name = open_data(str(file))
    columns = list(row) if steps == [NUMBERS] else ["a"]
    recipe = {"inputs": {"x": {"columns": columns, "stacked": len(columns) > 1, "transforms": steps}}}
    with pytest.raises(NnspecError, match=message):
        read_inputs(table, name, recipe, {"x": TensorType((2,))})
