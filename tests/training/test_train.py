"""Whole trainings, small ones: against Keras's own ``fit``, against themselves, and what they leave behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.spec import load
from nnspec.training import Run, evaluate, evaluation_text, golden_rows, train
from nnspec.training.loop.order import order_of
from nnspec.training.loop.progress import Quiet

keras = pytest.importorskip("keras")

DIGITS = """nnspec: 1
name: digits
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 48, activation: relu}
  - Dropout: {rate: 0.2}
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.2}
train:
  epochs: 12
  batch_size: 64
  seed: 3
  optimizer: {Adam: {learning_rate: 3e-3}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
"""


def trained(folder: Path, text: str = DIGITS, *overrides: str, out: str = "run", progress=None) -> Run:
    file = folder / "net.nnspec.yaml"
    file.write_text(text, encoding="utf-8")
    return train(load(file, overrides), out=folder / out, progress=progress or Quiet())


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return trained(tmp_path_factory.mktemp("digits"))


def same(a: Run, b: Run) -> bool:
    ours, theirs = a.weights(), b.weights()
    return list(ours) == list(theirs) and all((ours[name] == theirs[name]).all() for name in ours)


# --- what a run holds -----------------------------------------------------------------------------------------------------


def test_the_digits_are_learned_in_seconds(run):
    figures = evaluate(run)
    assert (figures["data"], figures["rows"]) == ("validation", 360)
    assert figures["digit_sparse_categorical_accuracy"] > 0.95
    report = figures["outputs"]["digit"]
    assert report["accuracy"] == pytest.approx(figures["digit_sparse_categorical_accuracy"])
    assert np.sum(report["confusion"]) == 360
    json.dumps(figures, allow_nan=False)
    assert "the spec has no test data" in evaluation_text(figures)
    assert "the spec has no test data" not in evaluation_text(figures, chosen=True)


def test_a_run_folder_holds_what_the_design_says(run):
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        "run.json",
        "spec.yaml",
        "weights.safetensors",
        "metrics.jsonl",
        "curves.png",
        "checkpoints",
        "transforms.json",
    }
    assert list(run.weights()) == ["dense/bias", "dense/kernel", "digit/bias", "digit/kernel"]
    assert run.status == "finished"
    assert run.info["spec"]["hash"] == run.spec.hash
    assert run.info["data"]["examples"] == {"train": 1437, "validation": 360}
    assert (run.path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_log_has_a_line_for_each_epoch(run):
    records = run.metrics()
    assert [record["epoch"] for record in records] == list(range(1, 13))
    assert records[-1]["step"] == 12 * 23
    figures = {"loss", "digit_sparse_categorical_accuracy", "val_loss", "val_digit_sparse_categorical_accuracy"}
    assert figures < set(records[0])
    assert records[-1]["loss"] < records[0]["loss"]


def test_the_best_weights_are_kept(run):
    best = min(run.metrics(), key=lambda record: record["val_loss"])
    assert run.info["best"]["epoch"] == best["epoch"]
    assert evaluate(run)["loss"] == pytest.approx(best["val_loss"], rel=1e-6)


def test_reading_a_run_changes_nothing_in_it(run):
    def state():
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in run.path.rglob("*") if path.is_file()}

    before = state()
    opened = Run.open(run.path)
    evaluate(opened)
    assert golden_rows(opened, 3)[1]["image"].shape == (3, 8, 8, 1)
    assert (opened.metrics(), opened.classes(), opened.model.name) == (run.metrics(), {}, "digits")
    assert state() == before


def test_the_same_seed_gives_the_same_weights_bit_for_bit(run, tmp_path):
    again = trained(tmp_path)
    assert same(run, again)
    kept = [{k: v for k, v in record.items() if k not in ("seconds", "examples_per_second")} for record in again.metrics()]
    assert kept == [{k: v for k, v in r.items() if k not in ("seconds", "examples_per_second")} for r in run.metrics()]


def test_another_seed_gives_other_weights(run, tmp_path):
    assert not same(run, trained(tmp_path, DIGITS, "train.seed=4"))


def test_data_sent_in_pieces_give_the_weights_of_data_kept_on_the_device(run, tmp_path, monkeypatch):
    from nnspec.training.backends import tensorflow as tensorflow_steps

    class InPieces(tensorflow_steps.TensorFlowSteps):
        def __init__(self, learner, **options) -> None:
            super().__init__(learner, **options, resident_bytes=0)

    monkeypatch.setattr(tensorflow_steps, "TensorFlowSteps", InPieces)
    assert same(run, trained(tmp_path))


# --- the same as Keras ----------------------------------------------------------------------------------------------------

SEVERAL = """nnspec: 1
name: several
inputs: {x: [4]}
layers:
  - Dense: {units: 6, activation: tanh, kernel_regularizer: {L2: {l2: 0.01}}, activity_regularizer: {L1: {l1: 0.001}}}
    name: trunk
  - BatchNormalization:
    from: trunk
  - Dense: {units: 3, activation: softmax}
    name: kind
  - Dense: {units: 1}
    name: size
    from: trunk
outputs: [kind, size]
data: {train: {npz: a.npz}}
train:
  epochs: 1
  batch_size: 16
  optimizer: {Adam: {learning_rate: 0.01}}
  clip: {global_norm: 0.5}
  loss: {kind: SparseCategoricalCrossentropy, size: Huber}
  loss_weights: {size: 0.3}
  metrics: {kind: [SparseCategoricalAccuracy], size: [MeanAbsoluteError, R2Score]}
"""


def table(folder: Path, count: int = 50) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(count, 4)).astype("float32")
    arrays = {
        "x": x,
        "kind": x[:, :3].argmax(1),
        "size": x.sum(1).astype("float32"),
        "w": random.random(count).astype("float32"),
    }
    np.savez(folder / "a.npz", **arrays)
    return arrays


def fit_by_keras(run: Run, arrays: dict[str, np.ndarray], epochs: int, optimizer, sample_weight=None, **compiled):
    """The same training by ``fit``, each epoch on the data in the order that ours has them."""
    from nnspec.keras_backend import to_keras, weight_arrays

    graph = run.model.main
    model = to_keras(graph, seed=run.info["seed"])
    model.compile(optimizer=optimizer, **compiled)
    outputs = list(graph.outputs)
    for epoch in range(epochs):
        order = order_of(len(arrays["x"]), run.info["seed"], epoch)
        weights = None if sample_weight is None else sample_weight[order]
        logs = model.fit(
            {"x": arrays["x"][order]},
            {name: arrays[name][order] for name in outputs},
            batch_size=16,
            epochs=1,
            shuffle=False,
            verbose=0,
            sample_weight=weights,
        ).history
    return weight_arrays(model, graph), {name: values[-1] for name, values in logs.items()}


def assert_alike(run: Run, theirs: dict[str, np.ndarray], **tolerance: float) -> None:
    for name, array in run.weights().items():
        np.testing.assert_allclose(array, theirs[name], rtol=tolerance.get("rtol", 1e-4), atol=1e-6, err_msg=name)


def test_a_training_of_two_outputs_is_that_of_keras(tmp_path):
    arrays = table(tmp_path)
    run = trained(tmp_path, SEVERAL)
    theirs, logs = fit_by_keras(
        run,
        arrays,
        1,
        keras.optimizers.Adam(0.01, global_clipnorm=0.5),
        loss={"kind": "sparse_categorical_crossentropy", "size": keras.losses.Huber()},
        loss_weights={"kind": 1.0, "size": 0.3},
        metrics={"kind": ["sparse_categorical_accuracy"], "size": ["mae", "r2_score"]},
    )
    assert_alike(run, theirs)
    [record] = run.metrics()
    assert record["loss"] == pytest.approx(logs["loss"], rel=1e-5)
    assert record["kind_sparse_categorical_accuracy"] == pytest.approx(logs["kind_sparse_categorical_accuracy"])
    assert record["size_mean_absolute_error"] == pytest.approx(logs["size_mae"], rel=1e-5)
    assert record["size_r2_score"] == pytest.approx(logs["size_r2_score"], rel=1e-4)
    # Keras averages an output's loss over batches, the smaller last one counting as much; ours is over examples.
    assert record["kind_loss"] + 0.3 * record["size_loss"] < record["loss"]


ONE = """nnspec: 1
name: one
inputs: {x: [4]}
layers:
  - Dense: {units: 3, activation: softmax}
    name: kind
data: {train: {npz: a.npz}, inputs: {x: x}, targets: {kind: {column: kind}}}
train: {epochs: 2, batch_size: 16, optimizer: {Adam: {learning_rate: 0.01}}, loss: SparseCategoricalCrossentropy}
"""


def balanced(kinds: np.ndarray) -> np.ndarray:
    return (len(kinds) / (3 * np.bincount(kinds)))[kinds].astype("float32")


@pytest.mark.parametrize(
    ("override", "weigh"),
    [
        ("train.class_weight=balanced", lambda arrays: balanced(arrays["kind"])),
        ("train.class_weight={0: 3.0, 2: 0.5}", lambda arrays: np.float32([3, 1, 0.5])[arrays["kind"]]),
        ("data.targets.kind.weight=w", lambda arrays: arrays["w"]),
    ],
)
def test_weights_of_classes_and_of_examples_weigh_as_in_keras(tmp_path, override, weigh):
    arrays = table(tmp_path)
    run = trained(tmp_path, ONE, override)
    assert run.info["best"]["epoch"] == 2
    optimizer = keras.optimizers.Adam(0.01)
    theirs, _ = fit_by_keras(run, arrays, 2, optimizer, weigh(arrays), loss="sparse_categorical_crossentropy")
    assert_alike(run, theirs)


def test_the_average_of_the_weights_is_that_of_keras_and_is_what_is_kept(tmp_path):
    arrays = table(tmp_path)
    run = trained(tmp_path, ONE, "train.ema=0.6", "train.epochs=1")
    optimizer = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.6)
    # `fit` puts the average in the weights' place at its end, which here is the end of the one epoch.
    theirs, _ = fit_by_keras(run, arrays, 1, optimizer, loss="sparse_categorical_crossentropy")
    assert_alike(run, theirs)


def test_layers_may_compute_in_bfloat16_and_the_weights_stay_float32(tmp_path):
    table(tmp_path)
    run = trained(tmp_path, ONE, "train.precision=mixed_bfloat16")
    assert {array.dtype.name for array in run.weights().values()} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


# --- how a training ends --------------------------------------------------------------------------------------------------


def test_training_stops_early_and_says_so(tmp_path):
    lines: list[str] = []

    class Listening(Quiet):
        def print(self, text: str) -> None:
            lines.append(text)

    text = DIGITS.replace("3e-3", "0.5")
    run = trained(tmp_path, text, "train.epochs=50", "train.early_stopping={patience: 2}", progress=Listening())
    assert run.status == "stopped early"
    assert run.info["epochs"] == run.info["best"]["epoch"] + 2
    assert any("stopped early: `val_loss` was best in epoch" in line for line in lines)


class Pressing(Quiet):
    """Presses Ctrl-C after some steps."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.lines: list[str] = []

    def print(self, text: str) -> None:
        self.lines.append(text)

    def stepped(self, epoch, step, rate, figures) -> None:
        if epoch == self.epoch:
            os.kill(os.getpid(), signal.SIGINT)
            self.epoch = -1


@pytest.mark.parametrize("epoch", [1, 3])
def test_ctrl_c_stops_after_the_step_and_keeps_the_weights(tmp_path, epoch):
    pressing = Pressing(epoch)
    before = signal.getsignal(signal.SIGINT)
    run = trained(tmp_path, DIGITS, progress=pressing)
    assert signal.getsignal(signal.SIGINT) is before
    assert (run.status, run.info["epochs"]) == ("interrupted", epoch - 1)
    assert len(Run.open(run.path).weights()) == 4
    assert any(line.startswith("interrupted after step") for line in pressing.lines)


def test_a_loss_that_is_not_a_number_ends_the_run_with_the_step_and_the_cause(tmp_path):
    table(tmp_path)
    text = (
        ONE.replace("units: 3, activation: softmax", "units: 1")
        .replace("kind}", "size}")
        .replace("SparseCategoricalCrossentropy", "mse")
    )
    with pytest.raises(NnspecError, match=r"(?s)at step \d+, in epoch 1.*Lower `learning_rate`") as caught:
        trained(tmp_path, text, "train.optimizer={SGD: {learning_rate: 1e18}}")
    assert "no epoch was complete" in str(caught.value)
    run = Run.open(tmp_path / "run")
    assert run.status == "failed"
    with pytest.raises(NnspecError, match="has no weights"):
        run.weights()


def test_bad_data_leave_no_run(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.full((8, 4), np.nan), kind=np.zeros(8, int))
    with pytest.raises(SpecError, match="the value is missing"):
        trained(tmp_path, ONE)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_overwritten_unless_asked(tmp_path):
    table(tmp_path)
    trained(tmp_path, ONE)
    with pytest.raises(NnspecError, match="--overwrite"):
        trained(tmp_path, ONE)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    with pytest.raises(NnspecError, match="is not empty and not a run"):
        train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "other", overwrite=True, progress=Quiet())
    again = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", overwrite=True, progress=Quiet())
    assert again.status == "finished"


def test_what_the_transforms_learned_goes_with_the_run(tmp_path):
    rows = "\n".join(f"{i % 7},{i % 5},{'cat' if i % 7 > 3 else 'dog'}" for i in range(70))
    (tmp_path / "a.csv").write_text(f"a,b,animal\n{rows}\n")
    (tmp_path / "t.csv").write_text("a,b,animal\n6,1,cat\n0,2,dog\n5,5,cat\n")
    text = """nnspec: 1
name: animals
inputs: {x: [2]}
layers:
  - Dense: {units: 2, activation: softmax}
    name: animal
data:
  train: {csv: a.csv}
  test: {csv: t.csv}
  inputs: {x: {columns: [a, b], transform: [standardize]}}
  targets: {animal: {transform: [label_encode]}}
train: {epochs: 20, optimizer: {Adam: {learning_rate: 0.1}}, loss: SparseCategoricalCrossentropy, metrics: [accuracy]}
"""
    run = trained(tmp_path, text)
    assert run.classes() == {"animal": ["cat", "dog"]}
    (tmp_path / "a.csv").unlink()
    figures = evaluate(Run.open(run.path))
    assert (figures["data"], figures["rows"], figures["animal_accuracy"]) == ("test", 3, 1.0)
    assert [row["class"] for row in figures["outputs"]["animal"]["classes"]] == ["cat", "dog"]


# --- damaged runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run.path, tmp_path / "copy")


@pytest.mark.parametrize(
    ("file", "content", "reported"),
    [
        ("run.json", b"{", "is not valid JSON"),
        ("run.json", b"[]", "is damaged"),
        ("run.json", b'{"name": "x"}', "it has no `status`"),
        ("weights.safetensors", b"\xff" * 100, "is damaged"),
        ("metrics.jsonl", b"{}\n{", "is damaged in line 2"),
        ("transforms.json", b"", "cannot be read"),
        ("transforms.json", b"[]", "is damaged: it is not a mapping"),
        ("transforms.json", b'{"targets.digit": ["x"]}', "is damaged"),
        ("transforms.json", b'{"targets.digit": [{"transform": "label_encode", "arguments": {}}]}', "is damaged: .*`learned`"),
        ("spec.yaml", DIGITS.replace("48", "49").encode(), "was changed after the training"),
    ],
)
def test_a_damaged_run_is_reported(copy, file, content, reported):
    (copy / file).write_bytes(content)

    def read_all() -> None:
        opened = Run.open(copy)
        opened.weights()
        opened.metrics()
        opened.transforms()
        _ = opened.spec

    with pytest.raises(NnspecError, match=reported):
        read_all()


@pytest.mark.parametrize(
    ("changed", "reported"),
    [
        ({"seed": []}, r"`seed` is \[\], but must be an integer"),
        ({"data": {"recipe": {"inputs": [1]}}}, r"`data\.recipe\.inputs`"),
        ({"networks": ["other"]}, "its spec has no network `other`"),
    ],
)
def test_a_run_whose_facts_are_of_another_kind_is_reported(copy, changed, reported):
    info = json.loads((copy / "run.json").read_text("utf-8"))
    (copy / "run.json").write_text(json.dumps({**info, **changed, "digest": None}), encoding="utf-8")
    with pytest.raises(NnspecError, match=reported):
        _ = Run.open(copy).graph


def test_what_is_no_run_is_reported(tmp_path):
    with pytest.raises(NnspecError, match="there is no run"):
        Run.open(tmp_path / "nothing")
    with pytest.raises(NnspecError, match="is not a run folder"):
        Run.open(tmp_path)
