"""Which of Keras's layers are here: every public class of ``keras.layers``, with the reason for those that are not."""

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
    """The page in Markdown.

    Args:
        written: The remark that says who writes the page.
        page_of: Where a layer stands, below ``docs/layers``.
    """
    names = keras_layers()
    here = [name for name in names if name in LAYERS.modules]
    alias = [name for name in names if name in LAYERS.aliases and name not in (*here, *LAYERS.left_out)]
    text = (
        f"Keras has {len(names)} public classes under `keras.layers`. {len(here)} are layers here, of the same name,\n"
        f"arguments and defaults. {len(alias)} are second names, answered with the first. Of the others it is said why\n"
        "they are not here."
    )
    rows = [[f"`{name}`", _answer(name, page_of)] for name in names]
    ours = [name for name in LAYERS.names() if name not in names]
    beyond = ", ".join(f"[{name}](layers/{page_of(name)})" for name in ours)
    parts = ["# Keras's layers", written, text, table(["in Keras", "here"], rows), f"Layers that Keras has not: {beyond}."]
    return "\n\n".join(parts) + "\n"


def _answer(name: str, page_of: Callable[[str], str]) -> str:
    if name in LAYERS.modules:
        return f"[{name}](layers/{page_of(name)})"
    if name in LAYERS.left_out:
        return f"no: {LAYERS.left_out[name]}"
    if name in LAYERS.aliases:
        return f"a second name: write [{LAYERS.aliases[name]}](layers/{page_of(LAYERS.aliases[name])})"
    return f"no: {_NOT_YET}"
