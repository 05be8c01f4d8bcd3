"""Plug-ins: members of families from other installed packages, found by entry points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import NnspecError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class PluginError(NnspecError):
    """A plug-in that cannot be used; the message names its package."""


@dataclass(frozen=True)
class Plugin:
    """One name provided by installed packages.

    Attributes:
        name: The name in specs.
        entries: Its entry points; several if several packages provide the name.
    """

    name: str
    entries: tuple[EntryPoint, ...]

    @property
    def package(self) -> str:
        """The package with its version, ``nnspec-vision 0.1``, or several packages."""
        return " and ".join(sorted({_package(entry) for entry in self.entries}))

    @property
    def versions(self) -> dict[str, str]:
        """The version of each package."""
        return {entry.dist.name: entry.dist.version for entry in self.entries if entry.dist is not None}

    def load(self) -> object:
        """Import and return the object of the entry point.

        Raises:
            PluginError: If several packages provide it, or it cannot be imported.
        """
        if len({entry.value for entry in self.entries}) > 1:
            raise PluginError(f"`{self.name}` is provided by {self.package}; uninstall all but one of them")
        try:
            return self.entries[0].load()
        except (Exception, SystemExit) as error:  # plug-in code may raise anything
            where = f"the package {self.package} fails to load `{self.entries[0].value}`"
            raise PluginError(f"{where} ({reason_of(error)})") from error


class Plugins:
    """The plug-ins of one family, searched on first use.

    Args:
        group: The entry point group, ``nnspec.layers``.
        fault: Returns why an object is not a valid member of a name; None if it is valid.
        capitalized: Whether all names begin with a capital letter, so that packages are not searched for others.
    """

    def __init__(self, group: str, fault: Callable[[Any, str], str | None], *, capitalized: bool = False) -> None:
        self.group, self.capitalized = group, capitalized
        self._fault = fault
        self._loaded: dict[str, type] = {}

    @cached_property
    def found(self) -> Mapping[str, Plugin]:
        """All names that packages provide, whether valid or not."""
        from importlib.metadata import entry_points  # slower to import than checking a small spec

        by_name: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=self.group):
            by_name.setdefault(entry.name, []).append(entry)
        return {name: Plugin(name, tuple(entries)) for name, entries in sorted(by_name.items())}

    def forget(self) -> None:
        """Clear the cache, after packages were installed or removed."""
        self.__dict__.pop("found", None)
        self._loaded.clear()

    def get(self, name: str) -> type[Any]:
        """Return the class of a name in `found`.

        Raises:
            PluginError: If its package is broken.
        """
        if name not in self._loaded:
            plugin = self.found[name]
            kind = plugin.load()
            reason = self._fault(kind, name)
            if reason is not None:
                raise PluginError(f"`{plugin.entries[0].value}` of the package {plugin.package} {reason}")
            assert isinstance(kind, type)
            self._loaded[name] = kind
        return self._loaded[name]

    def owner(self, kind: type) -> Plugin | None:
        """Return the plug-in that a loaded class comes from, or None."""
        return self.found[kind.__name__] if self._loaded.get(kind.__name__) is kind else None


def reason_of(error: BaseException) -> str:
    """Return the message of an exception in one line.

    Example:
        >>> reason_of(KeyError("units"))
        "KeyError: 'units'"
    """
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}"


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.module
