"""The models that are served: looked up by name and version, and loaded anew when their files change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.serving.metrics import Metrics
from nnspec.serving.refusals import Refused
from nnspec.serving.served import Served
from nnspec.serving.settings import Settings
from nnspec.serving.sources import found
from nnspec.types import closest

__all__ = ["Repository"]

_SECONDS = 1.0
"""How often the files are looked at."""
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
            self._served[key] = self._load(key, path)
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
        """Looks at the files for ever."""
        while True:
            await asyncio.sleep(_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Loads what is new or has changed, and lets go of what is gone.

        A model that cannot be loaded leaves the one before it in its place.
        """
        files = await asyncio.to_thread(found, self._sources)
        for key, path in files.items():
            stamp = _stamp(path)
            if stamp is None or self._stamps.get(key) == stamp:
                continue  # a file that is gone for a moment is being replaced
            self._stamps[key] = stamp
            try:
                fresh = await asyncio.to_thread(self._load, key, path)
            except NnspecError as error:
                self._metrics.reloads.labels(*key, "failed").inc()
                self._say("reload failed", model=key[0], version=key[1], error=str(error))
                continue
            before = self._served.get(key)
            self._served[key] = fresh
            self._metrics.reloads.labels(*key, "loaded").inc()
            self._say("loaded", model=key[0], version=key[1], file=str(path))
            self._let_go(before)
        for key in self._served.keys() - files.keys():
            self._say("gone", model=key[0], version=key[1])
            self._let_go(self._served.pop(key))
            del self._stamps[key]

    async def close(self) -> None:
        """Computes what still waits, and lets go of all models."""
        await asyncio.gather(*(served.batcher.close() for served in self._served.values()), *self._closing)

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
