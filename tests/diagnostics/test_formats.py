from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from nnspec.diagnostics import Diagnostic, Edit, Fix, Note, Span
from nnspec.diagnostics.formats import written
from nnspec.explanations.codes import all_problems
from nnspec.printable import printable

all_problems()
ERROR = Diagnostic("NN103", "error", "unknown key `unit`", Span("a.yaml", 3, 5, 3, 9), "layers[0]", "did you mean `units`?")
WARNING = Diagnostic(
    "NN231", "warning", "nothing uses `x`", Span("a.yaml", 4, 1, 6, 2), notes=(Note("here", Span("b", 1, 1, 1, 2)),)
)
CHECKED = {"a.yaml": [ERROR, WARNING], "b.yaml": [], "c.yaml": [WARNING]}

# https://github.com/actions/runner, src/Runner.Common/ActionCommand.cs: `::NAME KEY=VALUE,KEY=VALUE::DATA` on one line.
COMMAND = re.compile(r"::(?P<name>error|warning|notice)(?: (?P<properties>[^:\r\n]*))?::(?P<data>[^\r\n]*)")
UNESCAPED = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def _read_as_the_runner_does(line: str) -> tuple[str, dict[str, str], str]:
    command = COMMAND.fullmatch(line)
    assert command, line

    def plain(text: str, escapes: list[str]) -> str:
        return re.sub("|".join(escapes), lambda m: UNESCAPED[m[0]], text)

    properties = dict(item.split("=", 1) for item in command["properties"].split(","))
    return (
        command["name"],
        {key: plain(value, list(UNESCAPED)) for key, value in properties.items()},
        plain(command["data"], ["%0D", "%0A", "%25"]),
    )


def test_github_shows_each_diagnostic_at_its_place():
    first, second, third = map(_read_as_the_runner_does, written("github", CHECKED).splitlines())
    assert first == (
        "error",
        {"file": "a.yaml", "line": "3", "col": "5", "endLine": "3", "endColumn": "9", "title": "nnspec NN103"},
        "unknown key `unit`\nhelp: did you mean `units`?",
    )
    assert second[:2] == ("warning", {"file": "a.yaml", "line": "4", "endLine": "6", "title": "nnspec NN231"})
    assert second[2] == "nothing uses `x`\nnote: here (b:1:1)"
    assert third == second


@given(file=st.text(min_size=1), message=st.text())
def test_github_reads_back_what_was_written_whatever_it_holds(file, message):
    diagnostic = Diagnostic("NN001", "error", message, Span(file, 1, 1, 1, 1))
    text = written("github", {file: [diagnostic]})
    _, properties, data = _read_as_the_runner_does(text)
    assert (properties["file"], data) == (printable(file), printable(message))


def test_nothing_found_is_nothing_written_for_github():
    assert written("github", {"a.yaml": []}) == ""


def _check_sarif(text: str) -> dict:
    """What SARIF 2.1.0 (OASIS, sections 3.13 to 3.49) asks of the parts we write."""
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("/sarif-schema-2.1.0.json")
    [run] = log["runs"]
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        for location in [*result["locations"], *result.get("relatedLocations", [])]:
            physical = location["physicalLocation"]
            assert re.fullmatch(r"[A-Za-z0-9_.~/%-]+|file://[A-Za-z0-9_.~/%-]+", physical["artifactLocation"]["uri"])
            assert all(isinstance(number, int) and number >= 1 for number in physical["region"].values())
    return run


def test_sarif_has_the_structure_of_its_standard():
    run = _check_sarif(written("sarif", CHECKED))
    assert [result["ruleId"] for result in run["results"]] == ["NN103", "NN231", "NN231"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9
    }  # fmt: skip
    assert run["results"][1]["relatedLocations"][0]["message"] == {"text": "here"}
    assert run["artifacts"] == [{"location": {"uri": name}} for name in CHECKED]


@pytest.mark.parametrize("file", ["a b.yaml", "ü/100%.yaml", "a:b.yaml", "--set x=1", "\udcff.yaml"])
def test_sarif_names_files_by_uris(file):
    run = _check_sarif(written("sarif", {file: [Diagnostic("NN103", "error", "m", Span(file, 1, 1, 1, 1))]}))
    assert unquote(run["artifacts"][0]["location"]["uri"], errors="surrogateescape") == file


@pytest.mark.parametrize(("strict", "failed"), [(False, ["a.yaml"]), (True, ["a.yaml", "c.yaml"])])
def test_junit_is_read_by_a_junit_library(strict, failed):
    [suite] = JUnitXml.fromstring(written("junit", CHECKED, strict=strict).encode())
    assert (suite.tests, suite.failures) == (3, len(failed))
    assert [case.name for case in suite] == list(CHECKED)
    assert [case.name for case in suite if case.result] == failed


def test_junit_keeps_the_message_and_what_warns_without_failing():
    [suite] = JUnitXml.fromstring(written("junit", CHECKED).encode())
    bad, _, warned = suite
    assert bad.result[0].type == "NN103"
    assert bad.result[0].message == "a.yaml:3:5: error[NN103]: unknown key `unit`"
    assert "did you mean `units`?" in bad.result[0].text
    assert "warning[NN231]" in warned.system_out


@given(st.text())
def test_junit_is_xml_whatever_the_message_holds(message):
    [suite] = JUnitXml.fromstring(
        written("junit", {message: [Diagnostic("NN001", "error", message, Span("f", 1, 1, 1, 1))]}).encode()
    )
    assert suite.failures == 1


FIXED = replace(ERROR, fix=Fix("Replace `unit` with `units`", (Edit(ERROR.span, "units"),)))


def test_sarif_has_the_edits_of_a_fix():
    run = _check_sarif(written("sarif", {"a.yaml": [FIXED, WARNING]}))
    first, second = run["results"]
    region = {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9}
    change = {
        "artifactLocation": {"uri": "a.yaml"},
        "replacements": [{"deletedRegion": region, "insertedContent": {"text": "units"}}],
    }
    assert first["fixes"] == [{"description": {"text": "Replace `unit` with `units`"}, "artifactChanges": [change]}]
    assert "fixes" not in second


def test_sarif_leads_to_the_page_of_the_codes_if_its_url_is_known(monkeypatch):
    monkeypatch.setenv("NNSPEC_DIAGNOSTICS_URL", "https://example.org/diagnostics.md")
    rules = _check_sarif(written("sarif", CHECKED))["tool"]["driver"]["rules"]
    assert rules[0]["helpUri"] == "https://example.org/diagnostics.md#nn103-unknownkey"


def test_junit_has_the_time_of_each_spec():
    suites = ElementTree.fromstring(written("junit", CHECKED, seconds={"a.yaml": 0.25, "b.yaml": 0.5}))
    assert suites.get("time") == "0.750"
    assert [case.get("time") for case in suites.iter("testcase")] == ["0.250", "0.500", "0.000"]


def test_github_does_not_change_with_a_fix():
    assert written("github", {"a.yaml": [FIXED]}) == written("github", {"a.yaml": [ERROR]})
