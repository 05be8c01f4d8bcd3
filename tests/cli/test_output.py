"""Standard output that is full, or that nobody reads any more, and signals that end a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.resume import damaged_files

ROOT = Path(__file__).parents[2]
SPEC = str(ROOT / "specs" / "digits.nnspec.yaml")
COMMANDS = {
    "validate": ["validate", SPEC],
    "json": ["validate", SPEC, "--format", "json"],
    "inspect": ["inspect", SPEC],
    "schema": ["schema"],
    "help": ["--help"],
}


def nnspec(*arguments: str, **options) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "nnspec", *arguments], cwd=ROOT, stderr=subprocess.PIPE, **options)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_standard_output_is_an_error(command):
    with Path("/dev/full").open("wb") as full:
        child = nnspec(*COMMANDS[command], stdout=full)
        reported = child.communicate()[1].decode()
    assert child.returncode == 1
    assert reported == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="a shell closes no stream there")
@pytest.mark.parametrize("command", [*COMMANDS, "version"])
def test_a_closed_standard_output_is_an_error(command):
    arguments = {**COMMANDS, "version": ["--version"]}[command]
    child = nnspec(*arguments, preexec_fn=lambda: os.close(1))
    reported = child.communicate()[1].decode()
    assert child.returncode == 1
    assert reported == "error: cannot write to standard output: it is closed\n"


@pytest.mark.skipif(os.name == "nt", reason="a shell closes no stream there")
def test_what_prints_nothing_needs_no_standard_output(tmp_path):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n", encoding="utf-8")
    child = nnspec("fmt", "--check", str(file), preexec_fn=lambda: os.close(1))
    assert (child.communicate()[1], child.returncode) == (b"", 0)


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise there")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_is_no_error_to_tell(command):
    reading, writing = os.pipe()
    os.close(reading)
    child = nnspec(*COMMANDS[command], stdout=writing)
    os.close(writing)
    assert child.communicate()[1] == b""
    assert child.returncode == 128 + signal.SIGPIPE


SMALL = """nnspec: 1
name: net
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 10, activation: softmax}
data: {train: {builtin: digits}, validation: 0.2}
train: {epochs: 100000, batch_size: 16, seed: 3, loss: SparseCategoricalCrossentropy}
"""


def _heed_sighup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
@pytest.mark.parametrize("command", ["train", "crossval", "sweep"])
def test_sighup_ends_a_training_as_sigterm_does(tmp_path, command):
    pytest.importorskip("keras")
    spec = tmp_path / "net.nnspec.yaml"
    spec.write_text(SMALL + ("sweep: {trials: 3, over: {train.seed: {int: [1, 9]}}}\n" if command == "sweep" else ""))
    out = tmp_path / "out"
    run = {"train": out, "crossval": out / "fold-1", "sweep": out / "trial-001"}[command]
    # Under `nohup`, a test run ignores the signal, and its children would.
    child = nnspec(command, str(spec), "--out", str(out), stdout=subprocess.DEVNULL, preexec_fn=_heed_sighup)
    while child.poll() is None and not (run / "metrics.jsonl").is_file():
        time.sleep(0.05)
    child.send_signal(signal.SIGHUP)
    reported = child.communicate()[1].decode()
    assert child.returncode == 128 + signal.SIGHUP, reported
    assert damaged_files(run) == []
    assert '"signal": "SIGHUP"' in (run / "run.json").read_text()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
def test_a_sighup_that_is_ignored_stays_so():
    from nnspec.training.loop.interruption import interruptible

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible() as interrupted:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupted()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_interruption_within_another_is_the_same():
    from nnspec.training.loop.interruption import interruptible

    with interruptible() as outer:
        with interruptible() as inner:
            os.kill(os.getpid(), signal.SIGTERM)
            assert inner()
        assert outer()
        assert outer.status == 128 + signal.SIGTERM


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    pytest.importorskip("keras")
    from nnspec.spec import load
    from nnspec.training import train
    from nnspec.training.loop.progress import Quiet

    folder = tmp_path_factory.mktemp("finished")
    spec = folder / "net.nnspec.yaml"
    spec.write_text(SMALL.replace("100000", "1"), encoding="utf-8")
    return train(load(spec), out=folder / "run", progress=Quiet()).path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_a_full_standard_output_is_reported_after_what_the_framework_writes(finished, command):
    part = ["--data", "train"] if command == "evaluate" else []
    with Path("/dev/full").open("wb") as full:
        child = nnspec(command, str(finished), *part, stdout=full, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"})
        reported = child.communicate()[1].decode()
    assert child.returncode == 1
    assert reported.splitlines()[-1] == "error: cannot write to standard output: No space left on device"
    assert "Traceback" not in reported
