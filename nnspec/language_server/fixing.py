"""Quick fixes: the certain remedies of diagnostics as edits, and comments that ignore warnings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from nnspec.diagnostics import Diagnostic
from nnspec.diagnostics.fixes import Fix
from nnspec.language_server.document import Analysis
from nnspec.language_server.publishing import TextOf, uri_of
from nnspec.spec.comments import comments


def code_actions(
    analysis: Analysis, place: types.Range, given: list[types.Diagnostic], text_of: TextOf
) -> Iterator[types.CodeAction]:
    """Yield what can be done about the diagnostics of a part of a document.

    Args:
        analysis: Analysis of the document.
        place: Range of the part.
        given: The diagnostics that the editor shows there.
        text_of: Returns the text of a file.
    """
    own = str(analysis.version.path)
    text = analysis.version.text
    found = [d for d in analysis.checked.diagnostics if d.span.file == own]
    here = [d for d in found if _meet(text.range(d.span), place)]
    for diagnostic in here:
        if diagnostic.fix is not None:
            shown = _shown(diagnostic, given)
            edit = workspace_edit([diagnostic.fix], text_of)
            yield types.CodeAction(diagnostic.fix.title, types.CodeActionKind.QuickFix, shown, is_preferred=True, edit=edit)
    for diagnostic in here:
        if not diagnostic.is_error:
            yield from _ignore(diagnostic, given, analysis)
    fixes = [d.fix for d in found if d.fix is not None]
    if len(fixes) > 1 and any(d.fix is not None for d in here):
        title = f"Apply all {len(fixes)} certain fixes"
        yield types.CodeAction(title, types.CodeActionKind.QuickFix, edit=workspace_edit(fixes, text_of))


def _meet(first: types.Range, second: types.Range) -> bool:
    return first.start <= second.end and second.start <= first.end


def _shown(diagnostic: Diagnostic, given: list[types.Diagnostic]) -> list[types.Diagnostic]:
    """Return the diagnostic as the editor shows it."""
    return [each for each in given if each.code == diagnostic.code and each.range.start.line == diagnostic.span.line - 1]


def workspace_edit(fixes: list[Fix], text_of: TextOf) -> types.WorkspaceEdit:
    """Return the edits of fixes; of those that overlap, only the first."""
    changes: dict[str, list[types.TextEdit]] = {}
    taken: list[tuple[str, types.Range]] = []
    for fix in fixes:
        edits = []
        for edit in fix.edits:
            file = Path(edit.span.file).resolve()
            edits.append((uri_of(file), types.TextEdit(text_of(file).range(edit.span), edit.text)))
        if any(uri == other and _meet(change.range, place) for uri, change in edits for other, place in taken):
            continue
        taken += [(uri, change.range) for uri, change in edits]
        for uri, change in edits:
            changes.setdefault(uri, []).append(change)
    return types.WorkspaceEdit(changes)


def _ignore(diagnostic: Diagnostic, given: list[types.Diagnostic], analysis: Analysis) -> Iterator[types.CodeAction]:
    """Yield a comment that ignores a warning, if its line has no comment."""
    text, number = analysis.version.text, diagnostic.span.line
    if any(line == number for line, *_ in comments(text.text)):
        return
    end = text.offset_at(number, 1) + len(text.line(number - 1).rstrip())
    comment = types.TextEdit(text.between(end, end), f" # nnspec: ignore[{diagnostic.code}]")
    edit = types.WorkspaceEdit({uri_of(analysis.version.path): [comment]})
    title = f"Ignore {diagnostic.code} on this line"
    yield types.CodeAction(title, types.CodeActionKind.QuickFix, _shown(diagnostic, given), edit=edit)
