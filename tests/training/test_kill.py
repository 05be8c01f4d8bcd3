"""Trainings in processes of their own that get signals; each goes on to the weights of one that was let alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("keras")

from benchmarks.resume import damaged_files, spec_of, survive

full = [pytest.mark.full, pytest.mark.skipif(not os.environ.get("NNSPEC_FULL"), reason="NNSPEC_FULL=1 runs it")]


@pytest.mark.parametrize(
    ("net", "kills", "epochs"),
    [
        ("convolution", 2, 12),
        pytest.param("convolution", 30, 200, marks=full),
        pytest.param("lstm", 30, 200, marks=full),
        pytest.param("pair", 30, 200, marks=full),
    ],
)
def test_a_training_that_was_killed_comes_to_the_same_bits_and_leaves_no_damaged_file(tmp_path, net, kills, epochs):
    outcome = survive(spec_of(net, epochs), tmp_path, kills, most_seconds=0.3 if kills < 5 else 2.0)
    assert (outcome.kills, outcome.damaged, outcome.differences) == (kills, [], [])


@pytest.mark.parametrize("net", ["convolution", "lstm"])
def test_a_training_on_jax_that_was_killed_comes_to_the_same_bits(tmp_path, net):
    pytest.importorskip("jax")
    outcome = survive(spec_of(net, 40), tmp_path, 1, most_seconds=0.5, backend="jax")
    assert (outcome.kills, outcome.damaged, outcome.differences) == (1, [], [])


def test_sigterm_saves_and_ends_with_the_status_of_the_signal(tmp_path):
    spec = tmp_path / "net.nnspec.yaml"
    spec.write_text(spec_of("convolution", 1000))
    run = tmp_path / "run"
    child = subprocess.Popen(
        [sys.executable, "-m", "nnspec", "train", str(spec), "--out", str(run)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    while child.poll() is None and not (run / "metrics.jsonl").is_file():
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    reported = child.communicate()[1]
    assert child.returncode == 128 + signal.SIGTERM
    assert reported.splitlines()[-1] == f"resume with: nnspec train --resume {run}"
    info = json.loads((run / "run.json").read_text())
    assert (info["status"], info["signal"]) == ("interrupted", "SIGTERM")
    assert damaged_files(run) == []
