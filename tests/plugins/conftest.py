"""Packages that bring layers and objectives: the example's, installed by pip, and small ones written here, most of them broken."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnspec.layers import LAYERS
from nnspec.training.objectives import OBJECTIVES

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip has installed the example into, without a network."""
    folder = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(EXAMPLE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    done = subprocess.run(
        [*command, "--no-build-isolation", "--target", str(folder / "site"), str(source)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "site"


def forget() -> None:
    """Packages have come or gone."""
    for family in (LAYERS, OBJECTIVES):
        assert family.plugins is not None
        family.plugins.forget()


@contextmanager
def on_the_path(folder: Path) -> Iterator[None]:
    """What is installed in a folder is found, and nothing of it afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    forget()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        forget()
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


@pytest.fixture
def example(site: Path) -> Iterator[Path]:
    """The example is installed."""
    with on_the_path(site):
        yield EXAMPLE / "digits.nnspec.yaml"


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Installs a package of one module, by hand: its name, its layers or objectives, its code."""
    folder = tmp_path / "site"
    folder.mkdir()

    def install(name: str, members: list[str], code: str, group: str = "nnspec.layers") -> None:
        module = name.replace("-", "_")
        (folder / f"{module}.py").write_text(code, encoding="utf-8")
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        entries = "".join(f"{member} = {module}:{member}\n" for member in members)
        (info / "entry_points.txt").write_text(f"[{group}]\n{entries}", encoding="utf-8")
        importlib.invalidate_caches()
        forget()

    with on_the_path(folder):
        yield install
