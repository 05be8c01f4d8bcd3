"""Exported models are run and served without a training framework, the compiler or the ONNX emitter."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.imports import ROOT, package_imports

FORBIDDEN = (
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "onnx",
    "tf2onnx",
    "nnspec.exporting",
    "nnspec.graph",
    "nnspec.keras_backend",
    "nnspec.onnx_backend",
    "nnspec.training",
)
PROGRAM = """
import sys
from importlib import import_module
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if any(name == each or name.startswith(each + ".") for each in {forbidden!r}):
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)
sys.meta_path.insert(0, Blocked())
for name in {modules!r}:
    import_module(name)
"""


def is_forbidden(target: str) -> bool:
    return any(target == each or target.startswith(f"{each}.") for each in FORBIDDEN)


@pytest.mark.parametrize("package", ["runtime", "serving"])
def test_every_module_is_imported_where_frameworks_and_compiler_are_missing(package):
    paths = sorted((ROOT / package).rglob("*.py"))
    modules = [".".join(["nnspec", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__") for path in paths]
    program = PROGRAM.format(forbidden=FORBIDDEN, modules=modules)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("package", ["runtime", "serving"])
def test_no_import_of_a_framework_or_the_compiler_is_inside_a_function_either(package):
    wrong = [each for each in package_imports() if each.source_part == package and is_forbidden(each.target)]
    assert not wrong, "\n".join(map(str, wrong))


def test_the_runtime_imports_no_spec_reader_of_its_own():
    wrong = [each for each in package_imports() if each.source_part == "runtime" and each.target_part == "spec"]
    assert not wrong, "\n".join(map(str, wrong))
