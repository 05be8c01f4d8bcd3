"""What other tools run by name is there, and does what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
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


@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="check-jsonschema is not installed")
def test_the_action_fits_the_schema_of_actions():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def _run_the_action(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Its shell steps one after the other, as a runner runs them: bash's options, the inputs put in, its environment."""
    inputs = {name: facts["default"] for name, facts in ACTION["inputs"].items()} | given
    known = {f"inputs.{name}": value for name, value in inputs.items()} | {"github.action_path": str(ROOT)}
    runner = folder / "runner"
    runner.mkdir()
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "RUNNER_TEMP": str(runner),
        "GITHUB_WORKSPACE": str(folder / "work"),
        "CI": "true",
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))},
    }
    done = None
    for step in ACTION["runs"]["steps"]:
        if "run" not in step:
            continue
        assert step["shell"] == "bash"
        own = {key: re.sub(r"\$\{\{ (\S+) \}\}", lambda m: known[m[1]], value) for key, value in step["env"].items()}
        script = runner / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        done = subprocess.run(
            command, cwd=folder / "work", env=environment | own, check=False, capture_output=True, text=True, timeout=600
        )
        if done.returncode:
            break
    assert done is not None
    return done


@pytest.mark.full
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_steps_of_the_action_install_and_check_a_repository(tmp_path):
    place = tmp_path / "work" / "specs"
    place.mkdir(parents=True)
    (place / "good.nnspec.yaml").write_text(GOOD, encoding="utf-8")
    (place / "bad.nnspec.yaml").write_text(BAD, encoding="utf-8")
    done = _run_the_action(tmp_path)
    assert done.returncode == 1, done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith("::error file=specs/bad.nnspec.yaml,line=5,col=5,endLine=5,endColumn=9,title=nnspec NN204::")


@pytest.mark.full
@pytest.mark.skipif(find_spec("pre_commit") is None, reason="pre-commit is not installed")
def test_pre_commit_runs_the_hooks_from_a_clone(tmp_path, monkeypatch):
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    work, clone = tmp_path / "work", tmp_path / "clone"

    def run(*command: object, status: int = 0) -> str:
        done = subprocess.run([*map(str, command)], cwd=work, check=False, capture_output=True, text=True, timeout=600)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def hook(name: str, status: int) -> str:
        return run(sys.executable, "-m", "pre_commit", "try-repo", clone, name, "--all-files", status=status)

    work.mkdir()
    run("git", "clone", "-q", ROOT, clone)
    run("git", "init", "-q")
    (work / "good.nnspec.yaml").write_text(GOOD, encoding="utf-8")
    (work / "other.yaml").write_text("a: 1\n", encoding="utf-8")
    run("git", "add", ".")
    assert "Passed" in hook("nnspec-validate", 0)
    assert "Passed" in hook("nnspec-fmt", 0)
    (work / "bad.nnspec.yaml").write_text(BAD.replace("{x: [4]}", "{x:   [4]}"), encoding="utf-8")
    run("git", "add", ".")
    assert "did you mean `Dense`?" in hook("nnspec-validate", 1)
    assert "formatted bad.nnspec.yaml" in hook("nnspec-fmt", 1)
    assert (work / "bad.nnspec.yaml").read_text(encoding="utf-8") == BAD
