"""Workers in processes of their own: replaced if they are killed, stopped with the process that started them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from benchmarks import postgresql_server
from benchmarks.sweep_workers import SPEC, survive
from nnspec.diagnostics import NnspecError
from nnspec.sweeping import worker_processes
from nnspec.sweeping.processors import Share
from nnspec.sweeping.worker_processes import run_workers
from nnspec.training.loop.interruption import Interruption

pytest.importorskip("optuna")


def settings(tmp_path, **changes):
    spec = tmp_path / "digits.nnspec.yaml"
    spec.write_text(SPEC.format(epochs=1, trials=2))
    given = {"file": str(spec), "overrides": [], "storage": f"journal:{tmp_path / 'j.log'}", "study": "digits"}
    return {**given, "path": str(tmp_path), "root": None, "limits": {}, **changes}


def run(tmp_path, count=1, interrupted=None, ran=False, said=None, **changes):
    run_workers(
        count,
        settings(tmp_path, **changes),
        tmp_path,
        interrupted=interrupted or Interruption(),
        changed=lambda: None,
        ran_a_trial=lambda pid: ran,
        say=(said if said is not None else []).append,
    )


@pytest.fixture
def stand_in(monkeypatch):
    """Replaces the program of the workers."""

    def replace(code):
        started = []

        def start(share, settings, path):
            started.append(share)
            command = [sys.executable, "-c", "import os, signal, sys, time\n" + code]
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        monkeypatch.setattr(worker_processes, "_start", start)
        return started

    return replace


def test_the_error_of_a_worker_is_reported_before_it_loads_a_framework(tmp_path):
    begun = time.monotonic()
    with pytest.raises(NnspecError, match=r"there is no folder .*missing"):
        run(tmp_path, storage=f"journal:{tmp_path / 'missing/j.log'}")
    assert time.monotonic() - begun < 30
    assert not (tmp_path / "workers.log").read_text()


def test_the_error_of_one_worker_stops_the_others(tmp_path, stand_in, monkeypatch):
    monkeypatch.setenv("MADE", str(tmp_path / "made"))
    stand_in(
        "try: os.mkdir(os.environ['MADE'])\n"
        "except OSError: sys.exit(143 if not sys.stdin.read() else 1)\n"
        'print(\'{"error": "the storage is gone"}\'); sys.exit(3)'
    )
    with pytest.raises(NnspecError, match=r"^the storage is gone$"):
        run(tmp_path, count=3)


def test_a_killed_worker_is_replaced(tmp_path, stand_in, monkeypatch):
    monkeypatch.setenv("MADE", str(tmp_path / "made"))
    said = []
    started = stand_in("try: os.mkdir(os.environ['MADE'])\nexcept OSError: sys.exit(0)\nos.kill(os.getpid(), signal.SIGKILL)")
    run(tmp_path, ran=True, said=said)
    assert len(started) == 2
    assert said == ["a worker ended by SIGKILL; another one starts, and its trial is tried again"]


def test_workers_that_are_killed_before_their_first_trials_are_not_replaced_forever(tmp_path, stand_in):
    started = stand_in("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(NnspecError, match="3 workers in a row ended by SIGKILL before a trial"):
        run(tmp_path, count=2)
    assert len(started) in (4, 5)


def test_a_worker_that_a_signal_asked_to_stop_is_not_replaced(tmp_path, stand_in):
    started = stand_in("sys.exit(128 + signal.SIGTERM)")
    run(tmp_path)
    assert len(started) == 1


def test_an_interruption_stops_all_workers(tmp_path, stand_in):
    stand_in("sys.exit(143 if not sys.stdin.read() else 1)")
    interrupted = Interruption()
    interrupted.signal = signal.SIGINT
    run(tmp_path, count=3, interrupted=interrupted)


def test_the_password_is_not_among_the_arguments_of_a_worker(tmp_path):
    given = settings(tmp_path, storage="postgresql://ada:secret@127.0.0.1:1/d")
    process = worker_processes._start(Share(), given, tmp_path)
    process.kill()
    process.wait()
    worker_processes._end(process)
    assert "secret" not in str(process.args)


@pytest.mark.full
def test_workers_that_are_killed_lose_no_trial_in_a_journal(tmp_path):
    outcome = survive(f"journal:{tmp_path / 'j.log'}", tmp_path, workers=4, seconds=20, kill_every=6, epochs=6)
    assert outcome.kills >= 3
    assert outcome.trials >= 4
    assert outcome.is_good


@pytest.mark.full
def test_workers_that_are_killed_lose_no_trial_in_postgresql_and_write_its_password_nowhere(tmp_path):
    if postgresql_server.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgresql_server.server() as made:
        outcome = survive(made.url, tmp_path, workers=4, seconds=20, kill_every=6, epochs=6, password=made.password)
    assert outcome.kills >= 3
    assert outcome.is_good


@pytest.mark.full
def test_ctrl_c_stops_workers_and_the_same_command_finishes_their_trials(tmp_path):
    spec = tmp_path / "digits.nnspec.yaml"
    spec.write_text(SPEC.format(epochs=40, trials=4))
    journal = tmp_path / "j.log"
    command = [sys.executable, "-P", "-m", "nnspec", "sweep", str(spec), "--storage", f"journal:{journal}", "--workers", "2"]
    command += ["--out", str(tmp_path / "s"), "--set", "sweep.prune=false"]
    begun = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not journal.exists() or journal.read_text().count('"op_code":7') < 5:
        time.sleep(0.1)
        assert begun.poll() is None
    begun.send_signal(signal.SIGINT)
    _, errors = begun.communicate(timeout=120)
    assert begun.returncode == 130
    assert "to continue: the same command" in errors
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "4 of 4 trials" in again.stdout
    assert "attempt 2" in again.stderr


def test_the_process_that_starts_workers_and_writes_their_page_loads_no_framework():
    code = (
        "import sys\nfrom nnspec.sweeping import page, study, worker_processes\n"
        "loaded = {'tensorflow', 'keras', 'jax'} & set(sys.modules)\nassert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", code], check=True)
