"""Trainings whose targets are the next tokens: windows, what fills up, what counts, what a figure is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnspec.data.targets.next_token import NextTokenTarget
from nnspec.data.windows import next_token
from nnspec.diagnostics import SpecError
from nnspec.exporting.runs import export_run
from nnspec.runtime.predicting import predict_file
from nnspec.spec import load
from nnspec.training import evaluate, train
from nnspec.training.loop.progress import Quiet

NET = """inputs: {tokens: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 12, output_dim: 8, mask_zero: true}
  - GRU: {units: 16, return_sequences: true}
  - Dense: {units: 12}
    name: logits
"""
LOGITS = "{SparseCategoricalCrossentropy: {from_logits: true}}"
METRICS = "[SparseCategoricalAccuracy, ExactMatch, {Perplexity: {from_logits: true}}]"
STEPS = "{tokenize: {by: character, end: true}}"


def data(steps: str = STEPS, more: str = "") -> str:
    return f"data: {{train: {{text: lines.txt}}, inputs: {{tokens: {{column: text, transform: [{steps}]}}}}{more}}}\n"


def training(objective: str = "{language_model: {window: 5}}", loss: str = LOGITS, more: str = "epochs: 1") -> str:
    return f"train: {{objective: {objective}, {more}, seed: 3, loss: {loss}}}\n"


def lines(folder, *texts: str) -> None:
    (folder / "lines.txt").write_text("\n".join(texts), encoding="utf-8")


def codes(project, text: str) -> list[tuple[str, str]]:
    return sorted((problem.code, problem.path) for problem in project.plan(text, require_data=False)[1])


def run_of(folder, text: str, out: str = "run", overrides=()):
    file = folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + text, encoding="utf-8")
    return train(load(file, overrides), out=folder / out, progress=Quiet())


# --- windows and rows -----------------------------------------------------------------------------------------------------


def test_windows_say_each_token_but_the_first_once_across_rows(project):
    lines(project.folder, "abc", "de", "fg")
    part = project.prepare(NET + data() + training()).train
    letters = {token: i for i, token in enumerate("abcdefg", 4)}
    stream = [*(letters[c] for c in "abc"), 2, *(letters[c] for c in "de"), 2, *(letters[c] for c in "fg"), 2]
    read, reported = part.inputs["tokens"], part.targets["logits"]
    assert read.shape == reported.shape == (2, 5)
    assert read.ravel().tolist() == [*stream[:-1], 0]
    assert reported.ravel().tolist() == [*stream[1:], 0]


def test_the_last_rows_are_kept_for_validation_and_no_window_crosses_over(project):
    lines(project.folder, *["ab"] * 6, *["cd"] * 2)
    prepared = project.prepare(NET + data(more=", validation: 0.25") + training())
    assert np.unique(prepared.train.targets["logits"]).tolist() == [0, 2, 4, 5]
    # What was not trained on is not known: it stands as <UNK>.
    assert np.unique(prepared.validation.inputs["tokens"]).tolist() == [2, 3]


def test_without_a_window_a_row_is_an_example_and_its_filling_no_target(project):
    lines(project.folder, "ab", "abca")
    part = project.prepare(NET + data(f"{STEPS}, pad: 5") + training("language_model")).train
    assert part.inputs["tokens"].tolist() == [[4, 5, 2, 0, 0], [4, 5, 6, 4, 2]]
    assert part.targets["logits"].tolist() == [[5, 2, 0, 0, 0], [5, 6, 4, 2, 0]]


def test_what_follows_the_last_token_is_padding():
    assert next_token(np.array([[7, 8]]), -1).tolist() == [[8, -1]]


def test_the_loss_leaves_out_what_fills_up_or_the_class_it_names(project):
    lines(project.folder, "ab")
    plan, problems = project.plan(NET + data() + training())
    assert problems == []
    assert plan.outputs["logits"].loss.ignore_class == 0
    assert plan.target_sources == {"logits": NextTokenTarget("tokens", padding=0, size=5)}
    other = LOGITS.replace("true}", "true, ignore_class: -1}")
    plan, _ = project.plan(NET + data() + training(loss=other))
    assert plan.target_sources["logits"].padding == -1


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (NET + training(loss="{CategoricalCrossentropy: {from_logits: true}}"), "NN531",
         "train.objective.language_model"),
        (NET + training("{language_model: {window: 5, input: tokns}}"), "NN406", "train.objective.language_model.input"),
        (NET + training("{language_model: {window: 5, output: logit}}"), "NN501", "train.objective.language_model.output"),
        (NET + training("{language_model: {widow: 5}}"), "NN103", "train.objective.language_model.widow"),
        (NET.replace("dtype: int32", "dtype: float32").replace("Embedding: {input_dim: 12, output_dim: 8, mask_zero: true}",
         "Reshape: {target_shape: [-1, 1]}") + training(), "NN531", "train.objective.language_model"),
        (NET.replace("return_sequences: true", "return_sequences: false") + training(), "NN531",
         "train.objective.language_model"),
        (NET.replace("[T]", "[7]") + training(), "NN531", "train.objective.language_model.window"),
        (NET + data(f"{STEPS}, pad: 5") + training(), "NN447", "data.inputs.tokens"),
        (NET + data(f"{STEPS}, {{pad: {{length: 5, value: 3}}}}") + training("language_model"), "NN408",
         "data.inputs.tokens.transform[1]"),
        (NET + data() + training("language_model"), "NN461", "data.inputs.tokens"),
        (NET + data(more=", targets: {logits: text}") + training(), "NN446", "data.targets.logits"),
        (NET + data(more=", group: text") + training(), "NN447", "data.group"),
    ],
)  # fmt: skip
def test_what_a_language_model_cannot_be_is_reported_at_its_place(project, text, code, path):
    lines(project.folder, "ab")
    assert (code, path) in codes(project, text)


def test_of_two_inputs_of_tokens_one_must_be_named(project):
    two = NET.replace("int32}}", "int32}, other: {shape: [T], dtype: int32}}").replace(
        "layers:\n  - Embedding: {input_dim: 12, output_dim: 8, mask_zero: true}",
        "layers:\n  - Embedding: {input_dim: 12, output_dim: 8}\n    name: a\n    from: tokens\n"
        "  - Embedding: {input_dim: 12, output_dim: 8}\n    name: b\n    from: other\n  - Add:\n    from: [a, b]",
    )
    assert ("NN530", "train.objective") in codes(project, two + training("language_model"))
    named = two + training("{language_model: {input: other}}")
    plan, problems = project.plan(named, require_data=False)
    assert problems == []
    assert plan.target_sources["logits"].input == "other"


def test_a_token_that_the_network_has_no_place_for_is_refused_with_its_row(project):
    lines(project.folder, "abcdefgh", "abcdefghij")
    for small, code in ((NET, "NN433"), (NET.replace("input_dim: 12", "input_dim: 30"), "NN425")):
        [problem] = project.refuses(small + data() + training())
        assert problem.code == code
        assert "line 2" in problem.message


def test_rows_without_two_tokens_are_refused(project):
    lines(project.folder, "a")
    [problem] = project.refuses(NET + data("{tokenize: character}") + training())
    assert (problem.code, problem.path) == ("NN447", "data.inputs.tokens")


@pytest.mark.parametrize(
    "layer",
    [
        "Bidirectional: {layer: {GRU: {units: 8, return_sequences: true}}}",
        "MultiHeadAttention: {num_heads: 2, key_dim: 4}",
        "Conv1D: {filters: 8, kernel_size: 3, padding: same}",
    ],
)
def test_a_network_that_reads_the_tokens_it_is_to_say_is_not_trained(tmp_path, layer):
    lines(tmp_path, "abcabc", "bacbbcab")
    ahead = NET.replace("GRU: {units: 16, return_sequences: true}", layer).replace(", mask_zero: true", "")
    with pytest.raises(SpecError) as caught:
        run_of(tmp_path, ahead + data() + training())
    assert [problem.code for problem in caught.value.diagnostics if problem.is_error] == ["NN532"]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "layer",
    [
        "MultiHeadAttention: {num_heads: 2, key_dim: 4, use_causal_mask: true}",
        "Conv1D: {filters: 8, kernel_size: 3, padding: causal}",
    ],
)
def test_a_network_that_reads_what_came_before_alone_is_trained(tmp_path, layer):
    lines(tmp_path, "abcabc", "bacbbcab")
    behind = NET.replace("GRU: {units: 16, return_sequences: true}", layer).replace(", mask_zero: true", "")
    assert run_of(tmp_path, behind + data() + training()).status == "finished"


# --- trained --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A model of lines that go through the alphabet's first five letters from a random one on, three to eight of them."""
    folder = tmp_path_factory.mktemp("learned")
    draw = np.random.default_rng(1)
    texts = ["".join("abcde"[(begin + i) % 5] for i in range(draw.integers(3, 9))) for begin in draw.integers(0, 5, 300)]
    lines(folder, *texts)
    more = f"epochs: 15, optimizer: {{Adam: {{learning_rate: 0.02}}}}, metrics: {METRICS}"
    text = NET + data("{tokenize: {by: character}}, pad: 9", ", validation: 0.2") + training("language_model", more=more)
    return run_of(folder, text)


def test_figures_are_of_the_tokens_and_not_of_what_fills_up(learned):
    """Without an end, the next letter is certain: nothing less than all right is right, though half is filled up."""
    figures = evaluate(learned)
    assert figures["logits_sparse_categorical_accuracy"] == 1
    assert figures["logits_exact_match"] == 1
    assert 1 <= figures["logits_perplexity"] < 1.05
    assert figures["logits_perplexity"] == pytest.approx(np.exp(figures["loss"]), rel=0.02)
    assert figures["outputs"] == {}


def test_a_language_model_is_exported_and_answers_texts(learned, tmp_path):
    export_run(learned.path, tmp_path / "lm.onnx")
    (tmp_path / "new.jsonl").write_text(json.dumps({"text": "cdea"}) + "\n")
    reported = predict_file(tmp_path / "lm.onnx", str(tmp_path / "new.jsonl")).outputs["logits"][0].argmax(-1)
    vocabulary = learned.recipe()["inputs"]["tokens"]["transforms"][0]["learned"]["vocabulary"]
    assert [vocabulary[i] for i in reported[:4]] == ["d", "e", "a", "b"]


def test_a_model_of_windows_answers_rows_brought_to_their_length(tmp_path):
    lines(tmp_path, "abcabc", "abc")
    run = run_of(tmp_path, NET + data() + training())
    steps = run.recipe()["inputs"]["tokens"]["transforms"]
    assert [(step["transform"], step["learned"].get("length")) for step in steps] == [("tokenize", None), ("pad", 5)]
    export_run(run.path, tmp_path / "lm.onnx")
    (tmp_path / "new.jsonl").write_text(json.dumps({"text": "abcabcabc"}) + "\n")
    assert predict_file(tmp_path / "lm.onnx", str(tmp_path / "new.jsonl")).outputs["logits"].shape == (1, 5, 12)


def test_positions_that_a_loss_ignores_do_not_count_in_metrics(tmp_path):
    """Of a segmentation, for one: what `ignore_class` names is neither right nor wrong."""
    label = np.full((40, 4), 255)
    label[:, 0] = 1
    np.savez(tmp_path / "a.npz", x=np.ones((40, 4, 1), np.float32), label=label)
    text = (
        "inputs: {x: [4, 1]}\nlayers:\n  - Dense: {units: 2, activation: softmax}\n    name: part\n"
        "data: {train: {npz: a.npz}, targets: {part: label}}\n"
        "train: {epochs: 4, optimizer: {SGD: {learning_rate: 1.0}}, metrics: SparseCategoricalAccuracy,\n"
        "  loss: {SparseCategoricalCrossentropy: {ignore_class: 255}}}\n"
    )
    assert run_of(tmp_path, text).metrics()[-1]["part_sparse_categorical_accuracy"] == 1
