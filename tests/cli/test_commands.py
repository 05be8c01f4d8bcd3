from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from tests.conftest import CORPUS

GOOD = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n"


@pytest.fixture
def nnspec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_good_spec_is_reported_as_good(nnspec, write):
    result = nnspec("validate", write(GOOD))
    assert (result.exit_code, result.stdout) == (0, "1 spec OK\n")


def test_a_bad_spec_ends_with_status_1_and_its_place(nnspec, write):
    write(GOOD.replace("Dense", "Dens"))
    result = nnspec("validate", "net.nnspec.yaml")
    assert result.exit_code == 1
    assert "net.nnspec.yaml:5:5" in result.stderr
    assert "1 error in 1 of 1 spec" in result.stderr


def test_bad_usage_ends_with_status_2(nnspec):
    assert nnspec("validate").exit_code == 2
    assert nnspec("validate", "x", "--limit", "byte=3").exit_code == 2
    result = nnspec("validat", "x")
    assert result.exit_code == 2
    assert "did you mean 'validate'?" in result.stderr


def test_several_specs_are_checked_in_one_call(nnspec, write):
    write(GOOD, "a.yaml")
    write(GOOD.replace("units: 2", "units: 0"), "b.yaml")
    result = nnspec("validate", "a.yaml", "b.yaml", "c.yaml")
    assert "2 errors in 2 of 3 specs" in result.stderr


def test_diagnostics_as_json_have_what_scripts_rely_on(nnspec, write):
    write(GOOD.replace("units: 2", "unit: 2"))
    result = nnspec("validate", "net.nnspec.yaml", "--format", "json")
    [diagnostic] = json.loads(result.stdout)["diagnostics"]
    assert diagnostic.pop("notes") == []
    place = {"file": "net.nnspec.yaml", "line": 5, "column": 13, "end_line": 5, "end_column": 17}
    assert diagnostic.pop("fix") == {"title": "Replace `unit` with `units`", "edits": [place | {"text": "units"}]}
    assert diagnostic == {
        "code": "NN103",
        "severity": "error",
        "message": "unknown key `unit` in `Dense`",
        "help": "did you mean `units`?",
        "file": "net.nnspec.yaml",
        "line": 5,
        "column": 13,
        "end_line": 5,
        "end_column": 17,
        "path": "layers[0].Dense.unit",
    }


def test_inspect_prints_a_table_with_its_totals(nnspec):
    result = nnspec("inspect", CORPUS / "lenet5.nnspec.yaml")
    assert result.exit_code == 0
    assert "parameters: 61,706" in result.stdout
    assert "multiply–accumulates per example: 416,520" in result.stdout


def test_inspect_as_json_has_what_scripts_rely_on(nnspec):
    described = json.loads(nnspec("inspect", CORPUS / "lenet5.nnspec.yaml", "--format", "json").stdout)
    network = described["networks"]["main"]
    assert described["name"] == "lenet5"
    assert network["inputs"] == {"image": {"shape": [None, 28, 28, 1], "dtype": "float32"}}
    assert network["outputs"] == {"digit": {"shape": [None, 10], "dtype": "float32"}}
    assert network["layers"][2] == {
        "name": "conv2d_1",
        "op": "Conv2D",
        "from": ["average_pooling2d"],
        "shape": [None, 10, 10, 16],
        "parameters": 2416,
        "macs": 240000,
        "activation_bytes": 6400,
        "receptive_field": [14, 14],
        "receptive_field_stride": [2, 2],
        "receptive_field_start": [-2, -2],
        "line": 9,
    }


def test_macs_that_depend_on_a_symbol_are_an_expression(nnspec, write):
    write("nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - Dense: {units: 2}\n")
    described = json.loads(nnspec("inspect", "net.nnspec.yaml", "--format", "json").stdout)
    assert described["networks"]["main"]["macs"] == "8*T"
    assert described["networks"]["main"]["layers"][0]["shape"] == [None, "T", 2]


def test_an_override_changes_what_is_built(nnspec, write):
    write(GOOD)
    result = nnspec("inspect", "net.nnspec.yaml", "--set", "layers[0].Dense.units=5")
    assert "(batch, 5)" in result.stdout


@pytest.mark.parametrize(
    "command",
    ["validate", "explain", "diff", "inspect", "build", "train", "evaluate", "predict", "generate", "export", "schema"],
)
def test_every_command_explains_itself_with_an_example(nnspec, command):
    result = nnspec(command, "--help")
    assert result.exit_code == 0
    assert f"nnspec {command} " in result.stdout


@pytest.mark.parametrize("command", ["inspect", "train"])
def test_a_command_on_a_bad_spec_shows_its_diagnostics(nnspec, write, command):
    write(GOOD.replace("Dense", "Dens"))
    result = nnspec(command, "net.nnspec.yaml")
    assert result.exit_code == 1
    assert "NN204" in result.stderr


def test_a_failure_of_our_own_is_one_line_and_no_traceback(nnspec, write, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("nnspec.api.validate", fail)
    result = nnspec("validate", write(GOOD))
    assert result.exit_code == 70
    assert "internal error: RuntimeError: broken" in result.stderr
    assert "Traceback" not in result.stderr
