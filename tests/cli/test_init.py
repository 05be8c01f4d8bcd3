from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.formatting import formatted
from nnspec.templates import TEMPLATES


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, ["init", *arguments])


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_good_and_in_canonical_form(run, name):
    assert run(name).exit_code == 0
    file = Path(f"{name}.nnspec.yaml")
    assert [found.code for found in nnspec.validate(file) if "there is no file `data/" not in found.message] == []
    before, after = formatted(file)
    assert before == after


@pytest.mark.parametrize("name", [name for name, text in TEMPLATES.items() if "ready to train" in text])
def test_a_template_that_trains_as_it_is_fits_its_data(run, name):
    run(name)
    assert nnspec.validate(f"{name}.nnspec.yaml", data=True) == []


def test_every_template_file_is_listed(run):
    folder = Path(nnspec.__file__).parent / "templates"
    assert {file.name.removesuffix(".nnspec.yaml") for file in folder.glob("*.yaml")} == set(TEMPLATES)
    assert all(name in run("--list").stdout for name in TEMPLATES)
    assert list(Path().iterdir()) == []


def test_without_a_name_it_is_the_digits(run):
    assert run().exit_code == 0
    assert Path("digits.nnspec.yaml").exists()


def test_a_file_is_replaced_only_by_force(run):
    Path("net.nnspec.yaml").write_text("mine", encoding="utf-8")
    result = run("tagger", "-o", "net.nnspec.yaml")
    assert result.exit_code == 1
    assert "--force" in result.output
    assert Path("net.nnspec.yaml").read_text(encoding="utf-8") == "mine"
    assert run("tagger", "-o", "net.nnspec.yaml", "--force").exit_code == 0
    assert "name: tagger" in Path("net.nnspec.yaml").read_text(encoding="utf-8")


def test_a_misspelt_template_gets_a_suggestion(run):
    result = run("digit")
    assert result.exit_code == 1
    assert "did you mean `digits`?" in result.output


def test_a_folder_that_is_not_there_is_reported(run):
    result = run("-o", "no/such/net.nnspec.yaml")
    assert result.exit_code == 1
    assert "cannot write no/such/net.nnspec.yaml" in result.output


def test_the_schema_that_a_template_names_is_written_beside_it_unless_it_is_there(run):
    run("digits")
    first = Path("digits.nnspec.yaml").read_text(encoding="utf-8").splitlines()[0]
    named = Path(first.partition("$schema=")[2])
    assert first.startswith("# yaml-language-server: ")
    assert json.loads(named.read_text(encoding="utf-8"))["$id"] == nnspec.schema()["$id"]
    named.write_text("mine", encoding="utf-8")
    run("tagger")
    assert named.read_text(encoding="utf-8") == "mine"


# --- from data --------------------------------------------------------------------------------------------------------


@pytest.fixture
def flowers(run):
    """A table in an empty project."""
    Path("pyproject.toml").write_text("", encoding="utf-8")
    rows = "\n".join(f"{i},{i % 7}.5,{'' if i % 9 == 0 else i % 5},{'uvv'[i % 3]}" for i in range(90))
    Path("flowers.csv").write_text(f"id,petal length,sepal width,species\n{rows}\n", encoding="utf-8")


def test_a_spec_for_data_is_valid_and_what_was_seen_is_printed(run, flowers):
    result = run("--from", "flowers.csv")
    assert result.exit_code == 0
    assert re.search(r"^sepal width +number +0 to 4 +10 +standardized, median if missing$", result.output, re.MULTILINE)
    assert "The target is `species`: its name is common for a target." in result.output
    assert result.output.splitlines()[-1] == "wrote flowers.nnspec.yaml; next: nnspec validate flowers.nnspec.yaml --data"
    assert nnspec.validate("flowers.nnspec.yaml", data=True) == []


@pytest.mark.parametrize("columns", [80, 120])
def test_what_was_seen_fits_the_terminal(run, flowers, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run("--from", "flowers.csv").output.splitlines()
    assert max(map(len, shown)) <= columns


def test_paths_are_relative_to_the_file_that_is_written(run, flowers):
    Path("models").mkdir()
    assert run("--from", "flowers.csv", "-o", "models/net.nnspec.yaml", "--target", "petal length").exit_code == 0
    assert '  train: {csv: "../flowers.csv"}' in Path("models/net.nnspec.yaml").read_text(encoding="utf-8")
    assert nnspec.validate("models/net.nnspec.yaml", data=True) == []


def test_what_cannot_be_drafted_writes_no_file(run, flowers):
    result = run("--from", "flowers.csv", "--target", "specis")
    assert (result.exit_code, "did you mean `species`?" in result.output) == (1, True)
    assert not Path("flowers.nnspec.yaml").exists()


@pytest.mark.parametrize("arguments", [("--target", "x"), ("--task", "regression"), ("digits", "--from", "flowers.csv")])
def test_options_for_data_are_wrong_without_them(run, arguments):
    assert run(*arguments).exit_code == 2
