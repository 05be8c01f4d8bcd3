"""Fault injection: single mistakes put into good specs by rule, and what `validate` says of each.

A fault is one edit to one line of a spec, of the kind people make. What is asked of the answer: is it found (an error), on
the right line, at the right token, with the fix that undoes it, and is nothing else reported?

``python -m benchmarks faults`` prints a row a kind; ``--keras`` gives the same faults to Keras, beside it, and ``--ludwig
PYTHON`` to the Ludwig of another interpreter; ``benchmarks.fault_peers`` says how peers are judged.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from jsonschema import Draft202012Validator

from benchmarks.fault_rules import Fault
from benchmarks.spec_faults import faults
from nnspec.api import validate
from nnspec.diagnostics import Diagnostic
from nnspec.json_schema import schema
from nnspec.spec import read_text

__all__ = ["main"]

MEASURES = ("all", "found", "line", "token", "fix", "alone", "schema")


def main(arguments: Sequence[str] = ()) -> int:
    """Prints nnspec's table, and the table beside its peers where one is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks faults", description="Single mistakes, and what is said of them."
    )
    parser.add_argument("--keras", action="store_true", help="give the same mistakes to Keras, in Python: some minutes")
    parser.add_argument("--ludwig", metavar="PYTHON", help="give their like to Ludwig; the interpreter that has it")
    options = parser.parse_args(arguments)
    injected = [*faults()]
    marks, missed = _answers(injected)
    _print(injected, marks, missed)
    if options.keras or options.ludwig:
        from benchmarks.fault_peers.table import print_beside

        print()
        print_beside(injected, marks, keras=options.keras, ludwig=options.ludwig)
    return 0


def _answers(injected: Sequence[Fault]) -> tuple[list[dict[str, bool]], list[str]]:
    """The measures of each fault, and what fell short; `schema`: whether the JSON Schema alone refuses it."""
    refused = _refused_by_schema()
    marks, missed = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        for fault in injected:
            file.write_text(fault.text, encoding="utf-8")
            errors = [d for d in validate(file, root=Path("/")) if d.is_error]
            good = _judged(fault, errors)
            if not all(good.values()):
                missed.append(_missed(fault, good, errors))
            marks.append({"all": True, **good, "schema": refused(fault.text)})
    return marks, missed


def _judged(fault: Fault, errors: Sequence[Diagnostic]) -> dict[str, bool]:
    first = next((d for d in errors if d.span.line == fault.line), errors[0] if errors else None)
    if first is None:
        return dict.fromkeys(MEASURES[1:-1], False)
    line = first.span.line == fault.line
    said = f"{first.message} {first.help}"
    return {
        "found": True,
        "line": line,
        "token": line and first.span.column <= fault.column < first.span.end_column,
        "fix": any(fix in said for fix in fault.fix.split("|")),
        "alone": len(errors) == 1,
    }


def _missed(fault: Fault, good: dict[str, bool], errors: Sequence[Diagnostic]) -> str:
    wrong = ", ".join(name for name, right in good.items() if not right)
    line = fault.text.splitlines()[fault.line - 1].strip()
    heard = "; ".join(f"{d.span.line}:{d.span.column} {d.code} {d.message} [{d.help}]" for d in errors[:3])
    return f"{fault.kind} ({wrong}): {line}\n    {heard}"


def _refused_by_schema() -> Callable[[str], bool]:
    """Whether an editor with the JSON Schema alone would mark a document that our reader can parse."""
    validator = Draft202012Validator(schema())

    def refused(text: str) -> bool:
        tree = read_text(text, "net.nnspec.yaml", [])
        return tree is not None and not validator.is_valid(json.loads(json.dumps(tree.plain())))

    return refused


def _print(injected: Sequence[Fault], marks: Sequence[dict[str, bool]], missed: Sequence[str]) -> None:
    rows: dict[str, Counter[str]] = {}
    for fault, good in zip(injected, marks, strict=True):
        rows.setdefault(fault.kind, Counter()).update(name for name, right in good.items() if right)
    print(f"{'kind of fault':<44}" + "".join(f"{name:>8}" for name in MEASURES))
    for kind, row in rows.items():
        print(f"{kind:<44}" + "".join(f"{row[name]:>8}" for name in MEASURES))
    total: Counter[str] = sum(rows.values(), Counter())
    print(f"{f'{len(rows)} kinds':<44}" + "".join(f"{total[name]:>8}" for name in MEASURES))
    print(f"{'':<44}" + "".join(f"{total[name] / total['all']:>8.1%}" for name in MEASURES))
    print("\nnot all of it right:" if missed else "", *missed, sep="\n")
