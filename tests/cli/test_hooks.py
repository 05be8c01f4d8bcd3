"""What other tools run by name is there, and does what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from nnspec.cli import main

ROOT = Path(__file__).parents[2]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GOOD = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n"
BAD = GOOD.replace("Dense", "Dens")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_a_command_on_specs(hook, write):
    assert re.search(hook["files"], "a/net.nnspec.yaml")
    assert not re.search(hook["files"], "a/other.yaml")
    program, *arguments = hook["entry"].split()
    assert program == "nnspec"
    assert CliRunner().invoke(main, [*arguments, str(write(GOOD))]).exit_code == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(("text", "status"), [(GOOD, 0), (BAD, 1)])
def test_the_action_validates_each_line_and_runs_none_of_them(tmp_path, text, status):
    program = tmp_path / "nnspec" / "bin" / "nnspec"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nnspec "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    spec = tmp_path / "a $(touch made) b.nnspec.yaml"
    spec.write_text(text, encoding="utf-8")
    step = ACTION["runs"]["steps"][-1]
    assert set(step["env"]) == {"SPECS", "STRICT"}
    environment = os.environ | {"RUNNER_TEMP": str(tmp_path), "SPECS": f"{spec.name}\n\n", "STRICT": "true"}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    assert ("::error file=" in done.stdout) == bool(status)
    assert not (tmp_path / "made").exists()


def test_the_action_never_pastes_an_input_into_a_script():
    assert not any("${{" in step.get("run", "") for step in ACTION["runs"]["steps"])
