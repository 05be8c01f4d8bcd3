"""Word vectors from a file as the initial rows of an embedding."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnspec.api import validate
from nnspec.diagnostics import SpecError
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

GLOVE = "the 0.5 1 2\ncat -1 -2 -3\n. . . 7 8 9\nsat 4 5 6\n"


def spec(weights: str = "{vectors: glove.txt}", dim: int = 3, layer: str = "", tokens: str = "tokenize") -> str:
    return f"""nnspec: 1
name: net
inputs: {{words: {{shape: [4], dtype: int32}}}}
layers:
  - {layer or f"Embedding: {{input_dim: 9, output_dim: {dim}}}"}
    name: words_embedded
    weights: {weights}
    freeze: true
  - Flatten
  - Dense: {{units: 1}}
    name: far
data: {{train: {{text: x.txt}}, inputs: {{words: {{column: text, transform: [{tokens}, {{pad: 4}}]}}}}}}
train: {{epochs: 1, loss: Value}}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").write_text("the cat sat\nthe dog sat\nthe cat\n", encoding="utf-8")
    (tmp_path / "glove.txt").write_text(GLOVE, encoding="utf-8")
    path = tmp_path / "net.nnspec.yaml"
    path.write_text(spec(), encoding="utf-8")
    return path


class Heard(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def print(self, text: str) -> None:
        self.lines.append(text)


def write_safetensors(folder, tokens: list[str], vectors: np.ndarray) -> None:
    from safetensors.numpy import save_file

    save_file({"vectors": vectors}, folder / "v.safetensors", metadata={"tokens": json.dumps(tokens)})


@pytest.mark.parametrize("form", ["glove", "word2vec", "safetensors"])
def test_rows_of_known_tokens_are_the_vectors_and_others_keep_their_initial_values(file, form):
    folder, weights = file.parent, "{vectors: glove.txt}"
    if form == "word2vec":
        (folder / "glove.txt").write_text("4 3\n" + GLOVE, encoding="utf-8")
    elif form == "safetensors":
        write_safetensors(folder, ["the", "cat", "sat"], np.array([[0.5, 1, 2], [-1, -2, -3], [4, 5, 6]], np.float32))
        weights = "{vectors: v.safetensors}"
    file.write_text(spec("null"), encoding="utf-8")
    before = train(load(file), out=folder / "before", progress=Quiet()).weights()["words_embedded/embeddings"]
    file.write_text(spec(weights), encoding="utf-8")
    heard = Heard()
    run = train(load(file), out=folder / "run", progress=heard)
    after = run.weights()["words_embedded/embeddings"]
    # <PAD>, <SOS>, <EOS>, <UNK>, the, cat, sat, dog
    assert after[4:7].tolist() == [[0.5, 1, 2], [-1, -2, -3], [4, 5, 6]]
    assert (after[[0, 1, 2, 3, 7, 8]] == before[[0, 1, 2, 3, 7, 8]]).all()
    name = "v.safetensors" if form == "safetensors" else "glove.txt"
    assert run.info["vectors"] == {"words_embedded/embeddings": {"file": name, "tokens": 4, "found": 3, "missing": ["dog"]}}
    assert f"words_embedded/embeddings: 3 of 4 tokens have a vector in {name}; without: `dog`" in heard.lines


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (spec(dim=5), "NN235", "write `output_dim: 3`"),
        (spec("{vectors: missing.txt}"), "NN850", "download"),
        (spec("{vectors: x.txt}"), "NN235", "word2vec or GloVe"),
        (spec(layer="Dense: {units: 3}").replace("dtype: int32", "dtype: float32"), "NN235", "move it to an `Embedding`"),
        (spec("{vectors: glove.txt, prefix: a}"), "NN105", ""),
        (spec("{prefix: a}"), "NN105", ""),
    ],
)  # fmt: skip
def test_vectors_that_do_not_fit_are_reported_by_validate(file, text, code, words):
    file.write_text(text, encoding="utf-8")
    found = [problem for problem in validate(file) if problem.code == code]
    assert found, validate(file)
    assert found[0].path.startswith("layers[0].weights")
    assert words in found[0].help


@pytest.mark.parametrize(
    ("tokens", "content", "words"),
    [
        ("{tokenize: character}", GLOVE, "none of the"),
        ("tokenize", "the 1 2 3\ncat 1 2\n", "line 2: expected a token and 3 numbers"),
        ("tokenize", "the 1 2 3\ncat 1 x 3\n", "line 2: expected a token and 3 finite numbers"),
    ],
)
def test_a_file_without_the_tokens_or_with_damaged_lines_stops_before_training(file, tokens, content, words):
    (file.parent / "glove.txt").write_text(content, encoding="utf-8")
    file.write_text(spec(tokens=tokens), encoding="utf-8")
    with pytest.raises(SpecError, match=words):
        train(load(file), out=file.parent / "run", progress=Quiet())
    assert not (file.parent / "run").exists()
