"""Whatever text a spec or its data holds, no command writes what a terminal, a log, Markdown or XML would obey."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.cli import main

RAW = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)
HOSTILE = (
    "\x1b[31m",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x00",
    "\r",
    "\u202e",
    "\u2066",
    "\u2028",
    "\n::error::pwned\n",
    "\n##[error]pwned",
    "<img src=x onerror=alert(1)>",
    "]]>",
    "`",
    "|",
    "%0A",
    "\udcff",
    "\U000e0041",
    "\ufeff",
    "{x!r}",
    "${1 + 1}",
    "[red]",
)
texts = st.lists(st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=4), min_size=1, max_size=4).map("".join)
FORMATS = {
    "validate": ("text", "json", "github", "sarif", "junit"),
    "inspect": ("text", "json", "mermaid", "svg", "html"),
    "diff": ("text", "json"),
    "explain": ("text", "json"),
}


def spec(description: str, name: str, column: str, value: object) -> str:
    """A spec as JSON, which YAML reads: any character may stand in it."""
    document = {
        "nnspec": 1,
        "name": "net",
        "description": description,
        "params": {"width": value},
        "inputs": {"x": [4]},
        "layers": [{"Dense": {"units": "$width"}, "name": name}, {"Dense": {"units": 2, "activation": value}}],
        "data": {"train": {"csv": column}, "inputs": {"x": {"columns": [column]}}, "targets": {name: {"column": column}}},
        column: value,
    }
    return json.dumps(document)


def check(output: str, what: str) -> None:
    assert "internal error" not in output, (what, output)
    assert "Traceback" not in output, (what, output)
    assert not (found := RAW.search(output)), (what, found)


def run(what: str, *arguments: str) -> str:
    result = CliRunner().invoke(main, [what, *arguments])
    check(result.output, f"{what} {arguments}")
    if "github" not in arguments:
        assert not COMMAND.search(result.output), (what, arguments, result.output)
    assert result.exit_code in (0, 1, 2), (what, result.output)
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(description=texts, name=texts, column=texts, value=texts | st.integers(1, 5))
def test_no_command_writes_hostile_text_of_a_spec_as_it_is(folder, description, name, column, value):
    file, plain = folder / "net.nnspec.yaml", folder / "plain.nnspec.yaml"
    file.write_text(spec(description, name, column, value), encoding="utf-8")
    plain.write_text(spec("plain", "hidden", "column", 3), encoding="utf-8")
    for form in FORMATS["validate"]:
        output = run("validate", str(file), "--format", form)
        if form == "json":
            json.loads(output)
        elif form == "junit":
            ElementTree.fromstring(output.encode())
        elif form == "github":
            assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in output.splitlines())
    for form in FORMATS["inspect"]:
        run("inspect", str(file), "--format", form)
    for form in FORMATS["diff"]:
        run("diff", str(file), str(plain), "--format", form)
    run("explain", str(file), "params.width")
    run("explain", str(file), name)
    run("fmt", "--check", "--diff", str(file))
    run("validate", str(file), "--data")
    run("validate", str(file), "--set", f"{column}={value}")
    run("build", str(file), "-o", str(folder / "built"))
    run("init", name)
    run("layers", name)
    run(name)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=texts, label=texts, activation=st.sampled_from(["relu", "tanh"]))
def test_no_drawing_of_a_good_spec_has_hostile_text_as_it_is(folder, name, label, activation):
    document = {
        "nnspec": 1,
        "name": "net",
        "description": label,
        "inputs": {"x": [4]},
        "layers": [{"Dense": {"units": 3, "activation": activation}}],
    }
    file = folder / "good.nnspec.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    for form in FORMATS["inspect"]:
        run("inspect", str(file), "--format", form)
    run("explain", str(file), "description")
    run("explain", str(file), "description", "--format", "json")
    assert name is not None


def test_a_workflow_command_in_an_override_is_escaped_in_its_location(folder):
    run("validate", str(folder / "none.nnspec.yaml"), "--set", "a=\n##[error]pwned")


def test_no_training_writes_hostile_columns_and_classes_as_they_are(tmp_path):
    pytest.importorskip("keras")
    bad = "a\x1b[31m\u202e<img src=x onerror=alert(1)>\n::error::pwned\n##[error]x|`]]>"
    columns = [f"{name}{bad}" for name in "pqy"]
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *([i % 7, i % 5, f"{i % 2}{bad}"] for i in range(40))])
    targets = {"y": {"column": columns[2], "transform": ["label_encode"]}}
    document = {
        "nnspec": 1,
        "name": "net",
        "description": bad,
        "inputs": {"x": [2]},
        "layers": [{"Dense": {"units": 2, "activation": "softmax"}, "name": "y"}],
        "data": {"train": {"csv": "a.csv"}, "inputs": {"x": {"columns": columns[:2]}}, "targets": targets},
        "train": {"epochs": 1, "seed": 1, "loss": "SparseCategoricalCrossentropy"},
    }
    spec, root = tmp_path / "net.nnspec.yaml", ("--root", str(tmp_path))
    spec.write_text(json.dumps(document), encoding="utf-8")
    run("crossval", str(spec), "--folds", "2", "--out", str(tmp_path / "folds"), *root)
    run("crossval", str(spec), "--folds", "99", "--out", str(tmp_path / "none"), *root)
    run("train", str(spec), "--out", str(tmp_path / "run"), *root)
    run("package", str(tmp_path / "run"), "--target", "triton", "-o", str(tmp_path / "packed"), "--license", bad)
    run("report", str(tmp_path / "run"), "-o", str(tmp_path / "report.html"))
    card, page = (tmp_path / "packed/net/README.md").read_text("utf-8"), (tmp_path / "report.html").read_text("utf-8")
    for what, text in (("card", card), ("report", page)):
        check(text, what)
    assert "<img src=x" not in page
    assert not re.search(r"(?<!\\)<img", re.sub("`+.*?`+", "", re.sub("``.*?``", "", card)))


@pytest.mark.parametrize("module", sorted(Path("nnspec/cli").glob("*.py")), ids=lambda path: path.stem)
def test_commands_write_through_one_place(module):
    if module.stem != "text":
        assert not re.search(r"click\.(echo|secho)|\bprint\(|sys\.std(out|err)\.write", module.read_text("utf-8"))
