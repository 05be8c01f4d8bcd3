"""``nnspec validate --fix``: what is certain is fixed in the file that has the fault; all else stays as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.cli import main

GOOD = """\
nnspec: 1
name: net  # of the tests
inputs: {x: [4]}

layers:
  # the first step
  - Dense: {units: 2,   use_bias: false}   # kept
    name: "first"
  - ReLU
"""
BAD = GOOD.replace("units: 2", "unist: 2").replace("inputs", "inptus").replace("false", "no")


@pytest.fixture
def validate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, text=None):
        return CliRunner().invoke(main, ["validate", *map(str, arguments)], input=text)

    return run


def place(text, file="net.nnspec.yaml"):
    Path(file).write_bytes(text.encode())
    return Path(file)


def test_certain_errors_are_fixed_and_comments_and_style_stay(validate):
    file = place(BAD)
    result = validate("--fix", file)
    assert (result.exit_code, result.output) == (0, "3 errors fixed; 1 spec OK\n")
    assert file.read_text() == GOOD


def test_line_breaks_the_byte_order_mark_the_mode_and_a_link_stay(validate):
    file = place("\ufeff" + BAD.replace("\n", "\r\n"), "real.yaml")
    file.chmod(0o640)
    Path("net.nnspec.yaml").symlink_to(file)
    assert validate("--fix", "net.nnspec.yaml").exit_code == 0
    assert Path("net.nnspec.yaml").is_symlink()
    assert file.read_bytes().decode() == "\ufeff" + GOOD.replace("\n", "\r\n")
    assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o640


def test_what_is_not_certain_remains_and_is_reported_as_in_the_fixed_file(validate):
    file = place(BAD.replace("ReLU", "Dense: {units: -1}"))
    result = validate("--fix", file)
    assert result.exit_code == 1
    assert result.output.endswith("3 errors fixed, 1 remaining\n")
    assert "9 |   - Dense: {units: -1}" in result.output
    assert "inputs: {x" in file.read_text()


def test_a_diff_is_printed_and_nothing_written(validate):
    file = place(BAD)
    result = validate("--fix", "--diff", file)
    assert result.exit_code == 1
    assert file.read_text() == BAD
    lines = [line for line in result.stdout.splitlines() if line[:1] in "+-"]
    assert lines[2:4] == ["-inptus: {x: [4]}", "+inputs: {x: [4]}"]
    assert "3 errors would be fixed; 1 spec OK" in result.stderr


def test_a_diff_of_a_good_spec_is_empty_and_passes(validate):
    result = validate("--diff", place(GOOD))
    assert (result.exit_code, result.stdout) == (0, "")


def test_standard_input_is_fixed_to_standard_output(validate):
    result = validate("--fix", "-", text=BAD)
    assert (result.exit_code, result.stdout) == (0, GOOD)
    assert result.stderr == "3 errors fixed; 1 spec OK\n"


def test_standard_input_is_checked_under_the_name_of_a_file_in_its_folder(validate):
    Path("sub").mkdir()
    place("nnspec: 1\nname: parts\nblocks:\n  unit:\n    layers:\n      - ReLU\n", "sub/parts.nnspec.yaml")
    text = GOOD.replace("inputs", "use: [parts.nnspec.yaml]\ninputs").replace("- ReLU", "- unti")
    result = validate("-", "--stdin-file", "sub/net.nnspec.yaml", text=text)
    assert result.exit_code == 1
    assert "sub/net.nnspec.yaml:10:5" in result.output
    assert "did you mean `unit`?" in result.output
    assert "[*] 1 fixable with `--fix`" in result.output


def test_the_file_that_has_the_fault_is_fixed(validate):
    parts = place("nnspec: 1\nname: parts\nblocks:\n  unit:\n    layers:\n      - Dense: {unist: 3}\n", "parts.nnspec.yaml")
    net = place(GOOD.replace("inputs", "use: [parts.nnspec.yaml]\ninputs").replace("- ReLU", "- unit"))
    before = net.read_text()
    assert validate("--fix", net).output == "1 error fixed; 1 spec OK\n"
    assert "{units: 3}" in parts.read_text()
    assert net.read_text() == before


def test_a_fix_that_would_lead_to_another_error_is_not_applied(validate):
    text = GOOD.replace("- ReLU", "- Conv2d: {filters: 2, kernel_size: 3}")  # four numbers are no image
    file = place(text)
    result = validate("--fix", file)
    assert result.exit_code == 1
    assert file.read_text() == text
    assert (
        "net.nnspec.yaml:9:5: not fixed, because no fewer errors would remain: Replace `Conv2d` with `Conv2D`" in result.output
    )
    assert "nothing fixed, 1 remaining" in result.output


def test_errors_that_hid_behind_others_are_fixed_too(validate):
    file = place(GOOD.replace("units: 2", "unist: '2'").replace("- ReLU", "- Conv2d: {filters: 2, kernel_size: 3}"))
    result = validate("--fix", file)
    assert result.exit_code == 1
    assert file.read_text() == GOOD.replace("- ReLU", "- Conv2D: {filters: 2, kernel_size: 3}")
    assert "1 error fixed, 1 remaining" in result.output


def test_a_fix_is_applied_although_another_would_not_help(validate):
    several = "- Conv2d: {filters: 2, kernel_size: 3, padding: same, strides: 0}"  # is no layer for four numbers, too
    file = place(GOOD.replace("units: 2", "unist: 2").replace("- ReLU", several))
    result = validate("--fix", file)
    assert result.exit_code == 1
    assert "{units: 2," in file.read_text()


def test_a_file_that_cannot_be_written_stays_and_is_reported(validate):
    file = place(BAD)
    Path("net.nnspec.yaml").parent.resolve().chmod(0o555)
    try:
        if os.access(".", os.W_OK):
            pytest.skip("the user may write everywhere")
        result = validate("--fix", file)
    finally:
        Path().chmod(0o755)
    assert result.exit_code == 1
    assert "cannot write" in result.output
    assert file.read_text() == BAD


def test_json_has_what_remains_and_its_fixes(validate):
    place(BAD)
    found = json.loads(validate("net.nnspec.yaml", "--format", "json").stdout)["diagnostics"]
    assert [d["fix"]["title"] for d in found] == [
        "Replace `inptus` with `inputs`", "Replace `unist` with `units`", "Replace `no` with `false`",
    ]  # fmt: skip
    assert json.loads(validate("net.nnspec.yaml", "--fix", "--format", "json").stdout) == {"diagnostics": []}


@pytest.mark.parametrize("arguments", [("net.nnspec.yaml", "--fix", "--diff"), ("-", "--fix")])
def test_two_documents_are_not_written_to_standard_output(validate, arguments):
    result = validate(*arguments, "--format", "json")
    assert (result.exit_code, result.stdout) == (2, "")


def test_values_of_the_command_line_are_not_fixed(validate):
    file = place(GOOD)
    result = validate("--fix", file, "--set", "layers[1]=Relu6x")
    assert result.exit_code == 1
    assert file.read_text() == GOOD
