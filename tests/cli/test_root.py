"""``--root`` on every command that reads a spec."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from nnspec.cli import main

SPEC = """nnspec: 1
name: net
use: [../shared.nnspec.yaml]
inputs: {x: [4]}
layers:
  - hidden
"""
SHARED = "nnspec: 1\nname: shared\nblocks:\n  hidden:\n    layers:\n      - Dense: {units: 2}\n"
READING = {
    "validate": ["validate", "SPEC"],
    "inspect": ["inspect", "SPEC"],
    "diff": ["diff", "SPEC", "SPEC"],
    "explain": ["explain", "SPEC", "hidden/dense.units"],
}
OTHERS = ("build", "convolutionalize", "train", "crossval", "sweep")


@pytest.fixture
def spec(tmp_path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "pyproject.toml").touch()
    (tmp_path / "shared.nnspec.yaml").write_text(SHARED)
    (tmp_path / "inner" / "net.nnspec.yaml").write_text(SPEC)
    return tmp_path / "inner" / "net.nnspec.yaml"


@pytest.mark.parametrize("command", READING)
def test_a_path_that_leaves_the_project_is_allowed_by_root(spec, command):
    arguments = [str(spec) if word == "SPEC" else word for word in READING[command]]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 1
    assert "`--root FOLDER` sets a wider root" in refused.output
    allowed = CliRunner().invoke(main, [*arguments, "--root", str(spec.parents[1])])
    assert allowed.exit_code == 0, allowed.output


@pytest.mark.parametrize("command", [*READING, *OTHERS])
def test_every_command_that_reads_a_spec_has_root(command):
    found = main.get_command(click.Context(main), command)
    assert found is not None
    assert "--root" in [name for option in found.params for name in option.opts]


def test_help_for_data_that_leave_the_project_names_root(write, tmp_path):
    (tmp_path / "pyproject.toml").touch()
    text = SPEC.replace("use: [../shared.nnspec.yaml]\n", "").replace("hidden", "Dense: {units: 2}")
    file = write(text + "data: {train: {csv: ../a.csv}, inputs: {x: {columns: [a, b, c, d]}}, targets: {dense: {column: y}}}\n")
    assert "`--root FOLDER`" in CliRunner().invoke(main, ["validate", str(file)]).output


def test_a_path_under_use_with_a_null_character_is_an_error_at_its_place(write):
    text = SPEC.replace("[../shared.nnspec.yaml]", '["a\\0b.nnspec.yaml"]')
    output = CliRunner().invoke(main, ["validate", str(write(text))]).output
    assert ":3:7" in output
    assert "internal error" not in output
