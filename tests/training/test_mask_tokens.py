"""Autoencoders whose input tokens are masked, as in BERT."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.resume import differences
from nnspec.data.token_masking import MaskTokens
from nnspec.spec import load
from nnspec.training import evaluate, resume, train
from nnspec.training.loop.progress import Quiet

from .test_resume import Listening

keras = pytest.importorskip("keras")

NET = """inputs: {words: {shape: [8], dtype: int32}}
layers:
  - Embedding: {input_dim: 31, output_dim: 8}
  - Conv1D: {filters: 16, kernel_size: 3, padding: same, activation: relu}
  - Dense: {units: 30}
    name: word
"""
DATA = "data: {train: {npz: a.npz}, validation: 0.25, inputs: {words: words}}\n"


def spec(mask: str = "{token: 30}", loss: str = "{SparseCategoricalCrossentropy: {from_logits: true}}", more: str = "") -> str:
    objective = f"{{autoencoder: {{corrupt: [{{MaskTokens: {mask}}}]}}}}"
    return f"{NET}{DATA}train: {{objective: {objective}, epochs: 3, batch_size: 16, seed: 5, loss: {loss}{more}}}\n"


@pytest.fixture(autouse=True)
def table(project):
    words = np.tile(np.arange(4, 30), 400)[: 160 * 8].reshape(160, 8)
    words[:, 7] = 0
    np.savez(project.folder / "a.npz", words=words)


def run_of(project, text: str, out: str = "run", **arguments):
    file = project.folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + text, encoding="utf-8")
    return train(load(file), out=project.folder / out, **{"progress": Quiet(), **arguments})


def masked(count: int = 40_000, **arguments):
    from nnspec.training.objectives.autoencoder.masking import TokenMasking

    tokens = np.random.default_rng(0).integers(4, 30, (count // 8, 8)).astype("int32")
    tokens[:, 7] = 0
    mask = TokenMasking(MaskTokens(token=30, **arguments), 30, 1, "x")
    found, chosen = (keras.ops.convert_to_numpy(x) for x in mask(keras.ops.convert_to_tensor(tokens), training=True))
    return tokens, found, chosen


def test_selected_tokens_are_masked_replaced_or_kept_in_the_given_shares():
    tokens, found, chosen = masked()
    assert not chosen[:, 7].any()
    assert (found[~chosen] == tokens[~chosen]).all()
    share = chosen[:, :7].mean()
    assert share == pytest.approx(0.15, abs=0.01)
    assert (found[chosen] == 30).mean() == pytest.approx(0.8, abs=0.02)
    same = (found[chosen] == tokens[chosen]).mean()
    assert same == pytest.approx(0.1 + 0.1 / 26, abs=0.02)
    others = found[chosen][(found[chosen] != 30) & (found[chosen] != tokens[chosen])]
    assert others.min() >= 4 and others.max() < 30


def test_all_selected_tokens_become_the_mask_token_without_random_and_keep():
    _, found, chosen = masked(random=0.0, keep=0.0, probability=1.0)
    assert (found[chosen] == 30).all()


def test_only_selected_tokens_count_in_the_loss_and_the_metrics(project):
    plan, problems = project.plan(spec())
    assert problems == []
    assert plan.outputs["word"].loss.ignore_class == 0
    # A network that copies its input is right wherever nothing is hidden, and never where everything selected is.
    text = spec("{token: 30, random: 0.0, keep: 0.0}", more=", metrics: [SparseCategoricalAccuracy]")
    text = text.replace("kernel_size: 3, padding: same", "kernel_size: 1").replace("epochs: 3", "epochs: 20")
    found = evaluate(run_of(project, text).path, part="validation")
    assert found["word_sparse_categorical_accuracy"] < 0.3


def test_a_network_learns_to_restore_hidden_tokens(project):
    more = ", metrics: [SparseCategoricalAccuracy], optimizer: {Adam: {learning_rate: 0.02}}"
    found = evaluate(run_of(project, spec(more=more).replace("epochs: 3", "epochs: 30")).path, part="validation")
    assert found["word_sparse_categorical_accuracy"] > 0.5  # the neighbors determine a token


def test_a_training_that_was_stopped_ends_with_the_same_bits(project, monkeypatch):
    from nnspec.training.loop import loop

    monkeypatch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 2)
    monkeypatch.setattr(loop, "_MOST_STEPS_PER_CALL", 2)
    whole = run_of(project, spec(), "whole")
    assert run_of(project, spec(), "cut", progress=Listening(5)).status == "interrupted"
    last = resume(project.folder / "cut", progress=Quiet())
    assert differences(whole.path, last.path) == []


@pytest.mark.parametrize(
    ("text", "code", "path", "help"),
    [
        (spec("{token: 31}"), "NN531", "train.objective.autoencoder.corrupt[0].MaskTokens.token", "write `token: 30`"),
        (spec("{token: 30, random: 0.6, keep: 0.5}"), "NN105", "train.objective.autoencoder.corrupt[0].MaskTokens", ""),
        (spec("{}"), "NN104", "train.objective.autoencoder.corrupt[0]", ""),
        (spec().replace("dtype: int32", "dtype: float32").replace("  - Embedding: {input_dim: 31, output_dim: 8}\n",
         "  - Reshape: {target_shape: [8, 1]}\n"), "NN531", "train.objective.autoencoder.corrupt[0].MaskTokens.token", "int32"),
    ],
)  # fmt: skip
def test_a_masking_that_does_not_fit_is_reported(project, text, code, path, help):
    found = [problem for problem in project.plan(text, require_data=False)[1] if problem.is_error]
    assert any(problem.code == code and problem.path.startswith(path) and help in problem.help for problem in found), found
