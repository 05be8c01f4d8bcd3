"""A project with one spec over a table that the tests write themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..data.conftest import Project
from ..drawn_curves import curves_drawn_once

__all__ = ["curves_drawn_once"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
