"""What tests of all parts share."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings

from nnspec.diagnostics import Diagnostic
from nnspec.graph import Model, build
from nnspec.spec import read_spec

CORPUS = Path(__file__).parent / "corpus"
FULL = bool(os.environ.get("NNSPEC_FULL"))
"""Whether long proofs are run."""

os.environ.pop("FORCE_COLOR", None)  # tests read the text

settings.register_profile("untimed", deadline=None)  # a busy processor is no fault of an example
settings.load_profile("untimed")

# A search for garbage visits each object. Modules, collected tests, and the graphs that TensorFlow never frees stay until the end:
# without an exemption, searches among them take a tenth of the time.
gc.disable()


def pytest_collection_finish() -> None:
    """Exempts what was collected from the searches for garbage."""
    exempt_the_living()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Exempts what has outlived the fixtures of a test file from the searches for garbage."""
    result = yield
    if nextitem is not None and nextitem.path != item.path:
        exempt_the_living()
    return result


def exempt_the_living() -> None:
    """Exempts every object that is not garbage from the searches for garbage."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what is marked ``full``, but for NNSPEC_FULL=1."""
    for item in items:
        if not FULL and item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="a long proof: NNSPEC_FULL=1 runs it"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a spec into an empty project and gives its path."""

    def write_spec(text: str, name: str = "net.nnspec.yaml") -> Path:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write_spec


@pytest.fixture
def checked(write: Callable[[str], Path]) -> Callable[..., tuple[Model | None, list[Diagnostic]]]:
    """Reads a spec's text and builds its graph: the model, and everything that was reported."""

    def check_text(text: str, *overrides: str) -> tuple[Model | None, list[Diagnostic]]:
        problems: list[Diagnostic] = []
        spec = read_spec(write(text), problems, overrides)
        model = build(spec, problems) if spec else None
        return model, problems

    return check_text
