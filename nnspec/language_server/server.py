"""The server: documents that editors open, change and ask about."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

import nnspec
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.formatting import formatted_text
from nnspec.language_server.completion import Candidate, candidates, plain_text
from nnspec.language_server.cursor import cursor_at
from nnspec.language_server.document import Analysis, Document, Version
from nnspec.language_server.expected import Expected
from nnspec.language_server.fixing import code_actions
from nnspec.language_server.hints import inlay_hints
from nnspec.language_server.hovering import hover_text
from nnspec.language_server.names import Name, Names
from nnspec.language_server.places import At, place_at
from nnspec.language_server.positions import Text
from nnspec.language_server.publishing import by_file, location, uri_of
from nnspec.language_server.renaming import refusal, renamed
from nnspec.language_server.symbols import document_symbols
from nnspec.spec.collector import collector_paused
from nnspec.spec.discovery import SUFFIXES
from nnspec.spec.tree import Scalar

__all__ = ["DELAY", "server"]

DELAY = 0.15
"""Seconds without a change after which a document is checked."""


_COMPLETION_KINDS: Mapping[str, types.CompletionItemKind] = {
    "key": types.CompletionItemKind.Property,
    "layer": types.CompletionItemKind.Class,
    "value": types.CompletionItemKind.EnumMember,
    "name": types.CompletionItemKind.Variable,
    "param": types.CompletionItemKind.Constant,
    "function": types.CompletionItemKind.Function,
}
_START = types.Position(0, 0)


class _Server(LanguageServer):
    """The server and the documents that are open, by URI."""

    def __init__(self) -> None:
        # Whole texts: positions in the changes of incremental synchronization need the editor's idea of a line break.
        super().__init__("nnspec", nnspec.__version__, types.TextDocumentSyncKind.Full)
        self.documents: dict[str, Document] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._published: dict[str, dict[Path, list[types.Diagnostic]]] = {}
        self._worker = ThreadPoolExecutor(1, "nnspec-check")
        self._expected: Future[Expected] | None = None

    @property
    def expected(self) -> Expected:
        """The schema of documents, which takes a second the first time."""
        return self.prepare().result()

    def prepare(self) -> Future[Expected]:
        """Begin to make the schema."""
        if self._expected is None:
            self._expected = self._worker.submit(Expected)
        return self._expected

    def open(self, uri: str, text: str, number: int) -> None:
        """Take a document in, if it is a spec."""
        path = to_fs_path(uri)
        file = Path(path).resolve() if path else Path(uri.rpartition(":")[2])
        if file.name.endswith(SUFFIXES) or any(line.startswith("nnspec:") for line in text.splitlines()):
            self.documents[uri] = Document(file, text, number, self.workspace.position_encoding)
            self.check_later(uri, 0)

    def change(self, uri: str, text: str, number: int) -> None:
        if (document := self.documents.get(uri)) is None:
            self.open(uri, text, number)
            return
        document.change(text, number)
        self.check_later(uri, DELAY)

    def close(self, uri: str) -> None:
        self.documents.pop(uri, None)
        if (timer := self._timers.pop(uri, None)) is not None:
            timer.cancel()
        if uri in self._published:
            self._publish(uri, {})

    def check_later(self, uri: str, delay: float) -> None:
        """Check a document unless it changes before."""
        if (timer := self._timers.get(uri)) is not None:
            timer.cancel()
        self._timers[uri] = asyncio.get_running_loop().create_task(self._check(uri, delay))

    async def _check(self, uri: str, delay: float) -> None:
        await asyncio.sleep(delay)
        document = self.documents[uri]
        version = document.version
        others = self.others(document)
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._worker, _analysis, version, others)
        except Exception as error:  # the next version may be another one
            message = f"{version.path} could not be checked: {type(error).__name__}: {error}"
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))
            return
        if self.documents.get(uri) is not document or document.version is not version:
            return
        document.learn(found)
        self._publish(uri, by_file(found.checked.diagnostics, self.text_of), version.number)
        self._refresh()
        self.prepare()
        for other_uri, other in self.documents.items():
            uses = other.known.version.tree if other.known is not None else None
            if delay and other is not document and uses is not None and "use" in uses:
                self.check_later(other_uri, 0)

    def _publish(self, uri: str, found: Mapping[Path, list[types.Diagnostic]], number: int | None = None) -> None:
        """Show the diagnostics that a document has in its file and in those that it uses."""
        before = self._published.get(uri, {})
        self._published[uri] = dict(found)
        own = self.documents[uri].path if uri in self.documents else None
        for file in {*before, *found, *([own] if own is not None else [])}:
            shown = {}
            for diagnostics in self._published.values():
                for each in diagnostics.get(file, ()):
                    shown[str(each.range), each.code] = each
            to = next((other for other, document in self.documents.items() if document.path == file), uri_of(file))
            version = number if to == uri else None
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(to, list(shown.values()), version))

    @property
    def supports_snippets(self) -> bool:
        """Whether the editor can mark the values in a completion."""
        document = self.client_capabilities.text_document
        item = document.completion.completion_item if document is not None and document.completion is not None else None
        return item is not None and bool(item.snippet_support)

    def _refresh(self) -> None:
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    def text_of(self, file: Path) -> Text:
        """Return the text of a file, as it is in the editor if it is open."""
        for document in self.documents.values():
            if document.path == file:
                return document.version.text
        try:
            return Text(file.read_text("utf-8-sig"), self.workspace.position_encoding)
        except (OSError, ValueError):
            return Text("", self.workspace.position_encoding)

    def others(self, document: Document) -> dict[Path, Version]:
        """Return the other open documents."""
        return {other.path: other.version for other in self.documents.values() if other is not document}

    def name_at(self, uri: str, position: types.Position) -> tuple[Document, Names, Name] | None:
        """Return a document, its names, and the one at a position."""
        document = self.documents.get(uri)
        names = document.names if document is not None else None
        if document is None or names is None:
            return None
        found = names.at(*document.version.text.line_column(position))
        return None if found is None else (document, names, found)

    def location(self, document: Document, name: Name) -> types.Location:
        """Return where a name of a document is."""
        return types.Location(uri_of(document.path), document.version.text.range(name.span))

    def elsewhere(self, document: Document, position: types.Position) -> types.Location | None:
        """Return the definition in another file of a block or network, or the file that a path names."""
        at, spec = self.at(document, position), document.known.checked.spec if document.known is not None else None
        if at is None or spec is None or not isinstance(at.node, Scalar):
            return None
        word = str(at.node.value)
        block, network = spec.blocks.get(word), spec.networks.get(word)
        if block is not None or network is not None:
            return location((block or network).span, self.text_of)  # type: ignore[union-attr]
        file = document.path.parent / word
        return types.Location(uri_of(file.resolve()), types.Range(_START, _START)) if _is_file(file) else None

    def at(self, document: Document, position: types.Position) -> At | None:
        """Return what is at a position of a document."""
        tree = document.version.tree
        return None if tree is None else place_at(tree, *document.version.text.line_column(position))


def _analysis(version: Version, others: Mapping[Path, Version]) -> Analysis:
    with collector_paused():
        return Analysis.of(version, others).complete()


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False


server = _Server()


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
def did_open(ls: _Server, params: types.DidOpenTextDocumentParams) -> None:
    document = params.text_document
    ls.open(document.uri, document.text, document.version)


@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
def did_change(ls: _Server, params: types.DidChangeTextDocumentParams) -> None:
    document = ls.workspace.get_text_document(params.text_document.uri)
    ls.change(params.text_document.uri, document.source, params.text_document.version)


@server.feature(types.TEXT_DOCUMENT_DID_SAVE)
def did_save(ls: _Server, params: types.DidSaveTextDocumentParams) -> None:
    if params.text_document.uri in ls.documents:
        ls.check_later(params.text_document.uri, 0)


@server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
def did_close(ls: _Server, params: types.DidCloseTextDocumentParams) -> None:
    ls.close(params.text_document.uri)


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(ls: _Server, params: types.HoverParams) -> types.Hover | None:
    document = ls.documents.get(params.text_document.uri)
    if document is None or (names := document.names) is None or (at := ls.at(document, params.position)) is None:
        return None
    text = hover_text(at, document.version, names, document.known, ls.expected)
    if not text:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), document.version.text.range(at.node.span))


@server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
def hints(ls: _Server, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    document = ls.documents.get(params.text_document.uri)
    if document is None or document.current is None:
        return None  # the editor asks again when the document has been checked
    return list(inlay_hints(document.current, params.range.start.line, params.range.end.line))


@server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["$", "{", "[", ":", " ", ".", "-"]))
def completion(ls: _Server, params: types.CompletionParams) -> types.CompletionList | None:
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        return None
    text = document.version.text
    cursor = cursor_at(text, text.offset(params.position))
    if cursor is None:
        return None
    known = document.known
    found = candidates(cursor, ls.expected, document.known_names, known.version.tree if known is not None else None)
    place = text.between(cursor.start, cursor.end)
    with_snippets = ls.supports_snippets
    items = [_completion_item(candidate, place, with_snippets) for candidate in found]
    return types.CompletionList(False, items)


def _completion_item(candidate: Candidate, place: types.Range, with_snippets: bool) -> types.CompletionItem:
    insert = candidate.insert if with_snippets else plain_text(candidate.insert)
    form = types.InsertTextFormat.Snippet if with_snippets else types.InsertTextFormat.PlainText
    about = types.MarkupContent(types.MarkupKind.Markdown, candidate.about) if candidate.about else None
    return types.CompletionItem(
        candidate.label,
        kind=_COMPLETION_KINDS[candidate.kind],
        detail=candidate.detail or None,
        documentation=about,
        sort_text=f"{0 if candidate.is_first else 1}{candidate.label}",
        filter_text=candidate.label,
        insert_text_format=form,
        text_edit=types.TextEdit(place, insert),
    )


@server.feature(types.TEXT_DOCUMENT_DEFINITION)
def definition(ls: _Server, params: types.DefinitionParams) -> types.Location | None:
    found = ls.name_at(params.text_document.uri, params.position)
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        return None
    if found is None or found[2].is_implied:  # a step is named after a block, which may be in another file
        return ls.elsewhere(document, params.position)
    _, names, name = found
    target = names.defined(name)
    return None if target is None else ls.location(document, target)


@server.feature(types.TEXT_DOCUMENT_REFERENCES)
def references(ls: _Server, params: types.ReferenceParams) -> list[types.Location] | None:
    found = ls.name_at(params.text_document.uri, params.position)
    if found is None:
        return None
    document, names, name = found
    uses = [use for use in names.uses(name) if params.context.include_declaration or not use.is_definition]
    return [ls.location(document, use) for use in uses]


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
def highlight(ls: _Server, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
    found = ls.name_at(params.text_document.uri, params.position)
    if found is None:
        return None
    document, names, name = found
    return [types.DocumentHighlight(document.version.text.range(use.span)) for use in names.uses(name)]


@server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
def prepare_rename(ls: _Server, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
    found = ls.name_at(params.text_document.uri, params.position)
    if found is None:
        return None
    document, names, name = found
    if reason := refusal(name, names):
        raise JsonRpcInvalidParams(reason)
    return types.PrepareRenamePlaceholder(document.version.text.range(name.span), name.text)


@server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
def rename(ls: _Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    found = ls.name_at(params.text_document.uri, params.position)
    if found is None:
        return None
    document, names, name = found
    version = document.version
    analysis = document.current or Analysis.of(version, ls.others(document))
    try:
        edits = renamed(name, params.new_name, names, version, analysis, ls.others(document))
    except NnspecError as error:
        raise JsonRpcInvalidParams(str(error)) from None
    changes = [types.TextEdit(version.text.between(start, end), new) for start, end, new in edits]
    return types.WorkspaceEdit({params.text_document.uri: changes})


@server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]))
def actions(ls: _Server, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    document = ls.documents.get(params.text_document.uri)
    if document is None or document.current is None:
        return None
    return list(code_actions(document.current, params.range, list(params.context.diagnostics), ls.text_of))


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def symbols(ls: _Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
    document = ls.documents.get(params.text_document.uri)
    return None if document is None else document_symbols(document.version, document.current)


@server.feature(types.TEXT_DOCUMENT_FORMATTING)
def formatting(ls: _Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        return None
    text = document.version.text
    try:
        after = formatted_text(text.text, str(document.path))
    except SpecError:
        return None  # its diagnostics state why it cannot be read
    except NnspecError as error:
        raise JsonRpcInvalidParams(str(error)) from None
    return [] if after == text.text else [types.TextEdit(text.between(0, len(text.text)), after)]


def serve() -> None:
    """Serve one editor on standard input and output."""
    gc.set_threshold(100_000, 50, 50)  # documents are many objects that are kept; searching them for cycles delays answers
    server.start_io()
