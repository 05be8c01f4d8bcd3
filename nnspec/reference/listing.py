"""All available layers: built-in ones, and those of installed packages, including broken ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from nnspec.layers import LAYERS
from nnspec.types import PluginError


@dataclass(frozen=True)
class Listed:
    """An available layer.

    Attributes:
        name: The name in specs.
        package: The package of a plug-in; empty for a built-in layer.
        usable: Whether a spec can use it.
        about: A short description, or why it cannot be used.
    """

    name: str
    package: str
    usable: bool
    about: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ListedFunction:
    """A function of ``Compute``.

    Attributes:
        name: The name in expressions.
        family: What it is listed under.
        signature: How a call is written.
        about: What it computes.
    """

    name: str
    family: str
    signature: str
    about: str

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "function": True}


def functions() -> list[ListedFunction]:
    """List the functions of ``Compute``, by family.

    Example:
        >>> [each.signature for each in functions() if each.name == "softmax"]
        ['softmax(x, axis=-1)']
    """
    from nnspec.functions.catalogue import FAMILIES

    return [
        ListedFunction(name, family, function.signature, function.summary)
        for family, module in FAMILIES.items()
        for name, function in module.FUNCTIONS.items()
    ]


def listing() -> list[Listed]:
    """List all layers: built-in ones, then those of other packages.

    Example:
        >>> [layer.about for layer in listing() if layer.name == "Flatten"]
        ['Flattens all axes into one; a scalar gets an axis of size 1.']
    """
    built_in = [Listed(name, "", True, _about(LAYERS.get(name))) for name in LAYERS.names()]
    return [*built_in, *_plugins()]


def _plugins() -> Iterator[Listed]:
    assert LAYERS.plugins is not None
    for name, plugin in LAYERS.plugins.found.items():
        if name in LAYERS.modules:
            reason = f"the package {plugin.package} defines `{name}`, which is built in; it must rename its layer"
            yield Listed(name, plugin.package, False, reason)
            continue
        try:
            yield Listed(name, plugin.package, True, _about(LAYERS.get(name)))
        except PluginError as error:
            yield Listed(name, plugin.package, False, str(error))


def _about(kind: type) -> str:
    return (kind.__dict__.get("__doc__") or "").strip().partition("\n")[0].replace("``", "`")


def kind_text(kind: str) -> str | None:
    """The names of a kind, such as ``losses``, with their descriptions; None if there is no such kind.

    Example:
        >>> print("\\n".join(kind_text("folds").splitlines()[:3]))
        ## Folds
        <BLANKLINE>
        Under `data.validation` and `data.test`, in place of a reader.
    """
    from nnspec.reference.language import group_names
    from nnspec.reference.members import GROUPS

    found = [group for group in GROUPS if kind.lower() in (group.title.lower(), group.title.lower().rpartition(" ")[2])]
    return "\n".join(f"## {group.title}\n\n{group.about}\n\n{group_names(group)}\n" for group in found) or None
