"""SARIF 2.1.0, the OASIS standard for static analysis results (code scanning, editors)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nnspec.diagnostics.diagnostic import Diagnostic, Note, Problem, problems
from nnspec.diagnostics.fixes import Fix
from nnspec.diagnostics.formats import Checked
from nnspec.diagnostics.span import Span
from nnspec.printable import json_text, printable

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def written(checked: Checked, strict: bool, seconds: Mapping[str, float]) -> str:
    """Return one run with a rule per code found and a result per diagnostic."""
    del strict, seconds
    from nnspec import __version__

    found = [diagnostic for diagnostics in checked.values() for diagnostic in diagnostics]
    codes = sorted({diagnostic.code for diagnostic in found})
    known, page = problems(), _page()
    run = {
        "tool": {"driver": {"name": "nnspec", "version": __version__, "rules": [_rule(known[code], page) for code in codes]}},
        "artifacts": [{"location": {"uri": uri}} for uri in dict.fromkeys(map(_uri, checked))],
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in found],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ascii=True)


def _page() -> str | None:
    """Return the URL of the page of all diagnostics: that of the environment, or else of the installed package."""
    if given := os.environ.get(_URL):
        return given
    try:
        labels = [line.partition(", ") for line in metadata("nnspec").get_all("Project-URL", [])]
    except PackageNotFoundError:
        return None
    return next((url for label, _, url in labels if label == "Diagnostics"), None)


_URL = "NNSPEC_DIAGNOSTICS_URL"


def _rule(problem: type[Problem], page: str | None) -> dict[str, Any]:
    explanation = problem.explanation()
    anchor = f"{problem.code}-{problem.__name__}".lower()
    return ({"helpUri": f"{page}#{anchor}"} if page else {}) | {
        "id": problem.code,
        "name": problem.__name__,
        "shortDescription": {"text": explanation.splitlines()[0]},
        "fullDescription": {"text": explanation},
        "help": {"text": f"{explanation}\n\n`nnspec explain {problem.code}` shows examples."},
        "defaultConfiguration": {"level": problem.severity},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    text = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    location: dict[str, Any] = {"physicalLocation": _physical(diagnostic.span)}
    if diagnostic.path:
        location["logicalLocations"] = [{"fullyQualifiedName": printable(diagnostic.path)}]
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": printable(text)},
        "locations": [location],
    }
    # An array of SARIF has no element twice.
    related = [_related(note) for note in dict.fromkeys(diagnostic.notes)]
    result |= {"relatedLocations": related} if related else {}
    return result | ({"fixes": [_fix(diagnostic.fix)]} if diagnostic.fix else {})


def _fix(fix: Fix) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(edit.span), **({"insertedContent": {"text": edit.text}} if edit.text else {})}
        for edit in fix.edits
    ]
    change = {"artifactLocation": {"uri": _uri(fix.edits[0].span.file)}, "replacements": replacements}
    return {"description": {"text": printable(fix.title)}, "artifactChanges": [change]}


def _related(note: Note) -> dict[str, Any]:
    place = {"physicalLocation": _physical(note.span)} if note.span else {}
    return {**place, "message": {"text": printable(note.message)}}


def _physical(span: Span) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(span.file)}, "region": _region(span)}


def _region(span: Span) -> dict[str, int]:
    # endColumn is exclusive in SARIF, too.
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _uri(file: str) -> str:
    """Return the URI of a file, relative as the user wrote it, so that services find it in the repository."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogateescape")
