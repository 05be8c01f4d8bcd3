"""What others define is held to their definitions: SARIF's JSON Schema, JUnit's elements, GitHub's grammar of commands."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.diagnostics.formats import written
from nnspec.explanations.codes import all_problems
from tests.conftest import CORPUS

CODES = sorted(all_problems())
SCHEMA_OF = "sarif-pydantic==0.6.2"
"""A package whose source distribution carries the committee's schema, unchanged."""
BACKEND = """
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, settings=None):
    info = Path(folder, "sarif_pydantic-0.6.2.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: sarif-pydantic\\nVersion: 0.6.2\\n")
    return info.name
"""
"""The build backend of the package, as far as pip needs it."""
SHA256 = "6352a05f9d03f181b8d9c71a46bdacc4fcff9d8ade5364858b425ba0c0994ed7"

NUMBERS = st.integers(1, 10**6)
SPANS = st.builds(Span, st.text(min_size=1), NUMBERS, NUMBERS, NUMBERS, NUMBERS)
DIAGNOSTICS = st.builds(
    Diagnostic,
    st.sampled_from(CODES),
    st.sampled_from(["error", "warning"]),
    st.text(min_size=1),
    SPANS,
    st.text(),
    st.text(),
    st.lists(st.builds(Note, st.text(min_size=1), st.none() | SPANS), max_size=2).map(tuple),
)
CHECKED = st.dictionaries(st.text(min_size=1), st.lists(DIAGNOSTICS, max_size=3), max_size=3)

# GitHub, "Workflow commands for GitHub Actions", and actions/toolkit, packages/core/src/command.ts: a command is one line,
# `::NAME KEY=VALUE,…::DATA`; `%`, CR and LF are escaped in data, `:` and `,` in values as well.
COMMAND = re.compile(
    r"""
    ::(error|warning)[ ]
    file=(?P<file>VALUE+),line=\d+,(?:col=\d+,endLine=\d+,endColumn=\d+|endLine=\d+),title=nnspec[ ]NN\d{3}
    ::(?P<data>(?:[^%\r\n]|%25|%0D|%0A)*)
    """.replace("VALUE", r"(?:[^%\r\n:,]|%25|%0D|%0A|%3A|%2C)"),
    re.VERBOSE,
)

# Jenkins' xUnit plugin, junit-10.xsd: the attributes an element may have, those it must have, and what may stand in it.
JUNIT = {
    "testsuites": ({"name", "time", "tests", "failures", "disabled", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
        {"name", "tests"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name", "assertions", "time", "classname", "status"},
        {"name"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": ({"type", "message"}, set(), set()),
    "system-out": (set(), set(), set()),
}


@pytest.fixture(scope="module")
def sarif(request: pytest.FixtureRequest) -> Draft7Validator:
    """SARIF's own schema, fetched once and kept in pytest's cache."""
    kept = request.config.cache.mkdir("sarif") / "sarif-schema-2.1.0.json"
    if not kept.exists():
        _fetch(kept)
    data = kept.read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
    return Draft7Validator(json.loads(data))


def _fetch(kept: Path) -> None:
    pip = shutil.which("pip")
    if pip is None:
        pytest.skip("there is no pip to fetch SARIF's schema with")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as backend:
        # pip asks a source distribution's build backend for its metadata, and would install the backend for half a minute.
        (Path(backend) / "hatchling").mkdir()
        (Path(backend) / "hatchling" / "build.py").write_text(BACKEND)
        source = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation"]
        environment = {**os.environ, "PIP_CONSTRAINT": "", "PYTHONPATH": backend}
        command = [pip, "download", "--quiet", *source, "--dest", folder, SCHEMA_OF]
        if subprocess.run(command, capture_output=True, env=environment, check=False).returncode:
            pytest.skip("SARIF's schema could not be fetched")
        [archive] = Path(folder).iterdir()
        with tarfile.open(archive) as files:
            [member] = [name for name in files.getnames() if name.endswith("sarif-schema-2.1.0.json")]
            found = files.extractfile(member)
            assert found is not None
            kept.write_bytes(found.read())


@given(CHECKED)
def test_sarif_fits_its_schema_whatever_is_reported(sarif, checked):
    assert [error.message for error in sarif.iter_errors(json.loads(written("sarif", checked)))] == []


def test_sarif_has_no_file_and_no_note_twice(sarif):
    notes = (Note("defined here", Span("a", 1, 1, 1, 1)),) * 2
    found = Diagnostic("NN103", "error", "m", Span("a", 1, 1, 1, 1), notes=notes)
    log = json.loads(written("sarif", {"a": [found], "./a": []}))
    assert [error.message for error in sarif.iter_errors(log)] == []


def test_the_schema_of_sarif_refuses_what_is_not_sarif(sarif):
    log = json.loads(written("sarif", {"a": [Diagnostic("NN103", "error", "m", Span("a", 1, 1, 1, 1))]}))
    assert sarif.is_valid(log)
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not sarif.is_valid(log)


@pytest.mark.parametrize("code", CODES)
def test_the_rule_of_every_code_fits_the_schema_of_sarif(sarif, code):
    log = written("sarif", {"a.yaml": [Diagnostic(code, "error", "m", Span("a.yaml", 1, 1, 1, 1))]})
    assert [error.message for error in sarif.iter_errors(json.loads(log))] == []


@given(CHECKED, st.booleans())
def test_junit_has_the_elements_and_attributes_that_others_read(checked, strict):
    root = ElementTree.fromstring(written("junit", checked, strict=strict))
    assert root.tag == "testsuites"
    for element in root.iter():
        known, needed, inside = JUNIT[element.tag]
        assert needed <= set(element.attrib) <= known
        assert {child.tag for child in element} <= inside
    [suite] = root
    assert int(suite.attrib["tests"]) == len(checked) == len(suite)
    assert int(suite.attrib["failures"]) == len(root.findall(".//failure"))


@given(CHECKED)
def test_each_command_for_github_is_one_line_of_its_grammar(checked):
    reported = [diagnostic for diagnostics in checked.values() for diagnostic in diagnostics]
    text = written("github", checked)
    lines = re.split("\r\n|\r|\n", text) if text else []
    assert len(lines) == len(reported)
    for line in lines:
        assert COMMAND.fullmatch(line), line


@pytest.mark.parametrize("line", ["::error file=a,b::m", "::error file=a::100 % \n", "::error file=a:b,line=1::m"])
def test_the_grammar_refuses_what_is_not_escaped(line):
    assert not COMMAND.fullmatch(line)


def test_the_corpus_is_written_in_every_form(sarif):
    from nnspec.api import validate

    checked = {file.name: validate(file) for file in sorted(CORPUS.glob("*.yaml"))}
    assert sarif.is_valid(json.loads(written("sarif", checked)))
    assert len(ElementTree.fromstring(written("junit", checked))[0]) == len(checked)
