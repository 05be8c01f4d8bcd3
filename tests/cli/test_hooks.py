"""What other tools run by name is there, and does what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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


class Runner:
    """Runs the steps of the action one after the other, as a runner does: bash's options, expressions, outputs, the cache."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.temp, self.work = folder, folder / "runner", folder / "work"
        self.temp.mkdir()
        self._known: dict[str, str] = {}
        self._cache: dict[str, Path] = {}

    def run(self, **given: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        """Run all steps; returns the last one's process, and the names of the steps that ran."""
        inputs = {name: facts["default"] for name, facts in ACTION["inputs"].items()} | given
        self._known = {f"inputs.{name}": value for name, value in inputs.items()}
        self._known |= {"github.action_path": str(ROOT), "runner.temp": str(self.temp), "runner.os": "Linux"}
        self._known |= {"runner.arch": "X64", "steps.python.outputs.python-version": "3.12.1"}
        done, ran = None, []
        kept: list[tuple[str, Path]] = []
        for step in ACTION["runs"]["steps"]:
            if not self._holds(step.get("if", "")):
                continue
            if step.get("uses", "").startswith("actions/cache@"):
                key, place = self._filled(step["with"]["key"]), Path(self._filled(step["with"]["path"]))
                assert "${{" not in f"{key}{place}"
                if key in self._cache:
                    self._cache[key].rename(place)
                self._known[f"steps.{step['id']}.outputs.cache-hit"] = "true" if key in self._cache else ""
                kept.append((key, place))
            if "run" in step:
                done = self._shell(step)
                ran.append(step["name"])
                if done.returncode:
                    break
        assert done is not None
        for key, place in kept:
            self._cache[key] = place.rename(self.folder / "cached")
        return done, ran

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda m: self._known[m[1]], text)

    def _holds(self, condition: str) -> bool:
        if not condition:
            return True
        compared = re.fullmatch(r"(\S+) != 'true'", condition)
        assert compared is not None
        return self._known[compared[1]] != "true"

    def _shell(self, step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        assert step["shell"] == "bash"
        script, output = self.temp / "step.sh", self.temp / "output"
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_WORKSPACE": str(self.work),
            "GITHUB_OUTPUT": str(output),
            "CI": "true",
            **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))},
            **{key: self._filled(value) for key, value in step.get("env", {}).items()},
        }
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        done = subprocess.run(command, cwd=self.work, env=environment, check=False, capture_output=True, text=True, timeout=600)
        for line in output.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            self._known[f"steps.{step['id']}.outputs.{name}"] = value
        return done


@pytest.mark.full
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_steps_of_the_action_install_once_and_check_a_repository(tmp_path):
    place = tmp_path / "work" / "specs"
    place.mkdir(parents=True)
    (place / "good.nnspec.yaml").write_text(GOOD, encoding="utf-8")
    (place / "bad.nnspec.yaml").write_text(BAD, encoding="utf-8")
    runner = Runner(tmp_path)
    for steps in (["Digest of this version", "Install nnspec", "Validate"], ["Digest of this version", "Validate"]):
        done, ran = runner.run()
        assert ran == steps
        assert done.returncode == 1, done.stderr
        [line] = done.stdout.splitlines()
        assert line.startswith("::error file=specs/bad.nnspec.yaml,line=5,col=5,endLine=5,endColumn=9,title=nnspec NN204::")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_key_of_the_cache_changes_with_the_code_of_the_action(tmp_path):
    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "digest")
    (tmp_path / "nnspec").mkdir()
    digests = set()
    for code in ("a = 1\n", "a = 2\n", "a = 1\n"):
        (tmp_path / "nnspec" / "a b.py").write_text(code, encoding="utf-8")
        (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
        output = tmp_path / "output"
        output.write_text("", encoding="utf-8")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {"PATH": path, "ACTION_PATH": str(tmp_path), "GITHUB_OUTPUT": str(output)}
        command = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60)
        written = output.read_text(encoding="utf-8")
        assert re.fullmatch(r"digest=[0-9a-f]{64}\n", written)
        digests.add(written)
    assert len(digests) == 2


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
