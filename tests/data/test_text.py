"""Texts in folders, lines and JSON; tokens, padding, resizing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.jsonl import Jsonl
from nnspec.data.readers.text import Text
from nnspec.data.recipe import open_data, read_inputs
from nnspec.data.transforms.images import resize, rgb
from nnspec.data.transforms.text import pad, tokenize
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.types import TensorType

LINES = """The old man was thin and gaunt with deep wrinkles in the back of his neck.
The brown blotches of the benevolent skin cancer the sun brings were on his cheeks.

Don't stop: the sea is old, too.
"""
NET = """inputs: {words: {shape: [8], dtype: int32}}
layers:
  - Embedding: {input_dim: 40, output_dim: 3}
  - Flatten
  - Dense: {units: 2, activation: softmax}
    name: kind
"""
TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"


def spec(transform: str, reader: str = "{text: mail}") -> str:
    data = f"inputs: {{words: {{column: text, transform: {transform}}}}}, targets: {{kind: {{transform: [label_encode]}}}}"
    return f"{NET}data: {{train: {reader}, {data}}}\n{TRAIN}"


@pytest.fixture
def mail(project):
    for kind, texts in {"ham": ["see you at noon", "the report is here"], "spam": ["buy now!", "win win win"]}.items():
        (project.folder / "mail" / kind).mkdir(parents=True)
        for i, text in enumerate(texts):
            (project.folder / "mail" / kind / f"{i}.txt").write_text(text)
    return project


def refused(read) -> str:
    with pytest.raises(DataError) as caught:
        read()
    return caught.value.message


def test_the_lines_of_a_file_are_texts_and_blank_ones_are_none(tmp_path):
    (tmp_path / "a.txt").write_text(LINES)
    reader, files = Text(path="a.txt"), {"path": tmp_path / "a.txt"}
    assert reader.columns(files) == {"text": Column((), "text")}
    table = reader.open(files)
    assert len(table) == 3
    assert table.read("text", np.array([2])).tolist() == ["Don't stop: the sea is old, too."]
    assert table.where("text", 2) == "a.txt, line 4, column `text`"


def test_a_folder_a_class_gives_texts_their_labels(mail):
    table = Text(path="mail").open({"path": mail.folder / "mail"})
    assert table.read("label", slice(None)).tolist() == ["ham", "ham", "spam", "spam"]
    assert table.read("text", slice(1, 3)).tolist() == ["the report is here", "buy now!"]


def test_texts_become_tokens_of_one_length_by_what_the_training_part_has(mail):
    prepared = mail.prepare(spec("[{tokenize: word}, {pad: 8}]"))
    batch = prepared.train.batch(slice(None))
    vocabulary = prepared.state["inputs.words"][0]["learned"]["vocabulary"]
    assert vocabulary[:5] == ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "win"]
    assert [vocabulary[i] for i in batch.inputs["words"][0]] == ["see", "you", "at", "noon", *["<PAD>"] * 4]
    assert batch.inputs["words"].dtype == np.int32
    step = prepared.recipe["inputs"]["words"]["transforms"][0]
    assert step["learned"]["vocabulary"] == vocabulary
    assert json.loads(json.dumps(prepared.recipe)) == prepared.recipe


@pytest.mark.parametrize(
    ("transform", "code", "reported"),
    [
        ("[tokenize]", "NN461", "the input `words` requires rows of equal length"),
        ("[tokenize, standardize]", "NN408", "`standardize` requires rows of equal length"),
        ("[{pad: 8}]", "NN408", "`pad` requires sequences"),
        ("[]", "NN462", "the input `words` requires numbers, but the column `text` contains text"),
        ("[tokenize, {pad: 9}]", "NN407", "(9,)"),
        ("[{tokenize: words}]", "NN105", "`word`, `character`"),
        ("[{tokenize: {vocabulary: [a, <PAD>]}}]", "NN105", "duplicates or special tokens"),
    ],
)
def test_validate_says_what_is_missing_between_text_and_numbers(mail, transform, code, reported):
    _, problems = mail.plan(spec(transform))
    assert (problems[0].code, reported in problems[0].message) == (code, True), problems


def test_more_tokens_than_the_table_has_rows_are_reported(mail):
    (mail.folder / "mail" / "ham" / "2.txt").write_text(" ".join(f"word{i}" for i in range(60)))
    [problem] = mail.refuses(spec("[tokenize, {pad: {length: 8, cut: left}}]"))
    assert problem.code == "NN433"


# --- tokens -----------------------------------------------------------------------------------------------------------


def tokens(transform, texts, learn=None):
    values = np.array([*texts, None], object)[:-1]
    learned = transform.fit([values if learn is None else np.array([*learn, None], object)[:-1]])
    return learned["vocabulary"], [row.tolist() for row in transform.apply(values, learned)]


def test_words_are_split_at_marks_and_keep_their_apostrophes():
    vocabulary, rows = tokens(tokenize(lower=True), ["Don't stop, don't!"])
    assert [vocabulary[i] for i in rows[0]] == ["don't", "stop", ",", "don't", "!"]
    assert vocabulary[4] == "don't"


def test_characters_can_begin_and_end_and_unknown_ones_are_reported():
    vocabulary, rows = tokens(tokenize(by="character", start=True, end=True), ["ab", "né"], learn=["abba", "b"])
    assert vocabulary == ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "b", "a"]
    assert rows == [[1, 5, 4, 2], [1, 3, 3, 2]]


def test_a_vocabulary_is_bounded_by_size_and_count():
    texts = ["a a a b b c"]
    assert tokens(tokenize(size=6), texts)[0][4:] == ["a", "b"]
    assert tokens(tokenize(min_count=3), texts)[0][4:] == ["a"]
    assert tokens(tokenize(vocabulary=["b"]), texts) == (["<PAD>", "<SOS>", "<EOS>", "<UNK>", "b"], [[3, 3, 3, 4, 4, 3]])


def test_a_text_cannot_write_special_tokens():
    transform = tokenize(by="word", vocabulary=["PAD"])
    assert tokens(transform, ["<PAD>"])[1] == [[3, 4, 3]]


@given(st.lists(st.text(), min_size=1))
def test_every_text_of_the_training_part_can_be_read_back_from_its_characters(texts):
    vocabulary, rows = tokens(tokenize(by="character"), texts)
    assert ["".join(vocabulary[i] for i in row) for row in rows] == texts


@given(st.lists(st.lists(st.integers(1, 99)), min_size=1), st.integers(1, 9), st.sampled_from(["left", "right"]), st.booleans())
def test_padded_rows_keep_their_numbers_in_order(rows, length, side, learned):
    values = np.empty(len(rows), object)
    values[:] = [np.array(row, np.int64) for row in rows]
    transform = pad(length=None if learned else length, side=side, cut=side)
    made = transform.apply(values, transform.fit([values]))
    assert made.shape == (len(rows), max(1, *map(len, rows)) if learned else length)
    for row, out in zip(rows, made.tolist(), strict=True):
        kept = (row[-len(out) :] if side == "left" else row[: len(out)]) if row else []
        assert (out[len(out) - len(kept) :] if side == "left" else out[: len(kept)]) == kept
        assert sum(out) == sum(kept)


# --- lines of JSON ----------------------------------------------------------------------------------------------------


def jsonl(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return {"file": path}


def test_lines_of_json_give_numbers_texts_and_lists(tmp_path):
    files = jsonl(
        tmp_path / "a.jsonl",
        '{"n": 1, "x": 0.5, "t": "a", "v": [[1, 2], [3, 4]], "s": [1, 2], "b": true}',
        "",
        '{"n": 2, "x": null, "t": null, "v": [[5, 6], [7, 8]], "s": [], "b": false}',
    )
    table = Jsonl(file="a.jsonl").open(files)
    assert table.columns == {
        "n": Column((), "int64"),
        "x": Column((), "float64"),
        "t": Column((), "text"),
        "v": Column((2, 2), "int64"),
        "s": Column((None,), "int64", ragged=True),
        "b": Column((), "bool"),
    }
    assert np.isnan(table.read("x", slice(None))[1])
    assert [row.tolist() for row in table.read("s", slice(None))] == [[1, 2], []]
    assert table.where("t", 1) == "a.jsonl, line 3, column `t`"


@pytest.mark.parametrize(
    ("line", "reported"),
    [
        ("[1]", "a.jsonl, line 2: a line must be an object, got a list"),
        ("{", "a.jsonl, line 2: Expecting"),
        ('{"a": NaN}', "`NaN` is not valid JSON"),
        ("[" * 100_000, "a.jsonl, line 2:"),
        ('{"b": 1}', "a.jsonl, line 2: the key `a` of the first line is missing"),
        ('{"a": 1, "b": 1}', "the key `b` is not in the first line"),
        ('{"a": "x"}', "a.jsonl, line 2, column `a`: got a string, but a number in the first line"),
        ('{"a": {}}', "a.jsonl, line 2, column `a`: got an object"),
        ('{"a": ' + "9" * 400 + "}", "a.jsonl, line 2, column `a`: the number is too large"),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path, line, reported):
    files = jsonl(tmp_path / "a.jsonl", '{"a": 1}', line)
    assert reported in refused(lambda: Jsonl(file="a.jsonl").open(files))


def test_iris_as_lines_of_json_is_iris(project):
    from sklearn.datasets import load_iris

    iris = load_iris()
    lines = [
        json.dumps({"x": x.tolist(), "kind": str(iris.target_names[y])}) for x, y in zip(iris.data, iris.target, strict=True)
    ]
    jsonl(project.folder / "iris.jsonl", *lines)
    net = "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: kind\n"
    prepared = project.prepare(
        net + "data: {train: {jsonl: iris.jsonl}, targets: {kind: {transform: [label_encode]}}}\n" + TRAIN
    )
    np.testing.assert_allclose(prepared.train.batch(slice(None)).inputs["x"], iris.data, rtol=1e-6)
    np.testing.assert_array_equal(prepared.train.batch(slice(None)).targets["kind"], iris.target)


# --- resize -----------------------------------------------------------------------------------------------------------


def test_resize_keeps_channels_apart_and_averages_what_it_leaves_out():
    values = np.zeros((1, 4, 4, 2), np.uint8)
    values[0, :, :, 1] = np.arange(16).reshape(4, 4)
    made = resize(size=[2, 2], interpolation="area").apply(values, {})
    assert made.dtype == np.uint8
    assert made[0, ..., 0].max() == 0
    assert made[0, ..., 1].tolist() == [[3, 5], [11, 13]]
    floats = resize(size=[2, 2], interpolation="area").apply(values.astype(np.float64)[..., 1], {})
    assert floats[0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert resize(size=[2, 2]).infer(Column((4, 4, 2), "uint8")) == Column((2, 2, 2), "uint8")
    assert "requires images" in refused(lambda: resize(size=[2, 2]).infer(Column((4,), "uint8")))


def test_rgb_repeats_the_channel_of_gray_images_and_leaves_those_with_three():
    gray = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)
    made = rgb().apply(gray, {})
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, np.concatenate([gray, gray, gray], -1))
    np.testing.assert_array_equal(rgb().apply(made, {}), made)
    assert rgb().infer(Column((4, 5, 1), "uint8")) == rgb().infer(Column((4, 5, 3), "uint8")) == Column((4, 5, 3), "uint8")
    for shape in ((4, 5), (4, 5, 2)):
        assert "1 or 3 channels" in refused(lambda shape=shape: rgb().infer(Column(shape, "uint8")))


DIGITS = "source,target\n012,210\n45,54\n7,7\n"
REVERSED = """inputs: {words: {shape: [8], dtype: int32}}
layers:
  - Embedding: {input_dim: 40, output_dim: 3}
  - Flatten
  - Dense: {units: 1}
    name: kind
data: {train: READER, inputs: {words: {column: COLUMN, transform: [{tokenize: character}, {pad: 8}]}}, targets: {kind: TARGET}}
train: {epochs: 1, loss: MeanSquaredError}
"""


@pytest.mark.parametrize(
    ("reader", "prefix"),
    [
        ("{csv: digits.csv}", ""),
        ("{together: {a: {csv: digits.csv}, b: {csv: digits.csv}}}", "a."),
    ],
)
def test_a_csv_column_of_digits_is_text_if_it_is_tokenized(project, reader, prefix):
    (project.folder / "digits.csv").write_text(DIGITS)
    text = REVERSED.replace("READER", reader).replace("COLUMN", f"{prefix}source").replace("TARGET", f"{prefix}target")
    prepared = project.prepare(text)
    vocabulary = prepared.recipe["inputs"]["words"]["transforms"][0]["learned"]["vocabulary"]
    rows = prepared.train.batch(slice(None)).inputs["words"]
    assert ["".join(vocabulary[i] for i in row if i) for row in rows] == ["012", "45", "7"]


def test_new_data_of_digits_only_are_text_for_a_model_that_tokenizes_them(project, monkeypatch):
    (project.folder / "words.csv").write_text("source,target\nfour,1\ntwo 2,2\n")
    text = REVERSED.replace("READER", "{csv: words.csv}").replace("COLUMN", "source").replace("TARGET", "target")
    recipe = project.prepare(text).recipe
    (project.folder / "new.csv").write_text("source\n02\n222\n")
    monkeypatch.chdir(project.folder)
    table, _ = open_data("new.csv", recipe, {"words": TensorType((8,), "int32")})
    assert table.read("source", slice(None)).tolist() == ["02", "222"]


def test_numbers_in_new_data_for_a_model_that_takes_texts_are_reported(project, monkeypatch):
    (project.folder / "words.csv").write_text("source,target\nfour,1\ntwo 2,2\n")
    text = REVERSED.replace("READER", "{csv: words.csv}").replace("COLUMN", "source").replace("TARGET", "target")
    recipe, types = project.prepare(text).recipe, {"words": TensorType((8,), "int32")}
    (project.folder / "new.jsonl").write_text('{"source": 12}\n{"source": 3}\n')
    monkeypatch.chdir(project.folder)
    table, name = open_data("new.jsonl", recipe, types)
    with pytest.raises(SpecError) as caught:
        read_inputs(table, name, recipe, types)
    [problem] = caught.value.diagnostics
    assert "`tokenize` requires text, but the values are int64" in problem.message
    assert problem.help == 'put it first under `transform`, and write the values as texts: `"12"` instead of `12`'


def test_a_plain_table_for_a_model_of_windows_is_told_how_to_be_read(project, monkeypatch):
    (project.folder / "a.csv").write_text("load\n1\n2\n3\n")
    monkeypatch.chdir(project.folder)
    recipe = {"inputs": {"past": {"columns": ["load at past"], "stacked": True, "transforms": []}}}
    table, name = open_data("a.csv", recipe, {"past": TensorType((2, 1))})
    with pytest.raises(NnspecError, match=r"`past` takes windows of a series.*\n.*`--data 'series: \{csv: FILE, window: …\}'`"):
        read_inputs(table, name, recipe, {"past": TensorType((2, 1))})
