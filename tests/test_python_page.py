"""What docs/python.md shows is so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import nnspec

PAGE = (Path(__file__).parent.parent / "docs" / "python.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves
def test_the_example_runs(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(Path(__file__).parent.parent)
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {"folder": tmp_path, "images": np.zeros((3, 8, 8, 1), np.float32)})
    shown = capsys.readouterr().out.splitlines()
    assert 0 <= float(shown[1]) <= 1
    assert len(shown) == 3


def test_every_public_function_stands_on_the_page():
    functions = {name for name in nnspec.__all__ if name.islower() and not name.startswith("_")}
    assert all(callable(getattr(nnspec, name)) for name in functions)
    assert {name for name in functions if not re.search(rf"\b{name}\(", PAGE)} == set()
