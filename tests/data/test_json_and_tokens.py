"""JSON in lines and in arrays, lists of tokens, and labels that go with them."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.jsonl import Jsonl
from nnspec.data.transforms.classes import label_encode
from nnspec.data.transforms.numbers import impute
from nnspec.data.transforms.text import tokenize

ROWS = [{"a": 1, "b": "x"}, {"a": 2.5, "b": None}, {"a": None, "b": "z"}]


def table(path, content, **arguments):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Jsonl.model_validate({"file": path.name, **arguments}).open({"file": path})


def refused(read) -> DataError:
    with pytest.raises(DataError) as caught:
        read()
    return caught.value


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=4),
        "\n\n[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
        gzip.compress(json.dumps(ROWS).encode(), mtime=0),
        "\n".join(map(json.dumps, ROWS)).encode("utf-16"),
    ],
)
def test_an_array_of_objects_is_the_same_as_lines(tmp_path, content):
    found = table(tmp_path / "a.json", content)
    np.testing.assert_array_equal(found.read("a", slice(None)), [1, 2.5, np.nan])
    assert found.read("b", slice(None)).tolist() == ["x", None, "z"]


def test_an_object_of_an_array_is_named_by_the_line_on_which_it_begins(tmp_path):
    found = table(tmp_path / "a.json", json.dumps(ROWS, indent=1))
    assert [found.where("a", row) for row in range(3)] == [f"a.json, line {line}, column `a`" for line in (2, 6, 10)]


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ('[{"a": 1}, {"a": 2}', "line 1: Expecting"),
        ('[{"a": 1} {"a": 2}]', "missing comma"),
        ('[{"a": 1},, {"a": 2}]', "Expecting value"),
        ('[{"a": 1},]', "Expecting value"),
        ('[{"a": 1}] x', "unexpected text after the array"),
        ('[{"a": 1},\n 3]', "line 2: an item must be an object, got a number"),
        ("[]", "is empty"),
        ('{"a": 1, "a": 2}', "duplicate key `a`"),
        ('{"a": ' + "9" * 5000 + "}", "a number of 5,000 digits is too long"),
        ('{"a": "\\ud800"}', "lone surrogate"),
        ("[" * 10**5, "recursion"),
        (b"\x89HDF\r\n\x1a\n", "is an HDF5 file, not JSON"),
    ],
)
def test_what_is_no_array_of_rows_is_refused(tmp_path, content, reported):
    assert reported in refused(lambda: table(tmp_path / "a.json", content)).message


def test_a_list_of_texts_is_a_list_of_tokens(tmp_path):
    rows = [{"tags": ["B-PER", "O"]}, {"tags": []}, {"tags": ["O"]}]
    found = table(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert found.columns["tags"] == Column((None,), "text", ragged=True)
    assert found.read("tags", slice(None)).tolist() == [row["tags"] for row in rows]


@pytest.mark.parametrize("value", [["O", 1], None, ["O", None], [["O"]]])
def test_a_list_of_texts_holds_texts_alone(tmp_path, value):
    rows = [{"tags": ["O"]}, {"tags": value}]
    assert "line 2" in refused(lambda: table(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))).message


# --- transforms -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "text", "tokens"),
    [
        ("space", "B-PER  O\t[MASK]\n", ["B-PER", "O", "[MASK]"]),
        ("word", "B-PER", ["B", "-", "PER"]),
        ("character", "B-P", ["B", "-", "P"]),
        ("word", ["B-PER", "don't stop"], ["B-PER", "don't stop"]),
    ],
)
def test_tokens_are_divided_as_by_says_and_lists_not_at_all(by, text, tokens):
    assert tokenize(by=by).tokens(text) == tokens


def test_a_list_of_tokens_becomes_their_numbers():
    values = np.empty(2, object)
    values[:] = [["B-PER", "O"], ["O"]]
    step = tokenize.model_validate({"lower": True})
    learned = step.fit([values])
    assert learned["vocabulary"][4:] == ["o", "b-per"]
    assert [row.tolist() for row in step.apply(values, learned)] == [[5, 4], [4]]


def test_the_text_of_tokens_divided_by_space_has_spaces_between_them():
    step = tokenize(by="space")
    learned = step.fit([np.array(["B-PER O"], object)])
    [numbers] = step.apply(np.array(["B-PER O"], object), learned)
    assert step.text(numbers, learned) == "B-PER O"


def test_impute_puts_the_most_frequent_text_in_the_place_of_a_missing_one():
    values = np.array([["a", "x"], [None, "y"], ["a", None], ["b", "y"]], object)
    step = impute(strategy="most_frequent")
    learned = step.fit([values[:2], values[2:]])
    assert learned == {"value": ["a", "y"]}
    assert step.apply(values, learned).tolist() == [["a", "x"], ["a", "y"], ["a", "y"], ["b", "y"]]
    step.require_learned(learned)


def test_impute_of_one_column_of_text_goes_before_its_classes():
    values = np.array(["r", None, "g", "r"], object)
    step = impute(strategy="most_frequent")
    filled = step.apply(values, step.fit([values]))
    encode = label_encode.model_validate({})
    assert encode.apply(filled, encode.fit([filled])).tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize("strategy", ["mean", "median", 0.0])
def test_a_statistic_of_numbers_is_none_of_text(strategy):
    error = refused(lambda: impute(strategy=strategy).infer(Column((), "text")))
    assert "`impute: most_frequent`" in error.help


def test_a_text_that_is_always_missing_cannot_be_imputed():
    error = refused(lambda: impute(strategy="most_frequent").fit([np.array([None, None], object)]))
    assert "are missing" in error.message


# --- labels of tokens -------------------------------------------------------------------------------------------------

TAGGER = (
    "inputs: {words: {shape: [%s], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 40, output_dim: 4}\n%s"
    "  - Dense: {units: 40, activation: softmax}\n    name: tags\ndata:\n  train: {jsonl: t.jsonl}\n  validation: 0.25\n"
    "  inputs: {words: {column: words, transform: [%s{pad: 4}]}}\n  targets: {tags: {column: tags, transform: [%s{pad: 4}]}}\n"
    "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
)
RECURRENT = "  - GRU: {units: 4, return_sequences: true}\n"
REPEATED = "  - GRU: {units: 4}\n  - RepeatVector: {n: 4}\n"


def rows_of(project, words, tags, count: int = 8) -> None:
    rows = [{"words": words[0], "tags": tags[0]}] * count + [{"words": words[1], "tags": tags[1]}]
    (project.folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))


@pytest.mark.parametrize("size", ["T", "4"])
@pytest.mark.parametrize(
    ("words", "tags", "step"),
    [
        ((["a", "b"], ["a", "b", "c"]), (["O", "P"], ["O", "P"]), "tokenize, "),
        (("a b", "a b c"), ("O P", "O P"), "{tokenize: space}, "),
        (([5, 6], [5, 6, 7]), ([1, 2], [1, 2]), ""),
    ],
)
def test_a_row_with_another_number_of_labels_than_tokens_is_named(project, size, words, tags, step):
    rows_of(project, words, tags)
    [problem] = project.refuses(TAGGER % (size, RECURRENT, step, step))
    assert problem.code == "NN482"
    assert problem.message == "t.jsonl, line 9, column `tags`: 2 labels, but the row has 3 tokens in `words`"


def test_labels_of_as_many_tokens_pass(project):
    rows_of(project, (["a", "b"], ["a", "b", "c"]), (["O", "P"], ["O", "P", "O"]))
    assert len(project.prepare(TAGGER % ("T", RECURRENT, "tokenize, ", "tokenize, ")).train) == 6


def test_a_network_whose_output_has_positions_of_its_own_is_given_any_lengths(project):
    rows_of(project, (["a", "b"], ["a", "b", "c"]), (["O", "P"], ["O", "P"]))
    assert len(project.prepare(TAGGER % ("4", REPEATED, "tokenize, ", "tokenize, ")).train) == 6


def test_the_marks_of_begin_and_end_belong_to_both_or_none(project):
    rows_of(project, ("a b", "a b"), ("O P", "O P"))
    [problem] = project.refuses(TAGGER % ("T", RECURRENT, "{tokenize: {by: space, start: true}}, ", "{tokenize: space}, "))
    assert (problem.code, problem.help) == ("NN482", "use the same `start` and `end` in both `tokenize`")
