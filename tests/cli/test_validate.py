from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.cli import main

GOOD = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n"
WARNS = GOOD + "  - Dropout: {rate: 0.5}\n"


@pytest.fixture
def validate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, ["validate", *map(str, arguments)])


def place(*files: str, text: str = GOOD) -> None:
    for file in files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(text, encoding="utf-8")


def test_a_folder_stands_for_the_specs_below_it(validate):
    place("m/b.nnspec.yaml", "m/a.nnspec.yml", "m/deep/c.nnspec.yaml")
    place("m/.git/d.nnspec.yaml", "m/other.yaml", text="no spec")
    result = validate("m")
    assert (result.exit_code, result.stdout) == (0, "3 specs OK\n")


def test_the_specs_of_a_folder_come_in_the_order_of_their_names(validate):
    place("m/b.nnspec.yaml", "m/a/z.nnspec.yaml", "m/c.nnspec.yaml", text=WARNS)
    found = json.loads(validate("m", "--format", "json").stdout)["diagnostics"]
    assert [Path(d["file"]).as_posix() for d in found] == ["m/a/z.nnspec.yaml", "m/b.nnspec.yaml", "m/c.nnspec.yaml"]


def test_a_spec_named_twice_is_checked_once(validate):
    place("m/a.nnspec.yaml")
    assert validate("m", "m/a.nnspec.yaml").stdout == "1 spec OK\n"


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "junit"])
def test_a_folder_without_a_spec_is_an_error(validate, form):
    place("m/readme.md")
    result = validate("m", "--format", form)
    assert result.exit_code == 1
    assert "no spec found in this folder" in result.output


def test_a_link_that_leads_up_ends(validate, tmp_path):
    place("m/a.nnspec.yaml")
    Path("m/up").symlink_to(tmp_path, target_is_directory=True)
    assert validate("m").stdout == "1 spec OK\n"


def test_strict_makes_warnings_fail(validate):
    place("net.nnspec.yaml", text=WARNS)
    assert validate("net.nnspec.yaml").exit_code == 0
    result = validate("net.nnspec.yaml", "--strict")
    assert result.exit_code == 1
    assert "1 warning in 1 of 1 spec" in result.stderr


def test_strict_passes_what_has_no_warning(validate):
    place("net.nnspec.yaml", text=WARNS.replace("0.5}", "0.5} # nnspec: ignore[NN242]"))
    assert validate("net.nnspec.yaml", "--strict").exit_code == 0


@pytest.mark.parametrize("form", ["github", "sarif", "junit"])
def test_a_form_for_machines_goes_to_standard_output_alone(validate, form):
    place("net.nnspec.yaml", text=GOOD.replace("Dense", "Dens"))
    result = validate("net.nnspec.yaml", "--format", form)
    assert result.exit_code == 1
    assert "NN204" in result.stdout
    assert result.stderr == ""
