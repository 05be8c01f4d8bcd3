"""The coverage of ``keras.layers``: every public class, with the reason for missing ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache

from nnspec.layers import LAYERS
from nnspec.reference.layer import table

__all__ = ["keras_layers", "keras_page"]

_NOT_YET = "not in this version"


@cache
def keras_layers() -> list[str]:
    """The public classes of the installed Keras's ``keras.layers``."""
    import keras

    return sorted(name for name, thing in vars(keras.layers).items() if inspect.isclass(thing))


def keras_page(written: str, page_of: Callable[[str], str]) -> str:
    """Render the page as Markdown.

    Args:
        written: The comment that states how the page is generated.
        page_of: Returns the page of a layer, relative to ``docs/layers``.
    """
    names = keras_layers()
    here = [name for name in names if name in LAYERS.modules]
    alias = [name for name in names if name in LAYERS.aliases and name not in (*here, *LAYERS.left_out)]
    text = (
        f"Keras has {len(names)} public classes under `keras.layers`. nnspec has {len(here)} of them, with the same names,\n"
        f"arguments and defaults. {len(alias)} are aliases. The table gives the reason for each of the others.\n"
        "nnspec also has layers of its own, which are listed below the table."
    )
    rows = [[f"`{name}`", _answer(name, page_of)] for name in names]
    ours = [name for name in LAYERS.names() if name not in names]
    beyond = ", ".join(f"[{name}](layers/{page_of(name)})" for name in ours)
    parts = ["# Keras's layers", written, text, table(["Keras", "nnspec"], rows), f"Layers that Keras does not have: {beyond}."]
    return "\n\n".join(parts) + "\n"


def _answer(name: str, page_of: Callable[[str], str]) -> str:
    if name in LAYERS.modules:
        return f"[{name}](layers/{page_of(name)})"
    if name in LAYERS.left_out:
        return f"no: {LAYERS.left_out[name]}"
    if name in LAYERS.aliases:
        return f"an alias: use [{LAYERS.aliases[name]}](layers/{page_of(LAYERS.aliases[name])})"
    return f"no: {_NOT_YET}"
