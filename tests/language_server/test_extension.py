import json
import shutil
import subprocess
from pathlib import Path

import pytest

from nnspec.cli import main
from nnspec.spec.discovery import SUFFIXES

FOLDER = Path(__file__).parents[2] / "examples" / "vscode"
PACKAGE = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))


def test_the_extension_opens_the_files_that_are_specs():
    [language] = PACKAGE["contributes"]["languages"]
    assert language["extensions"] == list(SUFFIXES)


def test_the_extension_starts_a_command_that_exists():
    settings = PACKAGE["contributes"]["configuration"]["properties"]
    program, command = settings["nnspec.command"]["default"]
    assert program == "nnspec"
    assert main.get_command(None, command) is not None


def test_every_file_that_the_extension_names_is_there():
    [language], [grammar] = PACKAGE["contributes"]["languages"], PACKAGE["contributes"]["grammars"]
    for name in (PACKAGE["main"], language["configuration"], grammar["path"]):
        assert (FOLDER / name).is_file()
    for name in (language["configuration"], grammar["path"]):
        json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_extension_is_valid_javascript():
    subprocess.run(["node", "--check", str(FOLDER / PACKAGE["main"])], check=True)
