"""``nnspec doctor`` says what is installed, and what of that does not work."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from nnspec import doctor
from nnspec.cli import main
from nnspec.extras import MODULES


def only(monkeypatch, **trials):
    monkeypatch.setattr(doctor, "_TRIALS", trials)


def test_every_extra_is_tried():
    assert set(MODULES) == set(doctor._TRIALS) - {"check"}


def test_what_is_always_there_works():
    [found] = [doctor._finding("check")]
    assert found.state == "works"
    assert {"pydantic", "PyYAML", "click"} <= set(found.versions)


@pytest.mark.parametrize(
    ("code", "reported"),
    [
        ("raise ValueError('no such device')", "ValueError: no such device"),
        ("import os; os.kill(os.getpid(), 4)", "SIGILL; the processor may lack instructions"),
    ],
)
def test_what_breaks_is_reported_with_its_reason_and_fails_the_command(monkeypatch, code, reported):
    only(monkeypatch, parquet=("Parquet is read", code))
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert reported in " ".join(result.output.split())
    assert "pip install --force-reinstall 'nnspec[parquet]'" in result.output


def test_what_is_not_installed_is_reported_with_how_to_install_it_and_fails_nothing(monkeypatch):
    only(monkeypatch, jax=("Keras on JAX computes", ""))
    monkeypatch.setattr(doctor, "installed", lambda module: module != "jax")
    result = CliRunner().invoke(main, ["doctor", "--format", "json"])
    assert result.exit_code == 0
    [part] = json.loads(result.stdout)["parts"]
    assert (part["state"], part["help"]) == ("absent", "pip install 'nnspec[jax]'")


def test_what_gives_no_answer_is_given_up(monkeypatch):
    only(monkeypatch, parquet=("Parquet is read", "import time; time.sleep(60)"))
    monkeypatch.setattr(doctor, "_SECONDS", 1)
    result = CliRunner().invoke(main, ["doctor"])
    assert "did not finish within 1 seconds" in result.output
