"""Every page of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from nnspec.layers import LAYERS
from nnspec.reference.exported import operators
from nnspec.reference.keras import keras_page
from nnspec.reference.layer import layer_text, table

__all__ = ["families", "page_of", "pages"]

WRITTEN = "<!-- Written by `nnspec layers --write docs`; edit the classes in nnspec/layers/ instead. -->"


def pages() -> dict[str, str]:
    """The pages by their paths below ``docs``. Needs Keras, for what it has, and ONNX, for what layers become."""
    found = {f"layers/{family}.md": _family(family, names) for family, names in families().items()}
    return {"layers/README.md": _index(), **found, "keras.md": keras_page(WRITTEN, page_of)}


def families() -> Mapping[str, list[str]]:
    """The built-in layers by their families."""
    found: dict[str, list[str]] = {}
    for name in LAYERS.names():
        found.setdefault(LAYERS.modules[name].rpartition(".")[2], []).append(name)
    return dict(sorted(found.items()))


def page_of(name: str) -> str:
    """Where a layer stands, below ``docs/layers``."""
    return f"{LAYERS.modules[name].rpartition('.')[2]}.md#{name.lower()}"


def _family(family: str, names: list[str]) -> str:
    module = import_module(f"nnspec.layers.{family}")
    about = (module.__doc__ or "").strip().replace("``", "`")
    layers = [layer_text(name, operators=operators) for name in names]
    return "\n".join([f"# {_title(family)}", "", WRITTEN, "", about, "", *layers])


def _title(family: str) -> str:
    return family.replace("_", " ").capitalize()


def _index() -> str:
    text = (
        "Names, arguments and defaults are Keras's, where Keras has the layer; [keras.md](../keras.md) says of each of\n"
        "Keras's layers whether it is here. `nnspec layers` lists those of installed packages too, and\n"
        "`nnspec layers NAME` prints what stands here.\n"
        "Sizes in capitals are free: known at run time."
    )
    return "\n".join(["# Layers", "", WRITTEN, "", text, "", table(["layer", "what it is"], list(_rows()))]) + "\n"


def _rows() -> Iterator[list[str]]:
    for name in LAYERS.names():
        about = (LAYERS.get(name).__doc__ or "").strip().partition("\n")[0].replace("``", "`")
        yield [f"[{name}]({page_of(name)})", about]
