"""Shell completion, as `docs/terminal.md` installs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "terminal.md").read_text("utf-8")


def completed(*words: str) -> list[str]:
    """What is completed for the last word, by the protocol of click for bash."""
    environment = {
        "_NNSPEC_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("nnspec", *words)),
        "COMP_CWORD": str(len(words)),
    }
    code = "import sys; sys.argv = ['nnspec']; from nnspec.cli import main; main(prog_name='nnspec')"
    answer = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stderr == ""
    return [line.partition(",")[2] for line in answer.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["in"], ["init", "inspect"]),
        (["train", "--ba"], ["--backend"]),
        (["train", "--backend", ""], ["tensorflow", "jax"]),
        (["init", "auto"], ["autoencoder"]),
        (["init", "--fr"], ["--from"]),
        (["--ver"], ["--version"]),
    ],
)
def test_commands_options_and_values_are_completed(words, expected):
    assert completed(*words) == expected


def test_completing_a_command_imports_no_command():
    code = (
        "import sys; from nnspec.cli import main; from click.shell_completion import BashComplete; "
        "found = BashComplete(main, {}, 'nnspec', '_NNSPEC_COMPLETE').get_completions([], ''); "
        "assert len(found) > 20, found; print([name for name in sys.modules if name.endswith('_command')])"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_after_the_line_of_the_page(tmp_path):
    line = next(line for line in PAGE.splitlines() if "bash_source" in line)
    script = tmp_path / "nnspec"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nnspec "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    commands = f"""
{re.sub(r" *#.*", "", line)}
COMP_WORDS=(nnspec con); COMP_CWORD=1
_nnspec_completion nnspec
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(["bash", "-c", commands], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["convolutionalize"]
