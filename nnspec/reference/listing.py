"""Every layer that a spec can name here: built in, and of installed packages, broken ones too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from nnspec.layers import LAYERS
from nnspec.types import PluginError

__all__ = ["Listed", "listing"]


@dataclass(frozen=True)
class Listed:
    """One layer.

    Attributes:
        name: What a spec calls it.
        package: Which package brings it; empty where it is built in.
        usable: Whether a spec can use it.
        about: What it is, or why it cannot be used.
    """

    name: str
    package: str
    usable: bool
    about: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def listing() -> list[Listed]:
    """All layers: the built-in ones, then those of other packages.

    Example:
        >>> [layer.about for layer in listing() if layer.name == "Flatten"]
        ['All axes in one; a scalar gets an axis of size 1.']
    """
    built_in = [Listed(name, "", True, _about(LAYERS.get(name))) for name in LAYERS.names()]
    return [*built_in, *_plugins()]


def _plugins() -> Iterator[Listed]:
    assert LAYERS.plugins is not None
    for name, plugin in LAYERS.plugins.found.items():
        if name in LAYERS.modules:
            reason = f"the package {plugin.package} brings `{name}`, which is built in; it should call its layer otherwise"
            yield Listed(name, plugin.package, False, reason)
            continue
        try:
            yield Listed(name, plugin.package, True, _about(LAYERS.get(name)))
        except PluginError as error:
            yield Listed(name, plugin.package, False, str(error))


def _about(kind: type) -> str:
    return (kind.__dict__.get("__doc__") or "").strip().partition("\n")[0].replace("``", "`")
