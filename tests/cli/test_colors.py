"""Colors of the commands' output, by the environment and the stream."""

from __future__ import annotations

import io
import re

import pytest
from click.testing import CliRunner

from nnspec.cli import _COMMANDS, _GROUPS, main
from nnspec.colors import colored, uses_color

BEFORE = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n  - Flatten\n"
AFTER = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 3}\n  - Dropout: 0.5\n"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "on_a_terminal", "in_a_file"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_the_environment_decides_on_colors(environment, variables, on_a_terminal, in_a_file):
    for name, value in variables.items():
        environment.setenv(name, value)
    assert (uses_color(_Terminal()), uses_color(io.StringIO()), uses_color(None)) == (on_a_terminal, in_a_file, in_a_file)


@pytest.fixture
def specs(tmp_path):
    for name, text in (("a", BEFORE), ("b", AFTER)):
        (tmp_path / f"{name}.nnspec.yaml").write_text(text, encoding="utf-8")
    return [str(tmp_path / f"{name}.nnspec.yaml") for name in "ab"]


def output(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).output


def test_diff_shows_signs_in_color(environment, specs):
    environment.setenv("FORCE_COLOR", "1")
    shown = output("diff", *specs)
    assert colored("  + dropout  Dropout", "added") in shown
    assert colored("  - flatten  Flatten", "removed") in shown
    assert colored("  ~ dense  Dense", "changed") in shown


@pytest.mark.parametrize("arguments", [["layers"], ["objectives"], ["init", "--list"], ["docs"]])
def test_headers_of_tables_are_emphasized(environment, arguments):
    environment.setenv("FORCE_COLOR", "1")
    header, rule, *_ = output(*arguments).splitlines()
    assert (header[:4], rule[:4]) == ("\x1b[1m", "\x1b[2m")


def test_errors_are_colored_on_the_stream_that_they_are_written_to(environment, tmp_path):
    environment.setenv("FORCE_COLOR", "1")
    assert output("validate", str(tmp_path / "none.yaml")).startswith("\x1b[1;31merror")


@pytest.mark.parametrize("arguments", [["diff"], ["diff", "--format", "json"], ["inspect", "--format", "json"]])
def test_colors_change_no_character_of_the_text_and_nothing_of_json(environment, specs, arguments):
    given = specs if arguments[0] == "diff" else specs[:1]
    plain = output(*arguments, *given)
    environment.setenv("FORCE_COLOR", "1")
    shown = output(*arguments, *given)
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == plain
    assert ("\x1b" in shown) is ("json" not in arguments)


def test_control_characters_of_a_spec_are_escaped_in_color_too(environment, tmp_path):
    environment.setenv("FORCE_COLOR", "1")
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(BEFORE.replace("Dense: {units: 2}", '"De\\x1b[2Jnse"'), encoding="utf-8")
    assert "\x1b[2J" not in output("validate", str(file))


def test_every_command_is_in_one_group_of_the_help():
    grouped = [name for names in _GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(_COMMANDS)


@pytest.mark.parametrize("columns", [80, 120])
def test_the_help_has_a_line_for_each_command(environment, columns):
    environment.setenv("COLUMNS", str(columns))
    lines = output("--help").splitlines()
    assert max(map(len, lines)) <= columns
    for name, text in _COMMANDS.items():
        assert f"  {name:<16}  {text}" in lines
