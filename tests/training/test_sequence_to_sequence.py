"""Trainings of encoder–decoders with teacher forcing: inputs, targets, scheduled sampling."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from benchmarks.resume import differences
from nnspec.data.targets.next_token import NextTokenTarget
from nnspec.diagnostics import SpecError
from nnspec.exporting.runs import export_run
from nnspec.spec import load
from nnspec.training import evaluate, resume, train
from nnspec.training.loop.progress import Quiet
from nnspec.training.objectives.next_token.scheduled_sampling import ScheduledTokens

from .test_resume import Listening

NET = """networks:
  encoder:
    inputs: {tokens: {shape: [S], dtype: int32}}
    layers:
      - Embedding: {input_dim: 9, output_dim: 8, mask_zero: true}
      - GRU: {units: 24, return_state: true}
        name: final
    outputs: {state: final.state}
  decoder:
    inputs: {tokens: {shape: [T], dtype: int32}, state: [24]}
    layers:
      - Embedding: {input_dim: 9, output_dim: 8, mask_zero: true}
        name: said
        from: tokens
      - GRU: {units: 24, return_sequences: true}
        name: next
        from: {x: said, state: state}
      - Dense: {units: 9}
        name: logits
inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}
layers:
  - encoder: {}
    from: source
  - decoder: {}
    from: {tokens: target, state: encoder}
    name: logits
"""
TOKENS = "{tokenize: {by: character, start: true, end: true}}, pad"
DATA = f"""data:
  train: {{jsonl: pairs.jsonl}}
  validation: 0.2
  inputs:
    source: {{column: word, transform: [{{tokenize: character}}, pad]}}
    target: {{column: turned, transform: [{TOKENS}]}}
"""
LOGITS = "{SparseCategoricalCrossentropy: {from_logits: true}}"
METRICS = "[SparseCategoricalAccuracy, ExactMatch, {Perplexity: {from_logits: true}}]"


def training(objective: str = "sequence_to_sequence", more: str = "epochs: 1") -> str:
    return f"train: {{objective: {objective}, {more}, seed: 3, loss: {LOGITS}, metrics: {METRICS}}}\n"


def pairs(folder, count: int = 200) -> None:
    """Words of two or three letters, and the same turned around."""
    draw = np.random.default_rng(0)
    words = ["".join(draw.choice(list("abcd"), draw.integers(2, 4))) for _ in range(count)]
    lines = [json.dumps({"word": word, "turned": word[::-1]}) + "\n" for word in words]
    (folder / "pairs.jsonl").write_text("".join(lines), encoding="utf-8")


def spec_of(folder, text: str = NET + DATA + training()):
    pairs(folder)
    file = folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + text, encoding="utf-8")
    return load(file)


def codes(project, text: str) -> list[tuple[str, str]]:
    return sorted((problem.code, problem.path) for problem in project.plan(text, require_data=False)[1])


def test_the_decoder_reads_the_tokens_from_the_first_and_is_to_say_the_next(project):
    (project.folder / "pairs.jsonl").write_text('{"word": "ab", "turned": "ba"}\n{"word": "a", "turned": "a"}\n')
    plan, problems = project.plan(NET + DATA.replace("  validation: 0.2\n", "") + training())
    assert problems == []
    assert plan.target_sources == {"logits": NextTokenTarget("target", bounded=True)}
    part = project.prepare(NET + DATA.replace("  validation: 0.2\n", "") + training()).train
    assert part.inputs["target"].tolist() == [[1, 5, 4, 2], [1, 4, 2, 0]]
    assert part.targets["logits"].tolist() == [[5, 4, 2, 0], [4, 2, 0, 0]]


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (NET + DATA.replace("start: true, ", "") + training(), "NN448", "data.inputs.target.transform[0]"),
        (NET + DATA.replace(", end: true", "") + training(), "NN448", "data.inputs.target.transform[0]"),
        (NET + DATA + training("{sequence_to_sequence: {scheduled_sampling: 1.5}}"), "NN105",
         "train.objective.sequence_to_sequence.scheduled_sampling"),
        (NET + DATA + training("{sequence_to_sequence: {scheduled_sampling: {begin: 5}}}"), "NN104",
         "train.objective.sequence_to_sequence.scheduled_sampling"),
        (NET + DATA + training("{sequence_to_sequence: {window: 5}}"), "NN103", "train.objective.sequence_to_sequence.window"),
        (NET.replace("[S]", "[7]").replace("[T]", "[7]") + DATA + training(), "NN530", "train.objective"),
    ],
)  # fmt: skip
def test_what_it_cannot_be_is_reported_at_its_place(project, text, code, path):
    pairs(project.folder)
    assert (code, path) in codes(project, text)


def test_a_decoder_that_reads_what_it_is_to_say_is_refused(tmp_path):
    ahead = NET.replace(
        "GRU: {units: 24, return_sequences: true}", "Bidirectional: {layer: {GRU: {units: 12, return_sequences: true}}}"
    )
    with pytest.raises(SpecError) as caught:
        train(spec_of(tmp_path, ahead.replace("from: {x: said, state: state}", "from: said") + DATA + training()))
    assert [problem.code for problem in caught.value.diagnostics if problem.is_error] == ["NN532"]


def test_an_encoder_and_a_decoder_learn_to_turn_words_around(tmp_path):
    more = "epochs: 60, batch_size: 20, optimizer: {Adam: {learning_rate: 0.02}}"
    run = train(spec_of(tmp_path, NET + DATA + training(more=more)), out=tmp_path / "run", progress=Quiet())
    figures = evaluate(run)
    assert figures["logits_exact_match"] > 0.9
    assert figures["logits_sparse_categorical_accuracy"] >= figures["logits_exact_match"]
    assert figures["logits_perplexity"] < 1.5
    export_run(run.path, tmp_path / "net.onnx")


# --- scheduled sampling ---------------------------------------------------------------------------------------------------


class Answering:
    """Stands for a model that says token 7 everywhere."""

    def __call__(self, inputs, training):
        assert not training
        return {"logits": keras.ops.one_hot(7 + 0 * inputs["target"], 9)}


def sampled(project, sampling: str) -> ScheduledTokens:
    plan, _ = project.plan(NET + training(f"{{sequence_to_sequence: {{scheduled_sampling: {sampling}}}}}"), require_data=False)
    return ScheduledTokens(plan, Answering())


TRUE = np.array([[1, 4, 5, 6, 2, 0, 0]] * 200, np.int32)


def read(change: ScheduledTokens, *, training: bool = True) -> np.ndarray:
    return np.array(change({"target": keras.ops.convert_to_tensor(TRUE)}, {}, training=training)[0]["target"])


def test_all_tokens_but_the_first_and_what_fills_up_are_the_decoders_own_at_a_share_of_1(project):
    assert read(sampled(project, "1.0"))[0].tolist() == [1, 7, 7, 7, 7, 0, 0]


def test_a_share_of_the_tokens_is_the_decoders_own_in_training_alone(project):
    change = sampled(project, "0.25")
    own = read(change)[:, 1:5] == 7
    assert 0.2 < own.mean() < 0.3
    assert (read(change) != read(change)).any()
    assert (read(change, training=False) == TRUE).all()


def test_the_share_rises_from_where_it_begins(project):
    change = sampled(project, "{probability: 0.5, begin: 2, steps: 4}")
    shares = [(read(change)[:, 1:5] == 7).mean() for _ in range(9)]
    assert shares[:3] == [0, 0, 0]
    assert shares[3] == pytest.approx(0.125, abs=0.05)
    assert shares[6:] == pytest.approx([0.5] * 3, abs=0.06)


def test_a_training_with_scheduled_sampling_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    from nnspec.training.loop import loop

    monkeypatch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 2)
    monkeypatch.setattr(loop, "_MOST_STEPS_PER_CALL", 2)
    objective = "{sequence_to_sequence: {scheduled_sampling: {probability: 0.5, steps: 20}}}"
    spec = spec_of(tmp_path, NET + DATA + training(objective, "epochs: 3, batch_size: 20"))
    whole = train(spec, out=tmp_path / "whole", progress=Quiet())
    assert train(spec, out=tmp_path / "cut", progress=Listening(5)).status == "interrupted"
    last = resume(tmp_path / "cut", progress=Quiet())
    assert differences(whole.path, last.path) == []
    assert {k: v for k, v in last.weights().items() if (v != whole.weights()[k]).any()} == {}
