from __future__ import annotations

import json
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
