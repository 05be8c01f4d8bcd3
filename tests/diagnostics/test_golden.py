"""Every problem's own examples: what fails says exactly this, what passes says nothing of it.

``NNSPEC_GOLDEN=write pytest tests/diagnostics`` writes the renderings anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nnspec.api import validate
from nnspec.diagnostics.render import render
from nnspec.explanations.codes import all_problems

GOLDEN = Path(__file__).parent.parent / "golden"
WITH_EXAMPLE = [problem for problem in all_problems().values() if problem.fails]


def _diagnostics(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list:
    (folder / "net.nnspec.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    return validate("net.nnspec.yaml")


@pytest.mark.parametrize("problem", WITH_EXAMPLE, ids=lambda problem: problem.code)
def test_what_fails_is_rendered_exactly_so(problem, tmp_path, monkeypatch):
    found = _diagnostics(problem.fails, tmp_path, monkeypatch)
    assert problem.code in {diagnostic.code for diagnostic in found}
    rendered = "\n\n".join(render(d, lines=lambda _: problem.fails.splitlines()) for d in found) + "\n"
    golden = GOLDEN / f"{problem.code}.txt"
    if os.environ.get("NNSPEC_GOLDEN") == "write":
        golden.write_text(rendered, encoding="utf-8")
    assert rendered == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("problem", WITH_EXAMPLE, ids=lambda problem: problem.code)
def test_what_passes_has_no_such_problem(problem, tmp_path, monkeypatch):
    found = _diagnostics(problem.passes, tmp_path, monkeypatch)
    assert problem.code not in {diagnostic.code for diagnostic in found}
    assert not any(diagnostic.is_error for diagnostic in found)


def test_every_problem_explains_itself():
    for problem in all_problems().values():
        assert problem.__doc__ and problem.__doc__.strip().endswith("."), problem
        assert problem.code.startswith("NN") and problem.code[2:].isdigit()


def test_no_golden_file_is_left_over():
    assert {file.stem for file in GOLDEN.glob("*.txt")} == {problem.code for problem in WITH_EXAMPLE}
