"""JUnit XML, with one test case per spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from nnspec.diagnostics.diagnostic import Diagnostic
from nnspec.diagnostics.formats import Checked
from nnspec.diagnostics.render import counted, render
from nnspec.printable import printable


def written(checked: Checked, strict: bool, seconds: Mapping[str, float]) -> str:
    """Return a suite with one test case per spec, which fails on errors (``strict``: or warnings)."""
    failed = sum(any(d.fails(strict) for d in diagnostics) for diagnostics in checked.values())
    counts = {"tests": str(len(checked)), "failures": str(failed), "errors": "0"}
    total = f"{sum(seconds.values()):.3f}"
    suites = ElementTree.Element("testsuites", {**counts, "time": total})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "nnspec validate", **counts, "skipped": "0", "time": total})
    for file, diagnostics in checked.items():
        time = f"{seconds.get(file, 0):.3f}"
        case = ElementTree.SubElement(suite, "testcase", {"name": printable(file), "classname": "nnspec", "time": time})
        _fill(case, diagnostics, strict)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode").replace(
        "##[", "##&#91;"
    )


def _fill(case: ElementTree.Element, diagnostics: Sequence[Diagnostic], strict: bool) -> None:
    bad = [d for d in diagnostics if d.fails(strict)]
    if bad:  # a single element, because many services show only the first
        first = bad[0]
        more = f" (and {counted(len(bad) - 1, 'more problem')})" if len(bad) > 1 else ""
        message = f"{first.span}: {first.severity}[{first.code}]: {first.message}{more}"
        failure = ElementTree.SubElement(case, "failure", {"message": printable(message), "type": first.code})
        failure.text = printable("\n\n".join(render(d) for d in bad))
    if rest := [d for d in diagnostics if d not in bad]:
        ElementTree.SubElement(case, "system-out").text = printable("\n\n".join(render(d) for d in rest))
