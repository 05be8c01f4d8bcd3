"""The server: documents that editors open, change and ask about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

import nnspec
from nnspec.language_server.document import Analysis, Document
from nnspec.language_server.expected import Expected
from nnspec.language_server.hints import inlay_hints
from nnspec.language_server.hovering import hover_text
from nnspec.language_server.places import At, place_at
from nnspec.language_server.positions import Text
from nnspec.language_server.publishing import by_file, uri_of
from nnspec.spec.discovery import SUFFIXES

__all__ = ["DELAY", "server"]

DELAY = 0.15
"""Seconds without a change after which a document is checked."""


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
        others = {other.path: other.version for other in self.documents.values() if other is not document}
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._worker, Analysis.of, version, others)
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

    def at(self, document: Document, position: types.Position) -> At | None:
        """Return what is at a position of a document."""
        tree = document.version.tree
        return None if tree is None else place_at(tree, *document.version.text.line_column(position))


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


def serve() -> None:
    """Serve one editor on standard input and output."""
    server.start_io()
