"""What `nnspec train` refuses before processes are started or frameworks are loaded, and that it says so once."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.cli.frameworks import suppressed
from nnspec.diagnostics import NnspecError
from nnspec.training.processes import group
from nnspec.training.processes.environment import Place
from nnspec.training.run.folder import Run

SECOND = {"JAX_COORDINATOR_ADDRESS": "127.0.0.1:1", "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "1"}


def train(*arguments, **environment):
    return CliRunner().invoke(main, ["train", *map(str, arguments)], env={"KERAS_BACKEND": None, **environment})


@pytest.mark.parametrize("option", ["--processes", "--devices"])
def test_a_run_of_tensorflow_is_not_resumed_by_several(option, monkeypatch):
    run = SimpleNamespace(info={"machine": {"backend": "tensorflow"}})
    monkeypatch.setattr(Run, "open", classmethod(lambda cls, path: run))
    result = train("--resume", "run", option, 2)
    assert result.exit_code == 1
    assert "was trained on tensorflow" in result.output
    assert "--backend" not in result.output  # it cannot be combined with --resume


def test_several_processes_are_not_started_for_a_strategy_of_tensorflow():
    result = train("specs/digits.nnspec.yaml", "--processes", 2, "--strategy", "mirrored")
    assert result.exit_code == 2
    assert "use one of them" in result.output


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [(("--resume", "nowhere"), 1, "there is no run at nowhere"), ((), 2, "missing SPEC")],
)
def test_one_of_several_processes_reports_an_error_once(arguments, status, message):
    result = train(*arguments, **SECOND)
    assert result.exit_code == status
    assert result.output.count(message) == 1


def test_a_launcher_that_does_not_say_where_the_first_process_is_is_reported(monkeypatch):
    jax = pytest.importorskip("jax")

    def fail(**arguments):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", fail)
    before = jax.config.values.get("jax_cpu_collectives_implementation")
    try:
        with pytest.raises(NnspecError, match=r"does not say where process 0 is\n.*JAX_COORDINATOR_ADDRESS"):
            group.join(Place(2, 0, None))
    finally:
        jax.config.update("jax_cpu_collectives_implementation", before)


@pytest.mark.parametrize("descriptor", [1, 2])
def test_what_libraries_write_as_they_load_is_discarded(descriptor, capfd, monkeypatch):
    monkeypatch.delenv("NNSPEC_TRACEBACK", raising=False)
    with suppressed(descriptor):
        os.write(descriptor, b"[Gloo] Rank 0 is connected")
    os.write(descriptor, b"after")
    assert "".join(capfd.readouterr()) == "after"


def test_a_closed_output_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with suppressed(2):
        pass
