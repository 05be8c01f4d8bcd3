from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.explanations.codes import all_problems, explain_code, shown
from nnspec.explanations.page import diagnostics_page

PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"


def test_the_page_of_all_codes_is_not_stale():
    assert PAGE.read_text(encoding="utf-8") == diagnostics_page(), "run `nnspec explain --all > docs/diagnostics.md`"


def test_every_problem_of_the_package_is_among_them():
    package = Path(nnspec.__file__).parent
    written = {
        code
        for file in package.rglob("*.py")
        for code in re.findall(r'^    code = "(NN\d+)"', file.read_text("utf-8"), re.MULTILINE)
    }
    done = subprocess.run(
        [sys.executable, "-c", "from nnspec.explanations.codes import all_problems; print(*all_problems())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(done.stdout.split()) == written


def test_the_page_begins_with_a_table_of_all_codes():
    rows = re.findall(r"^\| (error|warning|note) \| \[(NN\d+)\]\(#(\S+)\)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {(code, severity) for severity, code, _ in rows} == {(p.code, p.severity) for p in all_problems().values()}
    headings = {h.lower().replace(" ", "-") for h in re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)}
    assert {anchor for _, _, anchor in rows} == headings


def test_a_code_is_explained_with_both_examples_and_what_is_shown():
    text = explain_code("nn242")
    assert text.startswith("NN242 RandomOutput (warning)")
    assert "Dropout or noise on a model output" in text
    assert "    warning[NN242]: the output `dropout` is random during training" in text
    assert text.index("This fails:") < text.index("Output:") < text.index("This passes:")


@pytest.mark.parametrize("problem", [p for p in all_problems().values() if p.fails], ids=lambda problem: problem.code)
def test_what_is_shown_names_no_temporary_folder(problem):
    assert f"[{problem.code}]" in shown(problem)
    assert "--> net.nnspec.yaml:" in shown(problem) or "--> none.nnspec.yaml:" in shown(problem)
    assert "/tmp" not in shown(problem).replace(problem.fails, "")


def test_an_unknown_code_is_an_error_that_says_where_to_look():
    with pytest.raises(NnspecError, match="nnspec explain --all"):
        explain_code("NN999")


def test_the_command_prints_a_code_and_the_page():
    assert CliRunner().invoke(main, ["explain", "NN001"]).stdout == explain_code("NN001") + "\n"
    assert CliRunner().invoke(main, ["explain", "--all"]).stdout == diagnostics_page()
    assert CliRunner().invoke(main, ["explain"]).exit_code == 2
    assert CliRunner().invoke(main, ["explain", "NN999"]).exit_code == 1
    assert "expected a path in net.yaml" in CliRunner().invoke(main, ["explain", "net.yaml"]).stderr
