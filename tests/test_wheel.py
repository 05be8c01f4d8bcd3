"""The wheel, installed where nothing of the source tree is: its data is all there, and the core needs no extra."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nnspec.templates import TEMPLATES

ROOT = Path(__file__).parents[1]
SPEC = "tests/corpus/lenet5.nnspec.yaml"

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources, so that nothing left over from another build comes in."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "nnspec", source / "nnspec", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", target, source], check=True, cwd=target)
    [file] = target.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def nnspec(wheel: Path, tmp_path_factory: pytest.TempPathFactory):
    """Runs the installed command in an empty folder."""
    home = tmp_path_factory.mktemp("home")
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    programs = home / "venv" / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([programs / "python", "-m", "pip", "install", "-q", wheel], check=True, cwd=home)
    work = home / "work"
    work.mkdir()
    shutil.copy(ROOT / SPEC, work / "net.nnspec.yaml")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*arguments: str, program: str = "nnspec") -> str:
        command = [programs / program, *arguments]
        done = subprocess.run(command, check=False, cwd=work, env=environment, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout

    run.folder = work  # type: ignore[attr-defined]
    return run


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {file for file in (ROOT / "nnspec").rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    assert held == {file.relative_to(ROOT).as_posix() for file in files}


def test_no_framework_comes_with_the_core(nnspec):
    listed = {entry["name"].lower() for entry in json.loads(nnspec("-m", "pip", "list", "--format", "json", program="python"))}
    assert {"nnspec", "pydantic", "pyyaml", "click"} <= listed
    assert not listed & {"tensorflow", "keras", "numpy", "onnx", "onnxruntime"}


def test_what_runs_is_what_was_installed(nnspec):
    place = nnspec("-c", "import nnspec; print(nnspec.__file__)", program="python")
    assert "site-packages" in place
    assert str(ROOT / "nnspec") not in place


def test_a_spec_is_validated(nnspec):
    assert "good" in nnspec("validate", "net.nnspec.yaml")
    assert json.loads(nnspec("inspect", "net.nnspec.yaml", "--format", "json"))["networks"]["main"]["macs"]


@pytest.mark.parametrize("form", ["html", "svg"])
def test_a_net_is_drawn(nnspec, form):
    nnspec("inspect", "net.nnspec.yaml", "--format", form, "-o", f"net.{form}")
    text = (nnspec.folder / f"net.{form}").read_text(encoding="utf-8")
    assert "conv2d" in text
    if form == "svg":
        ElementTree.fromstring(text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_written_and_good(nnspec, name):
    nnspec("init", name)
    text = (nnspec.folder / f"{name}.nnspec.yaml").read_text(encoding="utf-8")
    assert text == (ROOT / "nnspec" / "templates" / f"{name}.nnspec.yaml").read_text(encoding="utf-8")


def test_the_schema_is_the_published_one(nnspec):
    assert json.loads(nnspec("schema")) == json.loads((ROOT / "schemas" / "nnspec-v1.schema.json").read_text(encoding="utf-8"))


def test_a_code_is_explained(nnspec):
    assert "NN301" in nnspec("explain", "NN301")
    assert nnspec("explain", "--all") == (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")


def test_it_says_that_it_is_typed(nnspec):
    assert (
        nnspec("-c", "import importlib.resources as r; print((r.files('nnspec') / 'py.typed').is_file())", program="python")
        == "True\n"
    )
