"""Examples that are cut from the joined rows of a split: `data.window`."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.windows import windows_of
from nnspec.exporting.runs import export_run
from nnspec.runtime.predicting import predict_file
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

LANGUAGE = """inputs: {tokens: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 12, output_dim: 4, mask_zero: true}
  - GRU: {units: 8, return_sequences: true}
  - Dense: {units: 12}
    name: logits
"""
CODES = """inputs: {words: {shape: [3], dtype: int32}}
layers:
  - Embedding: {input_dim: 12, output_dim: 4}
  - Dense: {units: 12, activation: softmax}
    name: word
"""
LOSS = "SparseCategoricalCrossentropy"
LOGITS = "{SparseCategoricalCrossentropy: {from_logits: true}}"


def data(name: str, window: str = "", more: str = "") -> str:
    cut = f", window: {window}" if window else ""
    steps = "transform: [{tokenize: {by: character, end: true}}]"
    return f"data: {{train: {{text: lines.txt}}, inputs: {{{name}: {{column: text, {steps}}}}}{cut}{more}}}\n"


def autoencoder(window: str, more: str = "") -> str:
    return CODES + data("words", window, more) + f"train: {{objective: autoencoder, epochs: 1, loss: {LOSS}}}\n"


def language(window: str, objective: str) -> str:
    return LANGUAGE + data("tokens", window) + f"train: {{objective: {objective}, epochs: 2, seed: 3, loss: {LOGITS}}}\n"


@pytest.fixture(autouse=True)
def lines(project):
    (project.folder / "lines.txt").write_text("abc\nde\nfgab\n", encoding="utf-8")


STREAM = [4, 5, 6, 2, 7, 8, 2, 9, 10, 4, 5, 2]
"""The rows with `<EOS>`, by frequency and then by letter: a, b, c, …"""


def test_examples_overlap_and_cross_rows(project):
    train = project.prepare(autoencoder("{of: words, length: 3}")).train
    assert train.inputs["words"].tolist() == [STREAM[i : i + 3] for i in range(len(STREAM) - 2)]
    assert train.targets["word"] is train.inputs["words"]
    assert len(train) == 10


def test_overlapping_examples_are_views_of_one_stream_and_are_not_copied_to_a_device(project):
    train = project.prepare(autoencoder("{length: 3}")).train
    assert np.shares_memory(train.inputs["words"][0, 1:], train.inputs["words"][1, :2])
    assert not train.is_resident(2**40)
    assert project.prepare(autoencoder("{length: 3, stride: 3}")).train.is_resident(2**40)


def test_the_last_example_is_padded_if_the_stride_does_not_divide_the_rest(project):
    found = project.prepare(autoencoder("{length: 3, stride: 2}")).train.inputs["words"]
    assert found.tolist() == [*(STREAM[i : i + 3] for i in range(0, 9, 2)), [*STREAM[10:], 0]]


@pytest.mark.parametrize("length", [1, 2, 3, 7])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [1, 2, 5, 8, 9])
def test_windows_start_every_stride_and_none_is_only_padding(length, stride, size):
    stream = np.arange(1, size + 1)
    found = windows_of(stream, length, stride, 0)
    padded = [*stream.tolist(), *[0] * length]
    assert found.tolist() == [padded[i * stride : i * stride + length] for i in range(len(found))]
    assert found[-1, 0] != 0
    if stride <= length:
        assert set(found.ravel().tolist()) - {0} == set(stream.tolist())


def test_the_last_rows_are_validation_data_and_no_example_crosses_the_splits(project):
    prepared = project.prepare(autoencoder("{length: 3}", ", validation: 0.3"))
    assert prepared.train.inputs["words"].max() == 8  # abc, de
    assert prepared.validation.inputs["words"].tolist()[0] == [3, 3, 4]  # f and g are unknown


def test_a_language_model_cuts_one_more_value_for_the_targets(project):
    ours = project.prepare(language("{of: tokens, length: 6, stride: 5}", "language_model")).train
    theirs = project.prepare(language("", "{language_model: {window: 5}}")).train
    for name, group in (("tokens", "inputs"), ("logits", "targets")):
        assert getattr(ours, group)[name].tobytes() == getattr(theirs, group)[name].tobytes()
        assert getattr(ours, group)[name].dtype == getattr(theirs, group)[name].dtype
    assert ours.targets["logits"].ravel().tolist() == [*STREAM[1:], *[0] * (len(ours) * 5 - len(STREAM) + 1)]


def test_a_language_model_trains_to_the_same_bits_as_with_its_own_window(project):
    pytest.importorskip("keras")
    found = []
    for i, text in enumerate(
        (language("{length: 6, stride: 5}", "language_model"), language("", "{language_model: {window: 5}}"))
    ):
        file = project.folder / "net.nnspec.yaml"
        file.write_text("nnspec: 1\nname: net\n" + text, encoding="utf-8")
        found.append(train(load(file), out=project.folder / f"run{i}", progress=Quiet()).weights())
    assert {name: value.tobytes() for name, value in found[0].items()} == {n: v.tobytes() for n, v in found[1].items()}


def test_rows_of_one_length_are_joined_too(project):
    (project.folder / "rows.jsonl").write_text('{"words": [1, 2, 3, 4]}\n{"words": [5, 6, 7, 8]}\n', encoding="utf-8")
    text = autoencoder("{length: 3, stride: 3}").replace("{text: lines.txt}", "{jsonl: rows.jsonl}")
    text = text.replace("{column: text, transform: [{tokenize: {by: character, end: true}}]}", "words")
    assert project.prepare(text).train.inputs["words"].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 0]]


def test_a_trained_model_pads_and_truncates_texts_to_the_length(project):
    pytest.importorskip("keras")
    file = project.folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + autoencoder("{length: 3}"), encoding="utf-8")
    run = train(load(file), out=project.folder / "run", progress=Quiet())
    assert run.info["data"]["examples"] == {"train": 10, "validation": 0}
    export_run(run.path, project.folder / "net.onnx")
    (project.folder / "new.csv").write_text("text\na\nabcdefg\n", encoding="utf-8")
    found = predict_file(project.folder / "net.onnx", f"{project.folder / 'new.csv'}")
    assert len(found) == 2


@pytest.mark.parametrize(
    ("text", "code", "path", "words"),
    [
        (autoencoder("{of: wrds, length: 3}"), "NN406", "data.window.of", "did you mean `words`?"),
        (autoencoder("{of: words, lenght: 3}"), "NN103", "data.window.lenght", "did you mean `length`?"),
        (autoencoder("{length: 5}"), "NN447", "data.window.length", "write `length: 3`"),
        (autoencoder("{length: 3}", ", group: text"), "NN447", "data.group", "remove it"),
        (autoencoder("{length: 3}").replace("shape: [3]", "shape: [3, 2]"), "NN447", "data.window", "[T]"),
        (autoencoder("{length: 3}").replace("end: true}}", "end: true}}, pad: 4"), "NN447", "data.inputs.words", "remove `pad`"),
        (language("{length: 1}", "language_model"), "NN447", "data.window.length", "write at least 2"),
        (language("{length: 6}", "{language_model: {window: 5}}"), "NN447", "data.window", "remove one of them"),
        (language("{length: 6}", "sequence_to_sequence"), "NN447", "data.window", "remove it"),
        (autoencoder("{length: 3}").replace("inputs: {words: {shape: [3], dtype: int32}}",
         "inputs: {words: {shape: [3], dtype: int32}, other: [2]}").replace("  - Embedding: {input_dim: 12, output_dim: 4}\n",
         "  - Embedding: {input_dim: 12, output_dim: 4}\n    from: words\n"), "NN447", "data.window", "write `of: INPUT`"),
        (CODES + data("words", "{length: 3}", ", targets: {word: text}") + f"train: {{epochs: 1, loss: {LOSS}}}\n",
         "NN447", "data.window", "remove `window`"),
    ],
)  # fmt: skip
def test_a_wrong_window_is_reported_with_its_place_and_fix(project, text, code, path, words):
    problems = [problem for problem in project.plan(text, require_data=False)[1] if problem.is_error]
    found = next(problem for problem in problems if problem.code == code)
    assert found.path == path
    assert words in found.help
    assert not any(problem.code in ("NN461", "NN407") for problem in problems)


def test_an_empty_split_is_reported(project):
    (project.folder / "rows.jsonl").write_text('{"words": []}\n{"words": []}\n', encoding="utf-8")
    text = autoencoder("{length: 3}").replace("{text: lines.txt}", "{jsonl: rows.jsonl}")
    text = text.replace("{column: text, transform: [{tokenize: {by: character, end: true}}]}", "words")
    assert [(problem.code, problem.path) for problem in project.refuses(text)] == [("NN447", "data.window")]
