"""Readers of other installed packages, in the entry point group ``nnspec.readers``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from nnspec.diagnostics import NnspecError

GROUP = "nnspec.readers"


class ReaderModules(Mapping[str, str]):
    """The module of each reader. Installed packages are searched only for names that are not built in.

    A plug-in is an entry point ``weather = "nnspec_weather:weather"`` to a subclass of `Reader`. The entry point and the
    object have the reader's name. Plug-ins cannot replace built-in readers.

    Args:
        built_in: The modules of the built-in readers.
    """

    def __init__(self, built_in: Mapping[str, str]) -> None:
        self._built_in = built_in

    @cached_property
    def _found(self) -> dict[str, Any]:
        from importlib.metadata import entry_points  # importing it takes longer than checking a small spec

        return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in self._built_in}

    def __getitem__(self, name: str) -> str:
        if name in self._built_in:
            return self._built_in[name]
        entry = self._found[name]
        try:
            reason = fault(entry.load(), name)
        except (Exception, SystemExit) as error:  # the module of a plug-in can raise anything
            reason = f"cannot be loaded ({type(error).__name__}: {str(error).partition(chr(10))[0][:300]})"
        if reason is None and entry.attr != name:
            reason = f"must be called `{name}` in its module, as it is in a spec"
        if reason is not None:
            package = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.module
            raise NnspecError(f"the reader `{entry.value}` of the package {package} {reason}")
        module: str = entry.module
        return module

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or (isinstance(name, str) and name in self._found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._built_in)  # lists, such as the schema, do not depend on installed packages

    def __len__(self) -> int:
        return len(self._built_in)


def fault(kind: Any, name: str) -> str | None:
    """Return why an object cannot be the reader of a name, as a clause; None if it can."""
    from nnspec.data.readers.base import Reader

    if not (isinstance(kind, type) and issubclass(kind, Reader)):
        return "is not a subclass of `nnspec.data.readers.Reader`"
    for method in ("columns", "open"):
        if getattr(kind, method) is getattr(Reader, method):
            return f"has no method `{method}`"
    unknown = [argument for argument in kind.paths if argument not in kind.model_fields]
    return f"lists `{unknown[0]}` in `paths`, which is not one of its arguments" if unknown else None
