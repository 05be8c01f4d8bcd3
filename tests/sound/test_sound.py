"""What validates, builds; what conditions admit, runs. ``python -m benchmarks sound`` does this for thousands of specs."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import nnspec
from nnspec.diagnostics import SpecError
from nnspec.graph import Model
from nnspec.spec import Spec
from tests.conftest import FULL

from .built import build_failure
from .drawing import numbered
from .oracle import mismatches

DRAWN, BUILT = (3_000, 150) if FULL else (240, 5)
PARTS = 4


def compiled(number: int, folder: Path, expressions: float = 0) -> tuple[Spec, Model] | None:
    """A drawn spec; None where it is refused."""
    file = folder / "drawn.nnspec.yaml"
    file.write_text(numbered(0, number, expressions), encoding="utf-8")
    try:
        spec = nnspec.load(file)
        return spec, nnspec.compile(spec)
    except SpecError:
        return None


@pytest.mark.parametrize("part", range(PARTS))
def test_the_sizes_that_conditions_admit_are_those_that_compile(part: int, tmp_path: Path) -> None:
    accepted = 0
    for number in range(part, DRAWN, PARTS):
        found = compiled(number, tmp_path)
        if found is not None:
            accepted += 1
            wrong = mismatches(*found, Random(number), most=40)
            assert not wrong, f"{'; '.join(map(str, wrong))}\n{numbered(0, number)}"
    assert accepted > DRAWN / PARTS / 3


def test_the_sizes_that_conditions_of_expressions_admit_are_those_that_compile(tmp_path: Path) -> None:
    accepted = 0
    for number in range(DRAWN // PARTS):
        found = compiled(number, tmp_path, expressions=20)
        if found is not None:
            accepted += 1
            wrong = mismatches(*found, Random(number), most=40)
            assert not wrong, f"{'; '.join(map(str, wrong))}\n{numbered(0, number, 20)}"
    assert accepted > DRAWN / PARTS / 3


@pytest.mark.filterwarnings("ignore:.*softmax over axis -1", "ignore:.*invalid value", "ignore:__array__ implementation")
@pytest.mark.parametrize("number", range(BUILT))
def test_what_validates_builds_and_runs_at_the_sizes_that_fit(number: int, tmp_path: Path) -> None:
    found = compiled(DRAWN + number, tmp_path)
    if found is None:
        return
    wrong = build_failure(*found, tmp_path / "build")
    assert wrong is None, f"{wrong}\n{numbered(0, DRAWN + number)}"


def test_a_number_names_one_spec() -> None:
    assert numbered(3, 5) == numbered(3, 5) != numbered(4, 5)
