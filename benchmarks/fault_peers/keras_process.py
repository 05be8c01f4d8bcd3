"""Run by a Python that has Keras: builds the model of each source, and writes what was said.

``python keras_process.py ASKED ANSWERED``: ``ASKED`` is a JSON list of sources; ``ANSWERED`` becomes a list of what was said.
``python keras_process.py SOURCE`` builds one.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import keras

FILE = "net.py"


def answer(source: str) -> dict[str, Any]:
    """What building the model of a source gives: its config, or the error as Python prints it."""
    keras.utils.clear_session()
    namespace: dict[str, Any] = {"__name__": "net"}
    try:
        exec(compile(source, FILE, "exec"), namespace)
        return {"made": json.dumps(namespace["build"]().get_config(), default=str)}
    except Exception as error:
        return {"message": _printed(error), **_place(error)}


def _printed(error: Exception) -> str:
    """What Python prints of an error below the traceback, with its suggestions."""
    shown = io.StringIO()
    with contextlib.redirect_stderr(shown):
        sys.__excepthook__(type(error), error, error.__traceback__)
    lines = shown.getvalue().splitlines()
    frames = max((at for at, line in enumerate(lines) if line.startswith('  File "')), default=-1)
    names = (type(error).__qualname__, f"{type(error).__module__}.{type(error).__qualname__}")
    begin = next((at for at, line in enumerate(lines) if at > frames and line.startswith(names)), frames + 1)
    return "\n".join(lines[begin:])


def _place(error: Exception) -> dict[str, Any]:
    """The innermost line in the user's file, and the columns that a syntax error points at."""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        first = error.offset or 1
        return {"lines": [error.lineno], "stretches": [[error.lineno, first, max(error.end_offset or 0, first + 1)]]}
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    return {"lines": lines[-1:], "stretches": []}


def main(asked: str, answered: str) -> None:
    sources = json.loads(Path(asked).read_text(encoding="utf-8"))
    Path(answered).write_text(json.dumps([answer(source) for source in sources]), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.exit("message" in answer(Path(sys.argv[1]).read_text(encoding="utf-8")))
    main(*sys.argv[1:])
