"""Trainings on several devices, and in less precision."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.exporting.runs import export_run
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.backends.devices import devices_for
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

SPEC = """nnspec: 1
name: digits
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 6, kernel_size: 3, kernel_regularizer: {L2: {l2: 0.01}}}
  - LayerNormalization
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.2}
train: {epochs: 2, batch_size: 61, seed: 3, optimizer: SGD, loss: SparseCategoricalCrossentropy,
  metrics: [SparseCategoricalAccuracy], class_weight: balanced}
"""
# 1,438 examples in batches of 61: the last one of 35 is cut unevenly too.
BOTH = """
import json, sys
import tensorflow as tf
[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 3)
from nnspec.spec import load
from nnspec.training import resume, train
from nnspec.training.loop.progress import Quiet
from nnspec.training.backends.tensorflow import TensorFlowSteps

placed = set()
part = TensorFlowSteps._of_part
def noting(self, update, group, share):
    loss, gradients = part(self, update, group, share)
    placed.update((share, g.device[-5:]) for g in gradients)
    return loss, gradients
TensorFlowSteps._of_part = noting
spec = load(sys.argv[1])
alone = train(spec, out=sys.argv[2] + "/alone", progress=Quiet())
placed.clear()
shared = train(spec, out=sys.argv[2] + "/shared", progress=Quiet(), strategy="mirrored")
print(json.dumps({"alone": alone.metrics(), "shared": shared.metrics(), "placed": sorted({d for _, d in placed})}))
"""


def test_several_devices_train_as_one_does_each_a_part_of_every_batch(tmp_path):
    (tmp_path / "net.nnspec.yaml").write_text(SPEC)
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", BOTH, str(tmp_path / "net.nnspec.yaml"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["placed"] == ["CPU:0", "CPU:1", "CPU:2"]
    names = ("loss", "digit_sparse_categorical_accuracy", "val_loss")
    for alone, shared in zip(found["alone"], found["shared"], strict=True):
        for name in (name for name in names if name in alone):
            assert shared[name] == pytest.approx(alone[name], rel=2e-4), name
    assert json.loads((tmp_path / "shared" / "run.json").read_text())["machine"]["strategy"] == "mirrored"
    weights = [np.concatenate([a.ravel() for a in _weights(tmp_path / name)]) for name in ("alone", "shared")]
    np.testing.assert_allclose(weights[1], weights[0], atol=1e-4)


def _weights(run: Path) -> list[np.ndarray]:
    from nnspec.training import Run

    return list(Run.open(run).weights().values())


def test_a_strategy_for_several_devices_says_where_there_is_one(tmp_path):
    (tmp_path / "net.nnspec.yaml").write_text(SPEC)
    if len(devices_or_none()) > 1:
        pytest.skip("there are several graphics cards")
    done = CliRunner().invoke(
        main, ["train", str(tmp_path / "net.nnspec.yaml"), "--out", str(tmp_path / "run"), "--strategy", "mirrored"]
    )
    assert done.exit_code == 1
    assert "needs several GPUs, and this machine has" in done.output
    assert not (tmp_path / "run").exists()


def devices_or_none() -> tuple[str, ...]:
    try:
        return devices_for("mirrored")
    except NnspecError:
        return ()


def test_a_strategy_does_not_go_with_going_on(tmp_path):
    done = CliRunner().invoke(main, ["train", "--resume", str(tmp_path), "--strategy", "mirrored"])
    assert done.exit_code == 2
    assert "--strategy cannot be combined with --resume" in done.output


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_a_training_in_less_precision_is_exported_with_parity(tmp_path, precision):
    (tmp_path / "net.nnspec.yaml").write_text(SPEC)
    spec = load(tmp_path / "net.nnspec.yaml", [f"train.precision={precision}", "train.optimizer={Adam: {learning_rate: 0.01}}"])
    run = train(spec, out=tmp_path / "run", progress=Quiet())
    records = run.metrics()
    assert records[-1]["loss"] < 0.6 * records[0]["loss"]
    parity = export_run(run.path, tmp_path / "net.onnx")
    assert parity.agrees
    assert {array.dtype for array in run.weights().values()} == {np.dtype("float32")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"devices": 0}, "devices must be a number from 1, not 0"),
        ({"devices": "2"}, "devices must be a number from 1, not '2'"),
        ({"keep": 0}, "keep must be a number from 1, not 0"),
        ({"keep": "x"}, "keep must be a number from 1, not 'x'"),
        ({"checkpoint_every": -1}, "checkpoint_every must be a number of minutes above 0, not -1"),
        ({"checkpoint_every": float("nan")}, "checkpoint_every must be a number of minutes above 0, not nan"),
        ({"track": "nope"}, "there is no tracker `nope`"),
    ],
    ids=str,
)
def test_wrong_options_are_refused_before_a_run_is_written(tmp_path, options, message):
    with pytest.raises(NnspecError, match=message):
        train("specs/digits.nnspec.yaml", out=tmp_path / "run", progress=Quiet(), **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.environ.get("KERAS_BACKEND") == "jax", reason="JAX has several devices")
def test_several_devices_are_not_ignored_on_tensorflow():
    assert devices_for(None, 1) is None
    with pytest.raises(NnspecError, match="`--devices` is not supported on the Keras backend tensorflow"):
        devices_for(None, 2)


@pytest.mark.parametrize("run", [None, 5, b"run"], ids=str)
def test_what_is_no_run_is_refused(run):
    with pytest.raises(NnspecError, match=f"a run is no `{type(run).__name__}`"):
        export_run(run)
