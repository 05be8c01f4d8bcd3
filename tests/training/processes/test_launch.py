"""Processes of a training that are started here: small programs stand for them."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from nnspec.diagnostics import NnspecError
from nnspec.training.processes.launch import launch, processors_of


def started(program: str, count: int = 3) -> int:
    return launch(
        [sys.executable, "-c", f"import os, sys, time, signal\nindex = int(os.environ['JAX_PROCESS_ID'])\n{program}"], count
    )


def test_each_process_knows_its_place_and_that_of_the_first_one(tmp_path):
    program = f"open(os.path.join({str(tmp_path)!r}, str(index)), 'w').write(os.environ['JAX_COORDINATOR_ADDRESS'])"
    assert started(program) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0", "1", "2"]
    assert len({file.read_text() for file in tmp_path.iterdir()}) == 1


@pytest.mark.parametrize(
    ("available", "count", "shares"),
    [
        ([0, 1, 2, 3], 2, [[0, 1], [2, 3]]),
        ([0, 2, 4, 5, 7], 2, [[0, 2], [4, 5, 7]]),
        ([0, 1], 2, [[0, 1], [0, 1]]),
        ([0, 1, 2], 2, [[0, 1, 2], [0, 1, 2]]),
        ([3], 1, [[3]]),
        ([0, 1, 2, 3], 1, [[0, 1, 2, 3]]),
    ],
)
def test_processes_share_the_processors_if_each_has_at_least_two(available, count, shares):
    assert [processors_of(index, count, available) for index in range(count)] == shares


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say which processors a process has")
def test_a_process_runs_on_its_share_of_the_processors(tmp_path):
    count = 2
    program = f"open(os.path.join({str(tmp_path)!r}, str(index)), 'w').write(repr(sorted(os.sched_getaffinity(0))))"
    assert started(program, count) == 0
    for index in range(count):
        assert eval((tmp_path / str(index)).read_text()) == processors_of(index, count, sorted(os.sched_getaffinity(0)))


def test_a_process_that_is_killed_is_named_and_the_others_are_ended():
    began = time.monotonic()
    with pytest.raises(NnspecError, match="process 1 of 3 was ended by SIGKILL"):
        started("os.kill(os.getpid(), signal.SIGKILL) if index == 1 else (time.sleep(0.5), sys.exit(75))")
    assert time.monotonic() - began < 10


def test_the_error_of_another_process_is_shown_with_its_number():
    with pytest.raises(NnspecError, match="process 2 of 3 failed:\n  no such file"):
        started("sys.exit('no such file') if index == 2 else (time.sleep(0.3), sys.exit(75))")


def test_the_first_process_speaks_for_itself(capfd):
    assert started("sys.exit('wrong') if index == 0 else (time.sleep(5), sys.exit(75))") == 1
    assert capfd.readouterr().err == "wrong\n"


def test_a_process_that_hangs_after_another_has_failed_is_ended(monkeypatch):
    monkeypatch.setattr("nnspec.training.processes.launch._SECONDS_TO_END", 0.3)
    with pytest.raises(NnspecError, match="process 1 of 2 failed"):
        started("sys.exit(3) if index else time.sleep(60)", 2)


def test_a_process_that_the_others_lost_but_that_has_not_ended_is_named():
    with pytest.raises(NnspecError, match="process 1 of 3 did not answer the others"):
        started("time.sleep(60) if index == 1 else sys.exit(75)")


def test_sigterm_reaches_all_processes():
    program = f"""
def end(number, frame):
    sys.exit(7)
signal.signal(signal.SIGTERM, end)
if index == 0:
    time.sleep(0.3)
    os.kill({os.getpid()}, signal.SIGTERM)
time.sleep(20)"""
    before = signal.getsignal(signal.SIGTERM)
    assert started(program, 2) == 7
    assert signal.getsignal(signal.SIGTERM) == before


def test_many_more_processes_than_processors_are_not_started(tmp_path):
    with pytest.raises(NnspecError, match=r"1,024 processes are too many for \d+ processors"):
        started(f"open(os.path.join({str(tmp_path)!r}, str(index)), 'w')", 1024)
    assert not list(tmp_path.iterdir())
