"""Specs over files of data that the tests write themselves."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.prepare import Prepared, prepare
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import build
from nnspec.spec import read_spec
from nnspec.training.check import check_training
from nnspec.training.plan import TrainingPlan

CODES = {"u1": 0x08, ">i4": 0x0C, ">f4": 0x0D}


def idx_bytes(array: np.ndarray, dtype: str = "u1") -> bytes:
    """An array as an IDX file."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, CODES[dtype], array.ndim, *array.shape) + array.astype(dtype).tobytes()


@pytest.fixture
def write_idx(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, array: np.ndarray, dtype: str = "u1", *, compressed: bool = False) -> Path:
        content = idx_bytes(array, dtype)
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if compressed else content)
        return path

    return write


class Project:
    """A folder with one spec in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plan(self, text: str, *, require_data: bool = True) -> tuple[TrainingPlan | None, list[Diagnostic]]:
        """What the static check makes of a spec, and what it says."""
        file = self.folder / "net.nnspec.yaml"
        file.write_text("nnspec: 1\nname: net\n" + text, encoding="utf-8")
        problems: list[Diagnostic] = []
        spec = read_spec(file, problems)
        assert spec is not None
        model = build(spec, problems)
        return check_training(spec, model, problems, require_data=require_data), problems

    def prepare(self, text: str) -> Prepared:
        """The data of a spec; SpecError with all that is wrong."""
        plan, problems = self.plan(text)
        if plan is None or plan.data is None:
            raise SpecError(problems)
        return prepare(plan.data, plan.section.seed)

    def refuses(self, text: str) -> list[Diagnostic]:
        """The errors of a spec's data."""
        with pytest.raises(SpecError) as caught:
            self.prepare(text)
        return [problem for problem in caught.value.diagnostics if problem.is_error]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
