"""The static check of the section `neighbors`."""

from __future__ import annotations

import pytest

from nnspec.api import validate

SPEC = """nnspec: 1
name: net
networks:
  asking:
    inputs: {question: {shape: [Q], dtype: int32}}
    layers: [{Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}}, GlobalAveragePooling1D]
  answering:
    inputs: {answer: {shape: [A], dtype: int32}}
    layers: [{Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}}, GlobalAveragePooling1D]
inputs: {question: {shape: [Q], dtype: int32}, answer: {shape: [A], dtype: int32}}
layers:
  - asking:
    from: question
  - answering:
    from: answer
outputs: {asked: asking, answered: answering}
neighbors: {network: answering, data: {csv: answers.csv}, show: [answer]}
export: {network: asking}
"""


@pytest.fixture
def reported(tmp_path):
    def check(spec):
        (tmp_path / "net.nnspec.yaml").write_text(spec, encoding="utf-8")
        (tmp_path / "answers.csv").write_text("answer,page\nyes,1\n", encoding="utf-8")
        return [(one.code, one.message, one.help) for one in validate(tmp_path / "net.nnspec.yaml")]

    return check


def test_a_question_and_an_answer_network_of_one_size_are_right(reported):
    assert reported(SPEC) == []


def test_a_misspelled_network_is_answered_with_the_one_that_was_meant(reported):
    [(code, message, help)] = reported(SPEC.replace("network: answering,", "network: answerin,"))
    assert (code, message) == ("NN901", "there is no network `answerin`")
    assert "answering" in help


def test_a_misspelled_column_of_the_knowledge_base_is_an_error(reported):
    [found] = reported(SPEC.replace("show: [answer]", "show: [page, answr]"))
    assert found == ("NN901", "the knowledge base has no column `answr`", "did you mean `answer`?")


def test_a_missing_file_of_the_knowledge_base_is_reported(reported):
    [found] = reported(SPEC.replace("answers.csv", "answer.csv"))
    assert found[:2] == ("NN402", "there is no file `answer.csv`")


def test_vectors_of_different_sizes_are_an_error(reported):
    spec = SPEC.replace("output_dim: 4", "output_dim: 5", 1)
    [(code, message, _)] = reported(spec)
    assert (code, message) == ("NN901", "the vectors of `asking` have 5 numbers, and those of `answering` 4")


def test_an_output_that_is_no_vector_is_an_error(reported):
    spec = SPEC.replace(", GlobalAveragePooling1D", "", 1)
    [(code, message, _)] = reported(spec)
    assert code == "NN901"
    assert message == "`embedding` of `asking` is (Q, 4), and neighbors are found by a vector"


def test_one_of_several_outputs_must_be_named(reported):
    named = "    outputs: {words: embedding, vector: global_average_pooling1d}\n    layers:"
    spec = (
        SPEC.replace("network: answering, ", "")
        .replace("    layers:", named, 1)
        .replace("asked: asking", "asked: asking.vector")
    )
    spec = spec.replace("GlobalAveragePooling1D]", "{GlobalAveragePooling1D: {}, from: embedding}]", 1)
    [(code, _, help)] = reported(spec)
    assert (code, help) == ("NN901", "write `output: vector`")
    assert reported(spec.replace("show: [answer]", "show: [answer], output: vector")) == []
    [(_, message, help)] = reported(spec.replace("show: [answer]", "show: [answer], output: vectr"))
    assert message == "there is no output `vectr`"
    assert "vector" in help


def test_fields_are_renamed_in_programs_only(reported):
    [(code, message, _)] = reported(SPEC.replace("show: [answer]", "inputs: {answer: question}"))
    assert (code, message) == ("NN901", "`inputs` is for training programs")


@pytest.mark.parametrize(("key", "meant"), [("k: 3", "count"), ("metric: dot", "similarity"), ("counts: 3", "count")])
def test_keys_of_other_tools_are_answered_with_ours(reported, key, meant):
    [(_, message, help)] = reported(SPEC.replace("show: [answer]", key))
    assert meant in f"{message} {help}"


def test_a_count_of_zero_is_an_error(reported):
    [(code, *_)] = reported(SPEC.replace("show: [answer]", "count: 0"))
    assert code.startswith("NN1")
