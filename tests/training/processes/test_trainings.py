"""Trainings by several processes and devices, which are those of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.processes import BOUNDS, difference, document, losses, records, rescale, trained

pytest.importorskip("jax")
ROOT = Path(__file__).parents[3]


def test_losses_and_gradients_of_shared_batches_are_those_of_one_device():
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": path}
    command = [sys.executable, "-m", "tests.training.processes.shared_gradients"]
    found = json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(found) == 9
    for name, (one, four) in found.items():
        assert np.abs(one[1]).max() > 1e-3, name
        np.testing.assert_allclose(four[0], one[0], rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(four[1], one[1], rtol=1e-4, atol=1e-6, err_msg=name)


def test_two_processes_train_what_one_trains_and_one_goes_on_with_it(tmp_path):
    spec = tmp_path / "net.nnspec.yaml"
    spec.write_text(document("contrastive", 2, tmp_path), encoding="utf-8")
    alone = trained(spec, tmp_path / "alone", 1)
    spec.write_text(document("contrastive", 1, tmp_path), encoding="utf-8")
    both = trained(spec, tmp_path / "both", 2)
    assert difference(alone[:1], both) < 1e-5
    assert json.loads((tmp_path / "both/run.json").read_text())["machine"]["processes"] == 2
    command = [sys.executable, "-m", "nnspec", "train", "--resume", str(tmp_path / "both"), "--set", "train.epochs=2"]
    resumed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "devices that share each batch: 2 then, 1 now: the result is the same within rounding" in resumed.stderr
    assert difference(alone, records(tmp_path / "both")) < 1e-5


@pytest.mark.full
@pytest.mark.parametrize("net", [net for net in BOUNDS if net != "lenet"])
def test_two_and_four_processes_train_what_one_trains(net):
    assert losses([net], 3, [2, 4])


@pytest.mark.full
def test_a_training_goes_on_after_kills_with_any_number_of_processes():
    assert rescale("lstm", 6, 12, seed=3)
