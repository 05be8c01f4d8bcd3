"""Subword tokenizers: learned from the data, and read from a `tokenizer.json`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnspec import extras
from nnspec.data.transforms.subwords import MAX_BYTES, checked, subwords
from nnspec.data.transforms.text import SPECIAL, tokenize
from nnspec.diagnostics import NnspecError
from nnspec.generation.vocabulary import tokenizer_among

TEXTS = ["low lower lowest", "new newer newest", "wide wider widest é"]
LEVEL = {"type": "WordLevel", "vocab": {"low": 0, "new": 1, "?": 2}, "unk_token": "?"}
SPACES = {"type": "WhitespaceSplit"}
NET = """inputs: {words: {shape: [12], dtype: int32}}
layers:
  - Embedding: {input_dim: 300, output_dim: 2}
  - Flatten
  - Dense: {units: 1}
    name: far
data:
  train: {csv: rows.csv}
  inputs: {words: {column: text, transform: [{tokenize: TOKENIZE}, {pad: 12}]}}
  targets: {far: far}
train: {epochs: 1, loss: MeanSquaredError}
"""


def file_of(**changed: object) -> str:
    return json.dumps({"version": "1.0", "model": LEVEL, "pre_tokenizer": SPACES, "added_tokens": [], **changed})


@pytest.fixture
def library():
    pytest.importorskip("tokenizers")


@pytest.fixture(autouse=True)
def rows(project):
    (project.folder / "rows.csv").write_text("text,far\n" + "".join(f"{text},1\n" for text in TEXTS), encoding="utf-8")


def learned(project, tokenizer: str) -> dict:
    return project.prepare(NET.replace("TOKENIZE", tokenizer)).state["inputs.words"][0]["learned"]


def test_subwords_are_learned_and_decode_any_text(project, library):
    state = learned(project, "{by: subword, size: 270}")
    assert state == learned(project, "{by: subword, size: 270}")
    assert len(state["vocabulary"]) == 270
    assert state["vocabulary"][:4] == list(SPECIAL)
    step = tokenize(by="subword", size=270, start=True, end=True)
    [numbers] = step.apply(np.array(["lowest — \ud800 wide"], object), state)
    assert (numbers[0], numbers[-1]) == (1, 2)
    assert step.text(numbers.tolist(), state) == "lowest — ? wide"
    assert len(step.apply(np.array(["lower"], object), state)[0]) < len("lower") + 2


def test_subwords_of_two_columns_are_learned_together(project, library):
    text = NET.replace("TOKENIZE", "{by: subword, size: 270, vocabulary: {of: [words, more]}}")
    more = "more: {column: text, transform: [{tokenize: {by: subword, vocabulary: {of: words}}}, {pad: 12}]}"
    text = text.replace("}, {pad: 12}]}}", "}, {pad: 12}]}, " + more + "}").replace(
        "dtype: int32}}", "dtype: int32}, more: {shape: [12], dtype: int32}}"
    )
    text = text.replace("  - Embedding", "  - Compute: words + more\n  - Embedding")
    state = project.prepare(text).state
    assert state["inputs.words"][0]["learned"] == state["inputs.more"][0]["learned"]


def test_a_tokenizer_file_numbers_its_tokens_from_4(project, library):
    (project.folder / "tokenizer.json").write_text(file_of(post_processor=None), encoding="utf-8")
    state = learned(project, "{file: tokenizer.json}")
    assert state["vocabulary"] == [*SPECIAL, "low", "new", "?"]
    step = tokenize(file="tokenizer.json")
    [numbers, words] = step.apply(np.array(["new low lower", ["low", "new"]], object), state)
    assert (numbers.tolist(), words.tolist()) == ([5, 4, 6], [4, 5])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no `model`"),
        (file_of(model={"type": "Own", "vocab": {}}), "its model is `Own`"),
        (file_of(model={**LEVEL, "vocab": {"low": 2**32 - 1}}), "below 1,048,576"),
        (file_of(model={**LEVEL, "vocab": {"low": True}}), "below 1,048,576"),
        (file_of(model={**LEVEL, "vocab": 3}), "no `vocab`"),
        (file_of(model={**LEVEL, "vocab": {}}), "no tokens"),
        (file_of(model={**LEVEL, "dropout": 0.1}), "splits a text differently each time"),
        (file_of(added_tokens=[3]), "not a list of tokens"),
        (file_of(pre_tokenizer={"type": "Split", "pattern": {"Regex": "(a+)+b"}}), "not a known one"),
        (file_of(normalizer={"type": "Precompiled"}), "its `normalizer` is `Precompiled`"),
        (file_of(normalizer={"type": "Prepend", "prepend": "x" * 100}), "64 times longer"),
        (
            file_of(normalizer={"type": "Sequence", "normalizers": [{"type": "Replace", "content": "aa"}] * 9}),
            "64 times longer",
        ),
        (file_of(normalizer={"type": "Sequence", "normalizers": 3}), "not a list"),
        (file_of(decoder=3), "not an object"),
    ],
)
def test_a_damaged_or_hostile_tokenizer_file_is_refused(content, reason):
    with pytest.raises(ValueError, match=reason):
        checked(content)


def test_a_file_that_is_too_large_is_not_read(project):
    with (project.folder / "tokenizer.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(NnspecError, match="is larger than"):
        learned(project, "{file: tokenizer.json}")


def test_an_error_of_the_library_is_an_error_of_the_file(project, library):
    (project.folder / "tokenizer.json").write_text(
        file_of(model={"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}), encoding="utf-8"
    )
    with pytest.raises(NnspecError, match=r"NN453.*`tokenizer\.json` cannot be used: the library `tokenizers` reports"):
        learned(project, "{file: tokenizer.json}")


def test_a_damaged_tokenizer_of_a_model_file_is_reported():
    step = {
        "transform": "tokenize",
        "arguments": {"by": "subword", "size": 300},
        "learned": {"vocabulary": [], "tokenizer": None},
    }
    with pytest.raises(NnspecError, match="the tokenizer is missing"):
        tokenizer_among([step])


def test_without_the_library_the_error_says_what_to_install(project, monkeypatch):
    subwords.cache_clear()
    monkeypatch.setattr(extras, "installed", lambda module: module != "tokenizers")
    with pytest.raises(NnspecError, match=r"pip install 'nnspec\[subword\]'"):
        learned(project, "{by: subword, size: 300}")


@pytest.mark.parametrize(
    ("tokenizer", "reason"),
    [
        ("{by: subword}", "a `size` of at least 260"),
        ("{by: subword, size: 100}", "a `size` of at least 260"),
        ("{by: subword, size: 300, vocabulary: [a]}", "learns its vocabulary"),
        ("{by: word, file: tokenizer.json}", "only one of `by` and `file`"),
        ("{file: tokenizer.json, size: 300}", "the vocabulary is that of `file`"),
        ("{file: tokenizer.json}", "there is no file"),
    ],
)
def test_arguments_that_do_not_fit_are_reported_without_the_library(project, tokenizer, reason):
    _, found = project.plan(NET.replace("TOKENIZE", tokenizer), require_data=False)
    assert any(reason in str(problem) for problem in found), found
