"""The site: its pages are in the navigation, its specs are valid and train, and its commands run."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import yaml

import nnspec
from nnspec.api import validate

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ["index.md", "recipes.md", "tutorial/table.md", "tutorial/images.md", "tutorial/text.md"]
SPECS = {
    name: text
    for page in PAGES
    for name, text in re.findall(r'```yaml title="([^"]+)"\n(.*?)```', (DOCS / page).read_text("utf-8"), re.DOTALL)
}
_MISSING_FILE = ("NN402", "NN850")


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_of_a_page_is_valid(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SPECS[name], "utf-8")
    assert [str(found) for found in validate(tmp_path / name) if found.code not in _MISSING_FILE] == []


def _navigated(part: object) -> set[str]:
    if isinstance(part, str):
        return {part}
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return {page for each in inner for page in _navigated(each)}


def test_every_page_is_in_the_navigation() -> None:
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    by_their_index = {
        page for page in pages if page.startswith(("layers/", "functions/", "decisions/")) and "README" not in page
    }
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert _navigated(config["nav"]) == pages - by_their_index


@pytest.mark.full
def test_the_site_is_built_without_warnings(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert (tmp_path / "reference" / "language.html").is_file()


def _write_data(folder: Path) -> None:
    """Small data sets in the form that the recipes read."""
    from PIL import Image

    random = np.random.default_rng(0)
    data = folder / "data"
    data.mkdir()
    words = ["a", "dog", "on", "the", "beach", "red", "car"]
    captions, reviews = [], []
    for index in range(40):
        Image.fromarray(random.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(data / f"{index}.png")
        captions.append({"image": f"{index}.png", "caption": " ".join(random.choice(words, 5))})
        reviews.append({"text": " ".join(random.choice(words, 6)), "stars": index % 2})
    for name, rows in (("captions", captions), ("reviews", reviews)):
        (data / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with (data / "shops.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["day", "shop", "sold"])
        for shop in ("north", "south"):
            writer.writerows([day, shop, int(random.integers(1, 9))] for day in range(120))


_TEACHER = """\
nnspec: 1
name: teacher
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 64, activation: relu}
  - Dense: {units: 10}
    name: logits
data:
  train: {builtin: digits}
  targets: {logits: target}
train: {epochs: 1, loss: {SparseCategoricalCrossentropy: {from_logits: true}}}
"""


def _first_run(name: str) -> tuple[str, str] | None:
    """The run that a recipe starts from, and its spec; None if it starts from none."""
    if name == "transfer.nnspec.yaml":
        without_weights = re.sub(r"    weights: .*\n", "", SPECS[name])
        return "first", re.sub(r"  phases:\n(    .*\n)+", "  epochs: 1\n", without_weights)
    return ("teacher", _TEACHER) if name == "distillation.nnspec.yaml" else None


def _write_state_dict(file: Path) -> None:
    """The weights of the network in the recipe, with the names of another one in PyTorch."""
    from safetensors.numpy import save_file

    arrays = {"fc.weight": (5, 16), "fc.bias": (5,)}
    for number, channels in enumerate((1, 16, 16)):
        arrays[f"features.{number}.conv.weight"] = (16, channels, 3, 3)
        arrays |= {f"features.{number}.bn.{name}": (16,) for name in ("weight", "bias", "running_mean", "running_var")}
    random = np.random.default_rng(0)
    save_file({name: random.uniform(0.1, 0.5, shape).astype(np.float32) for name, shape in arrays.items()}, file)


@pytest.mark.full
@pytest.mark.parametrize("name", re.findall(r'```yaml title="([^"]+)"', (DOCS / "recipes.md").read_text("utf-8")))
def test_a_recipe_trains_and_is_exported(tmp_path: Path, name: str) -> None:
    _write_data(tmp_path)
    if name == "pretrained.nnspec.yaml":
        _write_state_dict(tmp_path / "net.safetensors")
    if found := _first_run(name):
        run, text = found
        (tmp_path / "first.nnspec.yaml").write_text(text, "utf-8")
        nnspec.train(nnspec.load(tmp_path / "first.nnspec.yaml", ["train.epochs=1"]), out=tmp_path / "runs" / run)
    spec = tmp_path / name
    spec.write_text(SPECS[name], "utf-8")
    assert [str(found) for found in validate(spec, data=True)] == []
    overrides = [] if "phases:" in SPECS[name] else ["train.epochs=1"]
    trained = nnspec.train(nnspec.load(spec, overrides), out=tmp_path / "runs" / "run")
    nnspec.export(trained.path, tmp_path / "model.onnx")


class _Shell:
    """Runs the commands of a page in a folder, in which `nnspec` and `python` are those of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir()
        for name, arguments in (("nnspec", "-m nnspec"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n', "utf-8")
            (programs / name).chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        path = os.pathsep.join([str(programs), os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
        self.server: subprocess.Popen[bytes] | None = None

    def run(self, commands: str) -> str:
        if commands.startswith("nnspec serve"):
            self._serve(commands)
            return ""
        text = commands.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        done = subprocess.run(
            ["sh", "-eu", "-c", text], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _serve(self, command: str) -> None:
        words = [str(self.folder / "bin" / "nnspec"), *command.split()[1:], "--port", str(self.port)]
        self.server = subprocess.Popen(
            words, cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v2/health/ready", timeout=5).close()
            except OSError:
                assert self.server.poll() is None, "the server ended"
                time.sleep(0.2)
            else:
                return
        raise AssertionError("the server is not ready")

    def close(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait(30)


@pytest.mark.full
@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("tutorial/")])
def test_every_command_of_a_tutorial_runs(tmp_path: Path, page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    specs = dict(re.findall(r'```yaml title="([^"]+)"\n(.*?)```', text, re.DOTALL))
    assert specs
    shell = _Shell(tmp_path)
    try:
        for commands in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            fetched = re.match(r"python -m examples\.fetch (\w+)", commands)
            if fetched:  # the data are fetched into the checkout
                shell.run(fetched[0])
                shutil.copytree(ROOT / "data" / fetched[1], tmp_path / "data" / fetched[1])
                commands = commands[fetched.end() :]
            answer = shell.run(commands.strip())
            if commands.startswith("curl"):
                assert "predictions" in json.loads(answer), answer
            if commands.strip().startswith("nnspec init --from"):
                assert {name: (tmp_path / name).read_text("utf-8") for name in specs} == specs
    finally:
        shell.close()
