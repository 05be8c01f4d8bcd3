"""What the keys of ``train`` do: phases, freezing, noise, lower rates; on digits and on small tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.loop.position import Position
from nnspec.training.loop.progress import Quiet
from nnspec.training.plan import Monitor
from nnspec.training.run.checkpoints import Checkpoints, read_checkpoint
from nnspec.training.section import ReduceOnPlateau

keras = pytest.importorskip("keras")

from nnspec.training.loop.stopping import Plateau  # noqa: E402

DIGITS = """nnspec: 1
name: digits
blocks:
  backbone:
    layers:
      - Conv2D: {filters: 6, kernel_size: 3, use_bias: false}
        name: stage1
      - BatchNormalization: {}
        name: norm
      - Conv2D: {filters: 8, kernel_size: 3, activation: relu}
        name: stage2
      - Flatten
inputs: {image: [8, 8, 1]}
layers:
  - backbone
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.5}
train:
  epochs: 1
  batch_size: 64
  optimizer: {Adam: {learning_rate: 3e-3}}
  loss: SparseCategoricalCrossentropy
"""


def trained(folder: Path, *overrides: str, text: str = DIGITS, out: str = "run", progress=None) -> Run:
    file = folder / "net.nnspec.yaml"
    file.write_text(text, encoding="utf-8")
    return train(load(file, overrides), out=folder / out, progress=progress or Quiet())


def changed(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> set[str]:
    return {name for name in a if (a[name] != b[name]).any()}


def first_weights(run: Run) -> dict[str, np.ndarray]:
    from nnspec.keras_backend import to_keras, weight_arrays

    graph = run.model.main
    return weight_arrays(to_keras(graph, seed=run.info["seed"]), graph)


def test_what_freeze_names_stays_as_it_was_and_its_batch_normalization_infers(tmp_path):
    run = trained(tmp_path, "train.freeze=[backbone]")
    assert changed(first_weights(run), run.weights()) == {"digit/kernel", "digit/bias"}


def test_each_phase_freezes_what_it_names_and_trains_the_rest(tmp_path):
    phases = "train.phases=[{freeze: [backbone], steps: 5}, {freeze: [backbone/stage1, backbone/norm], epochs: 1}]"
    run = trained(tmp_path, "train.epochs=null", phases)
    seen = [read_checkpoint(file).arrays for file in Checkpoints(run.path / "checkpoints").files()]
    records = run.metrics()
    assert [(record["epoch"], record["step"]) for record in records] == [(1, 5), (2, 5 + 15)]
    first = first_weights(run)
    after = changed(first, run.weights())
    assert {name for name in after if name.startswith("backbone")} == {"backbone/stage2/kernel", "backbone/stage2/bias"}
    # Adam's count and rate, and two moments of each of the two weights that trained first.
    optimizer = [name for name in seen[0] if name.startswith("optimizer/")]
    assert len(optimizer) == 2 + 2 * 2


def test_a_phase_begins_with_a_new_optimizer_and_its_own_keys(tmp_path):
    run = trained(tmp_path, "train.phases=[{}, {optimizer: {SGD: {learning_rate: 1e-12}}, batch_size: 300}]")
    records = run.metrics()
    assert [record["step"] for record in records] == [15, 18]
    assert records[1]["val_loss"] == pytest.approx(records[0]["val_loss"], abs=0.2)
    newest, _ = Checkpoints(run.path / "checkpoints").newest()
    assert newest.position.phase == 1
    assert len([name for name in newest.arrays if name.startswith("optimizer/")]) < 10


def test_a_phase_that_may_stop_early_hands_on_its_best_weights(tmp_path):
    phases = (
        "train.phases=[{epochs: 20, optimizer: {SGD: {learning_rate: 1.5}}, early_stopping: {patience: 1}}, "
        "{epochs: 1, optimizer: {SGD: {learning_rate: 1e-12}}}]"
    )
    run = trained(tmp_path, "train.early_stopping={}", phases)
    records = run.metrics()
    best = min(records[:-1], key=lambda record: record["val_loss"])
    assert best["epoch"] < records[-2]["epoch"]
    last, _ = Checkpoints(run.path / "checkpoints").newest()
    kernels = [array for name, array in last.arrays.items() if name.startswith("model/") and array.shape == (128, 10)]
    np.testing.assert_allclose(kernels[0], run.weights()["digit/kernel"], atol=1e-6)


@pytest.mark.parametrize(
    ("phase", "code"),
    [
        ("{freeze: [bone]}", "NN517"),
        ("{freeze: [backbone, digit]}", "NN518"),
        ("{loss_weights: {digits: 2}}", "NN501"),
        ("{loss: MeanSquaredError}", "NN103"),
        ("{epochs: 2, steps: 3}", "NN105"),
        ("{early_stopping: {monitor: val_accuracy}}", "NN508"),
    ],
)
def test_what_is_wrong_with_a_phase_is_reported(tmp_path, phase, code):
    with pytest.raises(SpecError) as caught:
        trained(tmp_path, f"train.phases=[{{epochs: 1}}, {phase}]")
    assert code in {problem.code for problem in caught.value.diagnostics}, caught.value


# --- lower rates ----------------------------------------------------------------------------------------------------------


# Keras's callback reads the rate in a way that NumPy will give up.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("rule", [{}, {"cooldown": 2}, {"min_delta": 0.3}, {"min_lr": 0.05}])
def test_the_rate_is_lowered_when_keras_would(rule):
    figures = [5, 4, 4.1, 4.2, 3.9, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3]
    theirs = _rates_of_keras(figures, rule)
    optimizer = keras.optimizers.SGD(1.0)
    plateau = Plateau(ReduceOnPlateau(patience=2, factor=0.5, **rule), Monitor("val_loss", "min"), optimizer)
    at, ours = Position(), []
    for figure in figures:
        plateau.after_epoch(at, {"val_loss": figure})
        ours.append(float(optimizer.learning_rate))
    assert ours == theirs
    assert min(ours) < 1


def _rates_of_keras(figures, rule) -> list[float]:
    callback = keras.callbacks.ReduceLROnPlateau("val_loss", patience=2, factor=0.5, mode="min", **rule)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse")
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, figure in enumerate(figures):
        callback.on_epoch_end(epoch, {"val_loss": figure})
        rates.append(float(model.optimizer.learning_rate))
    return rates


def test_the_rate_is_in_the_log_where_it_changes(tmp_path):
    run = trained(tmp_path, "train.epochs=3", "train.reduce_on_plateau={patience: 1, min_delta: 100.0}")
    assert [record["learning_rate"] for record in run.metrics()] == pytest.approx([3e-3, 3e-3, 3e-4])


# --- noise ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["SparseCategoricalCrossentropy", "CategoricalCrossentropy", "BinaryCrossentropy"])
def test_the_share_of_labels_that_is_asked_for_is_drawn_anew(tmp_path, project, loss):
    from nnspec.training.batches.transforms import Noise

    activation = "sigmoid" if loss == "BinaryCrossentropy" else "softmax"
    text = f"inputs: {{x: [4]}}\nlayers:\n  - Dense: {{units: 10, activation: {activation}}}\n    name: y\n"
    plan, problems = project.plan(
        f"{text}train: {{epochs: 1, loss: {loss}, label_noise: 0.3, input_noise: {{x: 0.5}}}}\n", require_data=False
    )
    assert plan is not None, problems
    noise = Noise(plan)
    labels = np.arange(4000) % 10
    target = labels if loss.startswith("Sparse") else np.eye(10, dtype="float32")[labels]
    drawn = [
        keras.ops.convert_to_numpy(noise({}, {"y": keras.ops.convert_to_tensor(target)}, training=True)[1]["y"])
        for _ in range(2)
    ]
    assert (drawn[0] != drawn[1]).any()
    if loss == "BinaryCrossentropy":
        assert (drawn[0] != target).mean() == pytest.approx(0.3, abs=0.02)
        assert set(np.unique(drawn[0])) == {0, 1}
    else:
        got = drawn[0] if target.ndim == 1 else drawn[0].argmax(-1)
        assert (got != labels).mean() == pytest.approx(0.3 * 0.9, abs=0.03)
        assert target.ndim == 1 or (drawn[0].sum(-1) == 1).all()
    x = np.zeros((5000, 4), "float32")
    moved = keras.ops.convert_to_numpy(noise({"x": x}, {}, training=True)[0]["x"])
    assert moved.std() == pytest.approx(0.5, abs=0.02)
    assert len(noise.variables) == 2


def test_noise_is_on_what_is_trained_on_alone(tmp_path):
    plain = trained(tmp_path, "train.optimizer={SGD: {learning_rate: 1e-12}}", "train.freeze=[backbone/norm]", out="plain")
    noisy = trained(
        tmp_path,
        "train.optimizer={SGD: {learning_rate: 1e-12}}",
        "train.freeze=[backbone/norm]",
        "train.input_noise=2.0",
        "train.label_noise=0.5",
        out="noisy",
    )
    [a], [b] = plain.metrics(), noisy.metrics()
    assert b["val_loss"] == pytest.approx(a["val_loss"], rel=1e-5)
    assert abs(b["loss"] - a["loss"]) > 0.05


# --- a loss that is not finite --------------------------------------------------------------------------------------------


NUMBERS = """nnspec: 1
name: numbers
inputs: {x: [3]}
layers:
  - Dense: {units: 1}
    name: y
data: {train: {npz: a.npz}, inputs: {x: x}, targets: {y: {column: y}}}
train: {epochs: 3, batch_size: 8, optimizer: {SGD: {learning_rate: 0.01}}, loss: MeanSquaredError}
"""


@pytest.mark.parametrize(
    ("overrides", "spoil", "reported"),
    [
        (["train.optimizer={SGD: {learning_rate: 10.0}}"], None, "the learning rate is too high: the loss grew"),
        ([], 1e30, r"`x` \(input\) is as large as 1e\+30 in row 18 of the training data\. Scale it"),
        (["train.precision=mixed_float16"], 7e4, r"`x` \(input\) is as large as 7e\+04 in row 18"),
    ],
)
def test_a_loss_that_is_not_finite_is_reported_with_the_examples_and_the_likely_cause(tmp_path, overrides, spoil, reported):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    y = x.sum(1, keepdims=True)
    if spoil:
        x[17] = spoil
    np.savez(tmp_path / "a.npz", x=x, y=y)
    with pytest.raises(NnspecError, match=reported) as caught:
        trained(tmp_path, *overrides, text=NUMBERS)
    text = str(caught.value)
    assert "of the training data\n  = likely:" in text
    if spoil:
        assert ", 18" in text or " 18," in text
    run = Run.open(tmp_path / "run")
    assert run.status == "failed"
    for file in Checkpoints(run.path / "checkpoints").files():
        assert all(np.isfinite(array).all() for array in read_checkpoint(file).arrays.values() if array.dtype.kind == "f")


def test_an_example_that_cannot_be_read_stops_the_run_with_a_checkpoint(tmp_path, monkeypatch):
    from nnspec.data.kinds import DataError
    from nnspec.training.backends import tensorflow as tensorflow_steps
    from nnspec.training.run.resume import resume

    train_on = tensorflow_steps.TensorFlowSteps.train
    broken = {"broken": True}

    def steps(self, examples, rows):
        if broken["broken"] and rows.max() > 38:
            raise DataError("pictures/17.png is no PNG")
        return train_on(self, examples, rows)

    monkeypatch.setattr(tensorflow_steps.TensorFlowSteps, "train", steps)
    monkeypatch.setattr("nnspec.training.loop.loop._INITIAL_STEPS_PER_CALL", 1)
    monkeypatch.setattr("nnspec.training.loop.loop._MOST_STEPS_PER_CALL", 1)
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    np.savez(tmp_path / "a.npz", x=x, y=x.sum(1, keepdims=True))
    with pytest.raises(NnspecError, match=r"after step \d, an example could not be read: pictures/17.png is no PNG") as caught:
        trained(tmp_path, text=NUMBERS)
    assert "resume with: nnspec train --resume" in str(caught.value)
    broken["broken"] = False
    run = resume(tmp_path / "run", progress=Quiet())
    whole = trained(tmp_path, text=NUMBERS, out="whole")
    assert changed(run.weights(), whole.weights()) == set()
