from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from nnspec.cli import main
from nnspec.exporting.run_models import RunGenerator
from nnspec.exporting.sequence_metrics import edit_distance, generated_sequence_metrics, sequence_metrics
from nnspec.spec import load
from nnspec.training import train
from tests.generation.documents import RECURRENT

rows = st.lists(st.integers(0, 3), max_size=6)

DATA = """data:
  train: {csv: words.csv}
  inputs:
    source: {column: word, transform: [{tokenize: by}, {pad: 5}]}
    target: {column: turned, transform: [{tokenize: {by: character, start: true}}, {pad: 5}]}
  targets: {logits: {column: turned, transform: [{tokenize: {by: character, end: true}}, {pad: 5}]}}
train: {epochs: 2, batch_size: 4, seed: 1, loss: SparseCategoricalCrossentropy}
""".replace("tokenize: by", "tokenize: {by: character}")


@given(rows, rows)
def test_the_distance_is_the_same_both_ways_and_never_more_than_the_longer(a, b):
    assert edit_distance(a, b) == edit_distance(b, a) <= max(len(a), len(b))
    assert (edit_distance(a, b) == 0) == (a == b)


@given(rows, rows, rows)
def test_no_way_round_is_shorter(a, b, c):
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_figures_of_numbers_are_those_that_need_no_texts():
    figures = sequence_metrics([[4, 5], [6]], [[4, 5], [6, 7, 8]], {}, None)
    assert figures == {"exact_match": 0.5, "token_error_rate": 2 / 5}


def test_texts_that_are_right_have_the_best_score():
    step = {
        "transform": "tokenize",
        "arguments": {},
        "learned": {"vocabulary": ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a", "man", "sat", "down"]},
    }
    recipe = {"inputs": {"target": {"columns": ["text"], "stacked": False, "transforms": [step]}}}
    wanted = [[4, 5, 6, 7], [5, 6, 7, 4]]
    figures = sequence_metrics(wanted, wanted, recipe, "target")
    assert figures["bleu"] == pytest.approx(100)
    assert figures["chrf"] == pytest.approx(100)
    assert sequence_metrics([[4], [4]], wanted, recipe, "target")["chrf"] < 50


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("turned")
    (folder / "words.csv").write_text("word,turned\n" + "ab,ba\nabc,cba\nba,ab\ncab,bac\n" * 2)
    (folder / "net.nnspec.yaml").write_text(RECURRENT + DATA)
    return train(load(folder / "net.nnspec.yaml"), out=folder / "run")


def test_a_run_that_decodes_is_evaluated_on_what_it_generates(trained):
    figures = generated_sequence_metrics(trained)
    given = [one.text for one in RunGenerator(trained.path).texts(["ab", "abc", "ba", "cab"])]
    assert figures["exact_match"] == sum(a == b for a, b in zip(given, ["ba", "cba", "ab", "bac"], strict=True)) / 4
    assert figures["token_error_rate"] > 0
    assert set(figures) == {"exact_match", "token_error_rate", "bleu", "chrf"}


def test_evaluate_prints_what_was_generated(trained):
    shown = CliRunner().invoke(main, ["evaluate", str(trained.path)])
    assert "generated: exact_match" in shown.stdout
    as_json = CliRunner().invoke(main, ["evaluate", str(trained.path), "--format", "json"])
    assert json.loads(as_json.stdout)["generated"] == generated_sequence_metrics(trained)


TAUGHT = """data:
  train: {csv: words.csv}
  inputs:
    source: {column: word, transform: [{tokenize: {by: character}}, {pad: 5}]}
    target: {column: turned, transform: [{tokenize: {by: character, start: true, end: true}}, {pad: 6}]}
train: {objective: sequence_to_sequence, epochs: 150, batch_size: 4, seed: 1, optimizer: {Adam: {learning_rate: 0.02}},
  loss: SparseCategoricalCrossentropy}
"""


def test_what_teacher_forcing_taught_is_generated_from_texts(tmp_path):
    (tmp_path / "words.csv").write_text("word,turned\n" + "ab,ba\nabc,cba\nba,ab\ncab,bac\n" * 2)
    text = RECURRENT.replace("start: 1", "start: <SOS>").replace("end: 2", "end: <EOS>")
    (tmp_path / "net.nnspec.yaml").write_text(text + TAUGHT)
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run")
    assert [one.text for one in RunGenerator(run.path).texts(["abc", "cab"])] == ["cba", "bac"]
    assert generated_sequence_metrics(run) | {"bleu": None} == {
        "exact_match": 1,
        "token_error_rate": 0,
        "bleu": None,
        "chrf": pytest.approx(100),
    }  # BLEU needs four words
