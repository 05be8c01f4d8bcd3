"""Vocabularies that several columns share, and those from files."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.transforms.text import SPECIAL, tokenize
from nnspec.diagnostics import NnspecError
from nnspec.spec import load
from nnspec.training import resume, train
from nnspec.training.loop.progress import Quiet

NET = """inputs: {question: {shape: [3], dtype: int32}, answer: {shape: [3], dtype: int32}}
layers:
  - Embedding: {input_dim: 20, output_dim: 2}
    name: words
    from: question
  - share: words
    name: others
    from: answer
  - Multiply:
    from: [words, others]
  - Flatten
  - Dense: {units: 1}
    name: far
"""
ROWS = "question,answer\nwho is it,it is a cat\nwhat is it,a dog\n"


def spec(first: str, second: str, more: str = "") -> str:
    columns = f"question: {{transform: [{{tokenize: {first}}}, {{pad: 3}}]}}, "
    columns += f"answer: {{transform: [{{tokenize: {second}}}, {{pad: 3}}]}}"
    return f"{NET}data: {{train: {{csv: rows.csv}}, inputs: {{{columns}}}{more}}}\ntrain: {{epochs: 1, loss: Value}}\n"


@pytest.fixture(autouse=True)
def rows(project):
    (project.folder / "rows.csv").write_text(ROWS, encoding="utf-8")


def vocabularies(project, text: str) -> list[list[str]]:
    state = project.prepare(text).state
    found = [state[f"inputs.{name}"][0]["learned"]["vocabulary"] for name in ("question", "answer")]
    assert all(tokens[:4] == list(SPECIAL) for tokens in found)
    return [tokens[4:] for tokens in found]


def test_one_input_takes_the_vocabulary_of_another(project):
    first, second = vocabularies(project, spec("{size: 7}", "{vocabulary: {of: question}}"))
    assert first == second == ["is", "it", "what"]


@pytest.mark.parametrize("second", ["{vocabulary: {of: question}}", "{vocabulary: {of: [question, answer]}}"])
def test_one_vocabulary_is_learned_from_the_texts_of_several(project, second):
    first, second = vocabularies(project, spec("{vocabulary: {of: [question, answer]}}", second))
    assert first == second == ["is", "it", "a", "cat", "dog", "what", "who"]


def test_a_shared_vocabulary_is_limited_in_size(project):
    first, _ = vocabularies(project, spec("{vocabulary: {of: [question, answer]}, size: 6}", "{vocabulary: {of: question}}"))
    assert first == ["is", "it"]


def test_only_training_rows_count(project):
    (project.folder / "more.csv").write_text("question,answer\nwhere,there\n", encoding="utf-8")
    first, _ = vocabularies(
        project, spec("{vocabulary: {of: [question, answer]}}", "{vocabulary: {of: question}}", ", validation: {csv: more.csv}")
    )
    assert "where" not in first


def test_a_vocabulary_is_read_from_a_file_in_its_order(project):
    (project.folder / "words.txt").write_text("<PAD>\n<UNK>\ncat\nis\n\ndog\n", encoding="utf-8")
    first, second = vocabularies(project, spec("{vocabulary: {file: words.txt}}", "{vocabulary: {of: question}}"))
    assert first == second == ["cat", "is", "dog"]


def test_the_state_of_a_run_has_the_tokens_once(project):
    (project.folder / "words.txt").write_text("cat\nis\n", encoding="utf-8")
    [step, _] = project.prepare(spec("{vocabulary: {file: words.txt}}", "word")).state["inputs.question"]
    assert step["arguments"]["vocabulary"] == {"of": None, "file": "words.txt"}
    assert step["learned"] == {"vocabulary": [*SPECIAL, "cat", "is"]}


@pytest.mark.parametrize(
    ("first", "second", "code", "path", "help"),
    [
        ("word", "{vocabulary: {of: qestion}}", "NN453", "data.inputs.answer.transform[0].tokenize.vocabulary.of", "`question`"),
        ("{vocabulary: {of: answer}}", "{vocabulary: {of: question}}", "NN453",
         "data.inputs.question.transform[0].tokenize.vocabulary.of", "of: [question, answer]"),
        ("{vocabulary: {of: question}}", "word", "NN453", "data.inputs.question.transform[0].tokenize.vocabulary.of", ""),
        ("{lower: true}", "{vocabulary: {of: question}}", "NN453",
         "data.inputs.answer.transform[0].tokenize.vocabulary.of", "same arguments"),
        ("word", "{vocabulary: {of: question}, size: 9}", "NN105", "data.inputs.answer.transform[0].tokenize", ""),
        ("word", "{vocabulary: {}}", "NN105", "data.inputs.answer.transform[0].tokenize.vocabulary", ""),
        ("word", "{vocabulary: {file: wrds.txt}}", "NN402",
         "data.inputs.answer.transform[0].tokenize.vocabulary.file", "resolves"),
        ("word", "{vocabulary: {file: ../../w.txt}}", "NN401", "data.inputs.answer.transform[0].tokenize.vocabulary.file", ""),
    ],
)  # fmt: skip
def test_a_wrong_vocabulary_is_reported_with_its_place_and_fix(project, first, second, code, path, help):
    problems = project.plan(spec(first, second), require_data=False)[1]
    found = [(problem.code, problem.path) for problem in problems]
    assert (code, path) in found, found
    assert all(help in problem.help for problem in problems if (problem.code, problem.path) == (code, path))


@pytest.mark.parametrize(
    ("content", "words"), [(b"a\nb\na\n", "line 3: `a` is also in line 1"), (b"\n", "no tokens"), (b"\xff", "UTF-8")]
)
def test_a_damaged_file_is_reported(project, content, words):
    (project.folder / "words.txt").write_bytes(content)
    [problem] = project.refuses(spec("{vocabulary: {file: words.txt}}", "word"))
    assert problem.code == "NN453"
    assert words in problem.message


def test_a_run_whose_vocabulary_changed_cannot_be_resumed(project):
    pytest.importorskip("keras")
    (project.folder / "words.txt").write_text("cat\nis\n", encoding="utf-8")
    file = project.folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + spec("{vocabulary: {file: words.txt}}", "word"), encoding="utf-8")
    run = train(load(file), out=project.folder / "run", progress=Quiet())
    (project.folder / "words.txt").write_text("is\ncat\n", encoding="utf-8")
    with pytest.raises(NnspecError, match=r"words\.txt"):
        resume(run.path, overrides=["train.epochs=2"], progress=Quiet())


def test_bytes_have_one_vocabulary_whatever_the_data_and_decode_any_text():
    step = tokenize(by="byte", start=True, end=True)
    learned = step.fit([])
    assert len(learned["vocabulary"]) == 260
    [row] = step.apply(np.array(["Zürich 日本"], object), learned)
    assert row[0] == 1 and row[-1] == 2 and len(row) == 2 + len("Zürich 日本".encode())
    assert step.text(row.tolist(), learned) == "Zürich 日本"
    assert step.text(row.tolist()[:-2], learned).endswith("\ufffd")  # a character that is cut


@pytest.mark.parametrize("more", [{"size": 9}, {"min_count": 2}, {"vocabulary": ["a"]}])
def test_bytes_learn_nothing(more):
    with pytest.raises(ValueError, match="all 256 bytes"):
        tokenize(by="byte", **more)
