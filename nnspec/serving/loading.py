"""Loading of models with a time limit, including a first inference."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from nnspec.diagnostics import NnspecError
from nnspec.runtime.session import Stop
from nnspec.serving.served import default_name
from nnspec.serving.worker import Worker

Files = Mapping[tuple[str, str], Path]
"""The file of each name and version."""

_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


def named_sources(arguments: Sequence[str]) -> dict[str, Path]:
    """Parse the arguments of ``serve`` into a file, or a folder of versions, for each model name.

    Args:
        arguments: ``FILE``, ``NAME=FILE``, a folder of versions (``NAME/1/model.onnx``), or a folder of such folders.

    Raises:
        NnspecError: If there is no model, or two models have the same name.
    """
    sources: dict[str, Path] = {}
    for argument in arguments:
        for name, path in _of_argument(argument).items():
            if not name or not _ALLOWED.issuperset(name) or name.strip(".") == "":
                raise NnspecError(f"invalid model name `{name}`: use letters, digits, `_`, `-`, and `.`")
            if name in sources:
                raise NnspecError(
                    f"`{sources[name]}` and `{path}` are both named `{name}`\n  = help: rename one: `{name}-2={path}`"
                )
            sources[name] = path
    return sources


def find_files(sources: Mapping[str, Path]) -> dict[tuple[str, str], Path]:
    """Find the existing files; for a folder, of all versions."""
    return {(name, version): file for name, path in sources.items() for version, file in _versions(path).items()}


def _of_argument(argument: str) -> dict[str, Path]:
    name, equals, rest = argument.partition("=")
    if equals and not Path(argument).exists():
        path = Path(rest)
        if path.is_dir() and not _versions(path):
            raise NnspecError(f"`{path}` contains no model version; expected a file such as `{path}/1/model.onnx`")
        return {name: path}
    path = Path(argument)
    if not path.is_dir():
        return {default_name(path): path}
    if _versions(path):
        return {path.resolve().name: path}
    models = {folder.name: folder for folder in sorted(path.iterdir()) if folder.is_dir() and _versions(folder)}
    if not models:
        raise NnspecError(
            f"the folder `{path}` contains no model; expected `{path}/NAME/1/model.onnx`\n  = help: pass the .onnx file"
        )
    return models


def _versions(path: Path) -> dict[str, Path]:
    """The versions of a model: 1 for a file, or the subfolders of a folder that are named by an integer."""
    if not path.is_dir():
        return {"1": path}
    folders = [folder for folder in path.iterdir() if folder.name.isdecimal() and (folder / "model.onnx").is_file()]
    return {folder.name: folder / "model.onnx" for folder in sorted(folders, key=lambda folder: int(folder.name))}


T = TypeVar("T")
_STOP_SECONDS = 2.0
"""Seconds in which an interrupted run usually stops."""


def load_with_timeout(load: Callable[[], T], path: Path, seconds: float) -> T:
    """Load a model and wait for it.

    Args:
        load: Loads the model and runs it once. It is called in a thread, which is abandoned if it cannot be interrupted.
        path: The file of the model.
        seconds: The time limit.

    Raises:
        NnspecError: If the time limit is exceeded, or the model cannot be loaded.
    """
    stop = Stop()
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(_load_stoppable(stop, load))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="load", daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        is_late = thread.is_alive()
        stop.set()
    if is_late:
        thread.join(_STOP_SECONDS)
        raise _timeout_error(path, seconds)
    if failures:
        raise failures[0]
    return results[0]


async def load_in_background(load: Callable[[], T], path: Path, seconds: float) -> T:
    """Load a model without blocking the event loop.

    Raises:
        NnspecError: If the time limit is exceeded, or the model cannot be loaded.
    """
    stop, worker = Stop(), Worker("load")
    running = worker.run(partial(_load_stoppable, stop, load))
    worker.close()
    running.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(running)
    except TimeoutError:
        raise _timeout_error(path, seconds) from None
    finally:
        stop.set()


def _load_stoppable(stop: Stop, load: Callable[[], T]) -> T:
    with stop.of_this_thread():
        return load()


def _timeout_error(path: Path, seconds: float) -> NnspecError:
    return NnspecError(
        f"`{path}` was not loaded within {seconds:g} s, including a first inference\n  = help: raise --warm-up, or "
        "check whether the model terminates"
    )
