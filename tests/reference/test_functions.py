"""The reference of `Compute` and its functions: complete, and what it shows is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.functions.catalogue import FAMILIES, FUNCTIONS, INSTEAD
from nnspec.reference.functions import DIFFERENCES, EXAMPLES, example, function_text

DOCS = Path(__file__).parents[2] / "docs"
_INPUTS = """\
nnspec: 1
name: shown
params: {width: 8}
inputs:
  a: [T, 8]
  h: [T, 8]
  forget: [T, 8]
  candidate: [T, 8]
  query: [T, 8]
  key: [S, 8]
  memory: [S, 8]
  query_vector: [8]
  tokens: {shape: [T], dtype: int32}
layers:
  - LSTM: {units: 8, return_sequences: true, return_state: true}
    from: key
    name: encoder
  - Dense: {units: 8}
    from: query_vector
"""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_summary_an_example_and_a_page(name: str) -> None:
    function = FUNCTIONS[name]
    family = next(family for family, module in FAMILIES.items() if name in module.FUNCTIONS)
    page = DOCS / "functions" / f"{family.replace(' ', '_').replace('-', '_')}.md"
    assert function.summary.endswith(".")
    assert f"{name}(" in example(function).layer.results["output"]
    assert f"\n## {name}\n" in page.read_text("utf-8"), "run `nnspec layers --write docs`"
    assert f"[{name}]({page.name}#{name})" in (DOCS / "functions" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if FUNCTIONS[name].parameters])
def test_each_argument_of_a_function_is_described(name: str) -> None:
    for line in re.findall(r"^\| `\w+` \| .*$", function_text(name), re.MULTILINE):
        assert not line.endswith("|  |"), line


def test_what_is_reported_of_functions_is_of_functions() -> None:
    assert set(DIFFERENCES) | set(EXAMPLES) <= set(FUNCTIONS)
    assert not set(INSTEAD) & set(FUNCTIONS)


def test_the_command_prints_a_function_as_its_page_does() -> None:
    printed = CliRunner().invoke(main, ["layers", "softmax"])
    page = re.sub(r"In ONNX: .*\n\n", "", (DOCS / "functions" / "along_one_axis.md").read_text("utf-8"))
    assert printed.exit_code == 0
    assert printed.stdout.strip() in page


def test_a_word_that_is_also_a_keyword_shows_both() -> None:
    printed = CliRunner().invoke(main, ["layers", "repeat"]).stdout
    assert "A keyword of the language" in printed
    assert "`repeat(x, repeats, axis)`" in printed


@pytest.mark.parametrize(
    ("word", "meant"), {"sofmax": "`softmax`", "Softmx": "`Softmax`", "logsumxp": "`logsumexp`", "clamp": "`clip("}.items()
)
def test_a_misspelt_function_is_an_error_with_what_was_meant(word: str, meant: str) -> None:
    done = CliRunner().invoke(main, ["layers", word])
    assert done.exit_code == 1
    assert meant in done.stderr


def test_the_list_has_every_function() -> None:
    listed = CliRunner().invoke(main, ["layers"]).stdout.partition("Functions of `Compute`")[2]
    assert {line.split()[0] for line in listed.splitlines() if line} >= set(FUNCTIONS)


def _yaml_of_the_page() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (DOCS / "compute.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", _yaml_of_the_page())
def test_the_steps_on_the_page_of_compute_are_valid(checked, text: str) -> None:
    before = "" if text.startswith("- Embedding") else "  - Dense: {units: 8}\n    from: query_vector\n"
    _, problems = checked(_INPUTS.rpartition("  - Dense")[0] + before + "".join(f"  {line}\n" for line in text.splitlines()))
    assert yaml.safe_load(text)
    assert [(problem.code, problem.message) for problem in problems if problem.is_error] == []
