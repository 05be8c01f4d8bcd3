"""Members of families that other installed packages bring, under an entry point group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import NnspecError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["Plugin", "PluginError", "Plugins", "reason_of"]


class PluginError(NnspecError):
    """A plug-in that cannot be used; the text names its package."""


@dataclass(frozen=True)
class Plugin:
    """One name that installed packages bring.

    Attributes:
        name: What a spec calls it.
        entries: Where it stands; several where several packages bring the same name.
    """

    name: str
    entries: tuple[EntryPoint, ...]

    @property
    def package(self) -> str:
        """The package with its version, ``nnspec-vision 0.1``; several in a row."""
        return " and ".join(sorted({_package(entry) for entry in self.entries}))

    @property
    def versions(self) -> dict[str, str]:
        """Its packages, each with its version."""
        return {entry.dist.name: entry.dist.version for entry in self.entries if entry.dist is not None}

    def load(self) -> object:
        """What the entry point leads to.

        Raises:
            PluginError: Where several packages bring it, or it cannot be imported.
        """
        if len({entry.value for entry in self.entries}) > 1:
            raise PluginError(f"`{self.name}` is brought by {self.package}, and only one of them can be meant")
        try:
            return self.entries[0].load()
        except (Exception, SystemExit) as error:  # whatever the module of a stranger does when it is imported
            where = f"the package {self.package} does not load `{self.entries[0].value}`"
            raise PluginError(f"{where} ({reason_of(error)})") from error


class Plugins:
    """What installed packages bring to one family. They are looked for when a name is first asked for, and not before.

    Args:
        group: The entry point group, ``nnspec.layers``.
        fault: Why an object cannot be the member of a name; None if it can.
        capitalized: Whether all names begin with a capital letter: packages are not searched for any other.
    """

    def __init__(self, group: str, fault: Callable[[Any, str], str | None], *, capitalized: bool = False) -> None:
        self.group, self.capitalized = group, capitalized
        self._fault = fault
        self._loaded: dict[str, type] = {}

    @cached_property
    def found(self) -> Mapping[str, Plugin]:
        """Every name that some package brings, fit or not."""
        from importlib.metadata import entry_points  # with what it imports it takes longer than to check a small spec

        by_name: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=self.group):
            by_name.setdefault(entry.name, []).append(entry)
        return {name: Plugin(name, tuple(entries)) for name, entries in sorted(by_name.items())}

    def forget(self) -> None:
        """Looks anew the next time: packages have come or gone."""
        self.__dict__.pop("found", None)
        self._loaded.clear()

    def get(self, name: str) -> type[Any]:
        """The class of a name that is `found`.

        Raises:
            PluginError: Where its package is broken.
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
        """The plug-in that a class in use comes from; None where it comes from none."""
        return self.found[kind.__name__] if self._loaded.get(kind.__name__) is kind else None


def reason_of(error: BaseException) -> str:
    """What a stranger's error says, in one line.

    Example:
        >>> reason_of(KeyError("units"))
        "KeyError: 'units'"
    """
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}"


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.module
