"""Rows that are lists of number rows, such as boxes, and lists of texts, such as the sentences of a document."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.text import SPECIAL, pad, sentences_of, tokenize
from nnspec.exporting.runs import export_run
from nnspec.runtime.predicting import predict_file
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

BOXES = """inputs: {boxes: [3, 4]}
layers:
  - Flatten
  - Dense: {units: 1}
    name: far
"""
SENTENCES = """inputs: {words: {shape: [2, 3], dtype: int32}}
layers:
  - Embedding: {input_dim: 30, output_dim: 2}
  - Flatten
  - Dense: {units: 1}
    name: far
"""
TRAIN = "train: {epochs: 1, loss: Value}\n"


def write(project, *rows) -> None:
    (project.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def spec(net: str, name: str, steps: str, reader: str = "jsonl: rows.jsonl", column: str = "x") -> str:
    return f"{net}data: {{train: {{{reader}}}, inputs: {{{name}: {{column: {column}, transform: [{steps}]}}}}}}\n{TRAIN}"


def test_lists_of_number_rows_are_padded_also_where_there_are_none(project):
    write(project, {"x": []}, {"x": [[1, 2, 3, 4]]}, {"x": [[5, 6, 7, 8.5]] * 4})
    found = project.prepare(spec(BOXES, "boxes", "{pad: {length: 3, value: -1}}")).train.inputs["boxes"]
    assert found.tolist() == [[[-1] * 4] * 3, [[1, 2, 3, 4], [-1] * 4, [-1] * 4], [[5, 6, 7, 8.5]] * 3]


def test_rows_of_which_none_has_a_box_are_padded_as_in_training():
    empty = np.empty(2, object)
    empty[:] = [np.zeros(0), np.zeros(0)]
    step = pad.model_validate({"length": 3, "value": -1})
    assert step.fit([np.ones((2, 2, 4))]) == {"length": 3, "row": [4]}
    assert step.apply(empty, {"length": 3, "row": [4]}).shape == (2, 3, 4)


def test_rows_of_another_width_are_reported(project):
    write(project, {"x": [[1, 2, 3]]}, {"x": [[1, 2, 3], [1, 2, 3]]})
    [problem] = project.refuses(spec(BOXES, "boxes", "{pad: 3}"))
    assert (problem.code, problem.path) == ("NN407", "data.inputs.boxes")


@pytest.mark.parametrize("steps", ["tokenize, {pad: [2, 3]}", "{tokenize: {sentences: true}}, {pad: {length: [2, 3]}}"])
def test_lists_of_texts_become_sentences_of_words(project, steps):
    write(project, {"x": ["a b", "a"]}, {"x": []}, {"x": ["b a c d", "a", "c"]})
    prepared = project.prepare(spec(SENTENCES, "words", steps))
    assert prepared.state["inputs.words"][0]["learned"]["vocabulary"] == [*SPECIAL, "a", "b", "c", "d"]
    assert prepared.train.inputs["words"].tolist() == [[[4, 5, 0], [4, 0, 0]], [[0] * 3] * 2, [[5, 4, 6], [4, 0, 0]]]


def test_a_text_is_split_into_its_sentences(project):
    (project.folder / "x.csv").write_text('x\n"One two. Three! Four"\nOne\n', encoding="utf-8")
    prepared = project.prepare(spec(SENTENCES, "words", "{tokenize: {lower: true}}, {pad: [2, 3]}", "csv: x.csv"))
    words = dict(enumerate(prepared.state["inputs.words"][0]["learned"]["vocabulary"]))
    read = [[[words[token] for token in sentence] for sentence in row] for row in prepared.train.inputs["words"].tolist()]
    assert read[0] == [["one", "two", "."], ["three", "!", "<PAD>"]]


def test_without_a_length_the_longest_document_and_sentence_count(project):
    write(project, {"x": ["a b", "a"]}, {"x": ["b a c"]})
    net = SENTENCES.replace("[2, 3]", "[S, W]").replace("  - Flatten\n", "  - Sum: {axis: [1, 2]}\n")
    found = project.prepare(spec(net, "words", "{tokenize: {sentences: true, start: true}}, pad")).train.inputs["words"]
    assert found.shape == (2, 2, 4)
    assert found[0, :, 0].tolist() == [1, 1]


@pytest.mark.parametrize(("side", "cut", "wanted"), [
    ("left", "right", [[0, 0, 7], [0, 4, 5]]),
    ("right", "left", [[4, 5, 0], [5, 6, 7]]),
])  # fmt: skip
def test_sides_apply_to_sentences_and_words(side, cut, wanted):
    step = pad.model_validate({"length": [2, 3], "side": side, "cut": cut})
    rows = np.empty(1, object)
    rows[0] = [np.array([7]), np.array([4, 5]), np.array([4, 5, 6, 7])]
    assert step.apply(rows, {"length": [2, 3]}).tolist() == [wanted]


@pytest.mark.parametrize(
    ("transform", "column", "help"),
    [
        ({"length": 5}, Column((None, None), "int64", ragged=True), "pad: [8, 30]"),
        ({"length": [2, 3]}, Column((None,), "int64", ragged=True), "sentences: true"),
        ({"length": [2, 3]}, Column((None, 4), "float64", ragged=True), "write one length"),
    ],
)
def test_lengths_that_do_not_fit_are_reported_with_what_to_write(transform, column, help):
    with pytest.raises(DataError) as caught:
        pad.model_validate(transform).infer(column)
    assert help in caught.value.help


def test_sentences_end_at_marks_and_line_breaks():
    assert sentences_of("Mr Smith paid 3.50.  Why?\n\nNobody knows") == ["Mr Smith paid 3.50.", "Why?", "Nobody knows"]
    assert sentences_of("  ") == []


def test_token_lists_are_not_split_without_two_lengths():
    step = tokenize(by="word")
    assert step.fit([np.array([["a b", "c"], ["d"]], object)])["vocabulary"] == [*SPECIAL, "a b", "c", "d"]


def test_an_exported_model_reads_lists_of_texts_and_of_boxes(project):
    pytest.importorskip("keras")
    for net, name, steps, rows in (
        (SENTENCES, "words", "tokenize, {pad: [2, 3]}", [["a b", "a"], [], ["b"]]),
        (BOXES, "boxes", "{pad: {length: 3, value: -1}}", [[[1, 2, 3, 4]], [], [[5, 6, 7, 8]] * 5]),
    ):
        write(project, *({"x": row} for row in rows))
        file = project.folder / "net.nnspec.yaml"
        file.write_text("nnspec: 1\nname: net\n" + spec(net, name, steps), encoding="utf-8")
        run = train(load(file), out=project.folder / name, progress=Quiet())
        model = project.folder / f"{name}.onnx"
        export_run(run.path, model)
        assert len(predict_file(model, str(project.folder / "rows.jsonl"))) == 3
        write(project, {"x": []})
        assert len(predict_file(model, str(project.folder / "rows.jsonl"))) == 1
