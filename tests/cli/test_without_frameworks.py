"""``import nnspec``, ``validate`` and ``inspect`` load no framework, and work where none is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import CORPUS

BLOCKED = (
    "tensorflow",
    "keras",
    "onnx",
    "onnxruntime",
    "numpy",
    "tf2onnx",
    "jax",
    "torch",
    "sklearn",
    "matplotlib",
    "rich",
    "safetensors",
)
PROGRAM = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)
sys.meta_path.insert(0, Blocked())
from nnspec.cli import main
sys.exit(main({arguments!r}))
"""


def run(*arguments):
    program = PROGRAM.format(blocked=BLOCKED, arguments=list(arguments))
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("command", ["validate", "inspect"])
def test_a_spec_is_checked_where_no_framework_is_installed(command):
    done = run(command, str(CORPUS / "lenet5.nnspec.yaml"), "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_data_and_train_sections_are_checked_where_no_framework_is_installed():
    done = run("validate", str(CORPUS.parent.parent / "specs" / "digits.nnspec.yaml"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_generate_section_is_checked_where_no_framework_is_installed():
    done = run(
        "validate", *(str(CORPUS.parent.parent / "specs" / f"{name}.nnspec.yaml") for name in ("transformer", "decoder_only"))
    )
    assert (done.returncode, "error" in done.stderr, "2 specs OK" in done.stdout) == (0, False, True), done.stderr


@pytest.mark.parametrize("arguments", [("explain", "{}", "digit.units"), ("diff", "{}", "{}"), ("explain", "--all")])
def test_a_spec_is_explained_and_compared_where_no_framework_is_installed(arguments):
    done = run(*(argument.format(CORPUS.parent.parent / "specs" / "digits.nnspec.yaml") for argument in arguments))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("arguments", [("layers",), ("layers", "MultiHeadAttention")])
def test_layers_are_listed_and_explained_where_no_framework_is_installed(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "MultiHeadAttention" in done.stdout


def test_the_extra_to_install_is_reported_where_one_is_missing():
    done = run("build", str(CORPUS / "lenet5.nnspec.yaml"), "-o", "/nowhere")
    assert done.returncode == 1
    assert "pip install 'nnspec[train,export]'" in done.stderr


def test_importing_the_package_loads_nothing():
    program = (
        "import sys, nnspec; print([m for m in sys.modules if m.partition('.')[0] in "
        + repr((*BLOCKED, "pydantic", "yaml"))
        + "])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_spec_without_expressions_and_cells_imports_neither():
    program = (
        "import atexit, sys; atexit.register(lambda: print([m for m in sys.modules if m.startswith('nnspec.functions')"
        " or m in ('nnspec.layers.compute', 'nnspec.layers.rnn', 'nnspec.layers.normalization')]))\n"
        f"from nnspec.cli import main; main({['validate', str(CORPUS / 'lenet5.nnspec.yaml')]!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
