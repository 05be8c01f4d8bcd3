"""Trainings of every objective that stop in the middle of an epoch and go on: to the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.resume import differences
from nnspec.spec import load
from nnspec.training import crossval, resume, train
from nnspec.training.loop.progress import Quiet

from .test_autoencoder import DATA as NUMBERS
from .test_autoencoder import NET as NUMBERS_NET
from .test_autoencoder import table
from .test_language_model import LOGITS, METRICS, lines
from .test_language_model import NET as TOKENS_NET
from .test_language_model import data as texts
from .test_resume import Listening

pytest.importorskip("keras")

_STEPS = "epochs: 4, batch_size: 15, seed: 3, optimizer: {Adam: {learning_rate: 0.02}}"
_CORRUPT = "{autoencoder: {corrupt: [{GaussianNoise: {stddev: 0.5}}, {Dropout: 0.2}]}}"
SPECS = {
    "autoencoder": NUMBERS_NET + NUMBERS + f"train: {{objective: {_CORRUPT}, {_STEPS}, loss: mse, input_noise: 0.1}}\n",
    "phases": NUMBERS_NET
    + NUMBERS
    + f"train: {{objective: {_CORRUPT}, {_STEPS}, loss: mse, phases: [{{freeze: [code], epochs: 2}}, {{epochs: 2}}]}}\n",
    "language_model": TOKENS_NET
    + texts(more=", validation: 0.2")
    + f"train: {{objective: {{language_model: {{window: 5}}}}, {_STEPS}, loss: {LOGITS}, metrics: {METRICS}, label_noise: 0.1}}\n",
    "window": TOKENS_NET
    + texts(more=", validation: 0.2, window: {length: 5, stride: 2}")
    + f"train: {{objective: language_model, {_STEPS}, loss: {LOGITS}}}\n",
}


@pytest.fixture(scope="module", autouse=True)
def two_steps_a_call():
    """Epochs of several calls, so that a training can be stopped in the middle of one."""
    from nnspec.training.loop import loop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 2)
        patch.setattr(loop, "_MOST_STEPS_PER_CALL", 2)
        yield


@pytest.fixture(params=SPECS)
def file(request, tmp_path):
    table(tmp_path)
    draw = np.random.default_rng(0)
    lines(tmp_path, *("".join(draw.choice(list("abcde"), 9)) for _ in range(60)))
    path = tmp_path / "net.nnspec.yaml"
    path.write_text("nnspec: 1\nname: net\n" + SPECS[request.param], encoding="utf-8")
    return path


def test_a_training_that_was_stopped_comes_to_the_weights_of_one_that_was_not(file):
    whole = train(load(file), out=file.parent / "whole", progress=Quiet())
    first = train(load(file), out=file.parent / "cut", progress=Listening(5))
    assert first.status == "interrupted"
    last = resume(file.parent / "cut", progress=Quiet())
    assert differences(whole.path, last.path) == []
    assert {k: v for k, v in last.weights().items() if (v != whole.weights()[k]).any()} == {}


def test_every_objective_is_cross_validated(file):
    found = crossval(file, ["train.epochs=1", "train.phases=[]"], folds=2, out=file.parent / "folds", progress=Quiet())
    assert found.finished == 2
    assert len(set(found.metrics["loss"].values)) == 2
