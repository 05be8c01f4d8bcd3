"""What docs/python.md shows is so."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

import nnspec

PAGE = (Path(__file__).parent.parent / "docs" / "python.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves
def test_the_examples_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(Path(__file__).parent.parent)
    pytest.importorskip("pandas")
    names = {"folder": tmp_path, "images": np.zeros((3, 8, 8, 1), np.float32)}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(code, names)
    shown = capsys.readouterr().out.splitlines()
    assert 0 <= float(shown[1]) <= 1
    assert shown[3:] == ["(38, 3)"]


def test_the_sessions_show_what_they_return():
    [session] = re.findall(r"```pycon\n(.*?)```", PAGE, re.DOTALL)
    test = doctest.DocTestParser().get_doctest(session, {"nnspec": nnspec}, "page", None, 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_every_public_function_stands_on_the_page():
    functions = {name for name in nnspec.__all__ if name.islower() and not name.startswith("_")}
    assert all(callable(getattr(nnspec, name)) for name in functions)
    assert {name for name in functions if not re.search(rf"\b{name}\(", PAGE)} == set()
