"""The served models: lookup by name and version, and reloading when files change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.serving.errors import RequestError
from nnspec.serving.loading import find_files, load_in_background, load_with_timeout
from nnspec.serving.metrics import Metrics
from nnspec.serving.served import Served
from nnspec.serving.settings import Settings
from nnspec.types import closest

_SECONDS = 1.0
"""Interval of checking the files."""
_LAST_SECONDS = 2.0
"""Time that running computations get when the server shuts down."""
_Key = tuple[str, str]
_Stamp = tuple[int, int, int]


class Repository:
    """Models by name and version.

    Args:
        sources: A file, or a folder of versions, for each name.
        settings: The settings of the server.
        metrics: The metrics of the server.
        log: Called with events of models while the server runs.

    Raises:
        NnspecError: If a model cannot be served.
    """

    def __init__(
        self,
        sources: Mapping[str, Path],
        settings: Settings,
        metrics: Metrics,
        log: Callable[..., None] = lambda event, **facts: None,
    ) -> None:
        self._sources = sources
        self._settings = settings
        self._metrics = metrics
        self._log = log
        self._served: dict[_Key, Served] = {}
        self._stamps: dict[_Key, _Stamp | None] = {}
        for key, path in find_files(sources).items():
            self._stamps[key] = _stamp(path)
            self._served[key] = load_with_timeout(partial(self._load, key, path), path, settings.warm_up_seconds)
        self._loading: dict[_Key, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Any:
        return iter(list(self._served.values()))

    @property
    def descriptions(self) -> list[str]:
        """The names and versions of all models."""
        return [f"{served.name}/{served.version}" for served in self._served.values()]

    @property
    def names(self) -> list[str]:
        """The names of all models."""
        return list(dict.fromkeys(name for name, _ in self._served))

    def versions(self, name: str) -> list[str]:
        """The versions of a model in ascending order."""
        return sorted((version for own, version in self._served if own == name), key=int)

    def find(self, name: str, version: str | None = None) -> Served:
        """Find a model, by default its latest version.

        Raises:
            RequestError: With 404 if it does not exist.
        """
        versions = self.versions(name)
        if not versions:
            suggestion = closest(name, self.names) if len(name) < 200 else None
            hint = (
                f"; did you mean `{suggestion}`?"
                if suggestion
                else f"; the models are {', '.join(self.names)}"
                if self.names
                else ""
            )
            raise RequestError(404, f"unknown model {name[:100]!r}{hint}")
        if version is not None and version not in versions:
            raise RequestError(
                404, f"the model `{name}` has no version {version[:100]!r}; its versions are {', '.join(versions)}"
            )
        return self._served[name, version or versions[-1]]

    async def watch(self) -> None:
        """Check the files periodically. A slow load does not delay other models."""
        while True:
            await asyncio.sleep(_SECONDS)
            await self._check_files()

    async def refresh(self) -> None:
        """Load new and changed models, and close removed ones.

        If a model cannot be loaded, the previous one stays in service.
        """
        await self._check_files()
        await asyncio.gather(*self._loading.values(), return_exceptions=True)

    async def _check_files(self) -> None:
        files = await asyncio.to_thread(find_files, self._sources)
        for key, path in files.items():
            stamp = _stamp(path)
            if stamp is None or self._stamps.get(key) == stamp:
                continue  # a missing file may be in the middle of a replacement
            self._stamps[key] = stamp
            if key in self._loading:
                self._loading[key].cancel()
            self._loading[key] = task = asyncio.get_running_loop().create_task(self._reload(key, path))
            task.add_done_callback(partial(self._forget_task, key))
        for key in self._served.keys() - files.keys():
            self._log("gone", model=key[0], version=key[1])
            self._close_model(self._served.pop(key))
            self._stamps.pop(key, None)

    async def close(self) -> None:
        """Compute waiting requests for a short time, and close all models."""
        for task in self._loading.values():
            task.cancel()
        closing = (served.batcher.close(_LAST_SECONDS) for served in self._served.values())
        ending = asyncio.gather(*self._closing, *self._loading.values(), *closing, return_exceptions=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(ending, 2 * _LAST_SECONDS)

    async def _reload(self, key: _Key, path: Path) -> None:
        try:
            fresh = await load_in_background(partial(self._load, key, path), path, self._settings.warm_up_seconds)
        except NnspecError as error:
            self._metrics.reloads.labels(*key, "failed").inc()
            self._log("reload failed", model=key[0], version=key[1], error=str(error))
            return
        before = self._served.get(key)
        self._served[key] = fresh
        self._metrics.reloads.labels(*key, "loaded").inc()
        self._log("loaded", model=key[0], version=key[1], file=str(path))
        self._close_model(before)

    def _forget_task(self, key: _Key, task: asyncio.Task[None]) -> None:
        if self._loading.get(key) is task:
            del self._loading[key]

    def _load(self, key: _Key, path: Path) -> Served:
        return Served(*key, path, self._settings, self._metrics.of_batches(*key))

    def _close_model(self, served: Served | None) -> None:
        if served is not None:
            task = asyncio.get_running_loop().create_task(served.batcher.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
