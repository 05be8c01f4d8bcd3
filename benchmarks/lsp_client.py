"""A client of the Language Server Protocol over standard input and output, for any server."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]},
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "rename": {"prepareSupport": True},
    },
    "workspace": {"inlayHint": {"refreshSupport": True}, "configuration": True, "workspaceEdit": {"documentChanges": True}},
    "general": {"positionEncodings": ["utf-16"]},
}


class Refused(Exception):
    """An error that the server answered."""


class Client:
    """A server in a process of its own, and the documents that are open in it.

    Args:
        command: The command that starts it.
        settings: Answers to its questions about the configuration, by section.
        folder: Its working directory.
    """

    def __init__(self, command: Sequence[str], settings: dict[str, Any] | None = None, folder: Path | None = None) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self._settings = settings or {}
        self._answers: dict[int, queue.SimpleQueue[Any]] = {}
        self._published: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.logged: list[str] = []
        self.refreshed = 0
        self._count = 0
        self.versions: dict[str, int] = {}
        self._shown: dict[str, list[dict[str, Any]]] = {}
        threading.Thread(target=self._read, daemon=True).start()
        folder_uri = (folder or Path.cwd()).as_uri()
        self.capabilities = self.ask(
            "initialize", processId=None, rootUri=folder_uri, capabilities=CAPABILITIES,
            workspaceFolders=[{"uri": folder_uri, "name": "specs"}],
        )["capabilities"]  # fmt: skip
        self.tell("initialized")
        if settings:
            self.tell("workspace/didChangeConfiguration", settings=settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.ask("shutdown")
            self.tell("exit")
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    def processor_seconds(self) -> float:
        """Return the time that the server has computed so far; 0 where the system does not tell."""
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def ask(self, method: str, *, timeout: float = 60, **parameters: Any) -> Any:
        """Send a request and return its result."""
        self._count += 1
        answer = self._answers[self._count] = queue.SimpleQueue()
        self._send({"id": self._count, "method": method, "params": parameters or None})
        found = answer.get(timeout=timeout)
        if "error" in found:
            raise Refused(found["error"]["message"])
        return found.get("result")

    def tell(self, method: str, **parameters: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": parameters})

    def open(self, uri: str, text: str, language: str = "yaml") -> list[dict[str, Any]]:
        """Open a document, or replace its text, and return its diagnostics."""
        version = self.versions[uri] = self.versions.get(uri, 0) + 1
        if version == 1:
            self.tell("textDocument/didOpen", textDocument={"uri": uri, "languageId": language, "version": 1, "text": text})
        else:
            self.write(uri, text, version)
        return self.diagnostics(uri, version)

    def write(self, uri: str, text: str, version: int | None = None) -> None:
        """Replace the text of a document without waiting for its diagnostics."""
        if version is None:
            version = self.versions[uri] = self.versions[uri] + 1
        self.tell("textDocument/didChange", textDocument={"uri": uri, "version": version}, contentChanges=[{"text": text}])

    def diagnostics(self, uri: str, version: int | None = None, timeout: float = 60) -> list[dict[str, Any]]:
        """Return the next published diagnostics of a document; those of a version, if the server states versions."""
        while True:
            found = self._published.get(timeout=timeout)
            if found["uri"] == uri and found.get("version") in (None, version or found.get("version")):
                self._shown[uri] = found["diagnostics"]
                return self._shown[uri]

    def close(self, uri: str) -> None:
        """Close a document and wait until its diagnostics are gone."""
        self.tell("textDocument/didClose", textDocument={"uri": uri})
        self.versions.pop(uri, None)
        while self._shown.get(uri):
            self.diagnostics(uri)

    def at(self, method: str, uri: str, line: int, character: int, **more: Any) -> Any:
        """Ask about a position of a document."""
        place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        return self.ask(f"textDocument/{method}", **place, **more)

    def about(self, method: str, uri: str, **more: Any) -> Any:
        """Ask about a document."""
        return self.ask(f"textDocument/{method}", textDocument={"uri": uri}, **more)

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        stream = self._process.stdout
        while header := stream.readline():
            size = 0
            while header.strip():
                if header.lower().startswith(b"content-length:"):
                    size = int(header.partition(b":")[2])
                header = stream.readline()
            message = json.loads(stream.read(size))
            method = message.get("method")
            if method is None:
                self._answers.pop(message["id"]).put(message)
            elif "id" in message:
                self._send({"id": message["id"], "result": self._answer(method, message.get("params"))})
            elif method == "textDocument/publishDiagnostics":
                self._published.put(message["params"])
            elif method == "window/logMessage":
                self.logged.append(message["params"]["message"])

    def _answer(self, method: str, parameters: Any) -> Any:
        """Answer a question of the server."""
        if method == "workspace/configuration":
            return [self._settings.get(item.get("section")) for item in parameters["items"]]
        if method == "workspace/inlayHint/refresh":
            self.refreshed += 1
        return None


def offset_of(text: str, position: dict[str, int]) -> int:
    """Return the offset of a position that counts UTF-16 code units."""
    lines = text.split("\n")
    line = lines[position["line"]]
    units = line.encode("utf-16-le")[: 2 * position["character"]]
    return sum(len(each) + 1 for each in lines[: position["line"]]) + len(units.decode("utf-16-le"))


def position_of(text: str, offset: int) -> dict[str, int]:
    """Return the position of an offset."""
    before = text[:offset]
    line = before.count("\n")
    return {"line": line, "character": len(before[before.rfind("\n") + 1 :].encode("utf-16-le")) // 2}


def edited(text: str, edits: Sequence[dict[str, Any]]) -> str:
    """Apply the edits of an answer to a text."""
    places = [(offset_of(text, e["range"]["start"]), offset_of(text, e["range"]["end"]), e["newText"]) for e in edits]
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text
