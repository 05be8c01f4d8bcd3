"""The models that are served: looked up by name and version, and loaded anew when their files change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.serving.loading import loaded, loaded_beside
from nnspec.serving.metrics import Metrics
from nnspec.serving.refusals import Refused
from nnspec.serving.served import Served
from nnspec.serving.settings import Settings
from nnspec.serving.sources import found
from nnspec.types import closest

__all__ = ["Repository"]

_SECONDS = 1.0
"""How often the files are looked at."""
_LAST_SECONDS = 2.0
"""How long what still computes when the server ends may go on."""
_Key = tuple[str, str]
_Stamp = tuple[int, int, int]


class Repository:
    """Models by name and version.

    Args:
        sources: A file or a folder of versions for each name.
        settings: The server's.
        metrics: Where batches and reloads are counted.
        say: Is told what happens to a model while the server runs.

    Raises:
        NnspecError: Where a file is no model that can be served.
    """

    def __init__(
        self,
        sources: Mapping[str, Path],
        settings: Settings,
        metrics: Metrics,
        say: Callable[..., None] = lambda event, **facts: None,
    ) -> None:
        self._sources = sources
        self._settings = settings
        self._metrics = metrics
        self._say = say
        self._served: dict[_Key, Served] = {}
        self._stamps: dict[_Key, _Stamp | None] = {}
        for key, path in found(sources).items():
            self._stamps[key] = _stamp(path)
            self._served[key] = loaded(partial(self._load, key, path), path, settings.warm_up_seconds)
        self._loading: dict[_Key, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Any:
        return iter(list(self._served.values()))

    @property
    def names(self) -> list[str]:
        """The names of all models."""
        return list(dict.fromkeys(name for name, _ in self._served))

    def versions(self, name: str) -> list[str]:
        """The versions of a model, the latest last."""
        return sorted((version for own, version in self._served if own == name), key=int)

    def find(self, name: str, version: str | None = None) -> Served:
        """A model; the latest version where none is named.

        Raises:
            Refused: With 404, where there is none.
        """
        versions = self.versions(name)
        if not versions:
            meant = closest(name, self.names) if len(name) < 200 else None
            hint = f"; did you mean `{meant}`?" if meant else f"; there are {', '.join(self.names)}" if self.names else ""
            raise Refused(404, f"there is no model {name[:100]!r}{hint}")
        if version is not None and version not in versions:
            raise Refused(404, f"the model `{name}` has no version {version[:100]!r}; there are {', '.join(versions)}")
        return self._served[name, version or versions[-1]]

    async def watch(self) -> None:
        """Looks at the files for ever. A model that takes long to load holds up no other."""
        while True:
            await asyncio.sleep(_SECONDS)
            await self._look()

    async def refresh(self) -> None:
        """Loads what is new or has changed, and lets go of what is gone.

        A model that cannot be loaded leaves the one before it in its place.
        """
        await self._look()
        await asyncio.gather(*self._loading.values(), return_exceptions=True)

    async def _look(self) -> None:
        files = await asyncio.to_thread(found, self._sources)
        for key, path in files.items():
            stamp = _stamp(path)
            if stamp is None or self._stamps.get(key) == stamp:
                continue  # a file that is gone for a moment is being replaced
            self._stamps[key] = stamp
            if key in self._loading:
                self._loading[key].cancel()
            self._loading[key] = task = asyncio.get_running_loop().create_task(self._reload(key, path))
            task.add_done_callback(partial(self._has_loaded, key))
        for key in self._served.keys() - files.keys():
            self._say("gone", model=key[0], version=key[1])
            self._let_go(self._served.pop(key))
            self._stamps.pop(key, None)

    async def close(self) -> None:
        """Computes what still waits, for a moment, and lets go of all models."""
        for task in self._loading.values():
            task.cancel()
        closing = (served.batcher.close(_LAST_SECONDS) for served in self._served.values())
        ending = asyncio.gather(*self._closing, *self._loading.values(), *closing, return_exceptions=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(ending, 2 * _LAST_SECONDS)

    async def _reload(self, key: _Key, path: Path) -> None:
        try:
            fresh = await loaded_beside(partial(self._load, key, path), path, self._settings.warm_up_seconds)
        except NnspecError as error:
            self._metrics.reloads.labels(*key, "failed").inc()
            self._say("reload failed", model=key[0], version=key[1], error=str(error))
            return
        before = self._served.get(key)
        self._served[key] = fresh
        self._metrics.reloads.labels(*key, "loaded").inc()
        self._say("loaded", model=key[0], version=key[1], file=str(path))
        self._let_go(before)

    def _has_loaded(self, key: _Key, task: asyncio.Task[None]) -> None:
        if self._loading.get(key) is task:
            del self._loading[key]

    def _load(self, key: _Key, path: Path) -> Served:
        return Served(*key, path, self._settings, self._metrics.of_batches(*key))

    def _let_go(self, served: Served | None) -> None:
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
