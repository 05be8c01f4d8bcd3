"""Names in the spec: as in Keras if valid, else the closest valid name that is free."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nnspec.spec.blocks import BLOCK_NAME
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.expand import STEP_NAME
from nnspec.spec.shapes import NAME


class Names:
    """The unique names of one scope.

    Args:
        beside: Another scope whose names must also differ: the weights of networks and of main steps share a namespace.
    """

    def __init__(self, beside: Names | None = None) -> None:
        self.beside = beside
        self._taken: set[str] = set()
        self._reserved: set[str] = set()
        self._claimed: set[str] = set()
        self._outputs: set[str] = set()

    def reserve(self, names: Iterable[str]) -> None:
        """Reserve valid names for their owners, so that adjusted names do not take them."""
        self._reserved |= {name for name in names if STEP_NAME.fullmatch(name)}

    def claim(self, names: Iterable[str]) -> None:
        """Exclude names from the other scope."""
        self._claimed |= {name for name in names if STEP_NAME.fullmatch(name)}

    def input(self, name: str) -> str:
        """Return the name of an input."""
        return self._free(_legal(name, NAME, "input"), own=name)

    def step(self, name: str, call: int, suffix: str = "", *, network: str = "") -> str:
        """Return the name of a step.

        Args:
            name: The Keras layer's name.
            call: The index of the call; later calls are numbered.
            suffix: The suffix of a part of the layer's translation.
            network: The network it uses, whose name is allowed.
        """
        legal = _legal(name, STEP_NAME, "layer") + suffix + (f"_{call}" if call else "")
        return self._free(legal, own=name if legal == name else "", shared=network)

    def output(self, name: str) -> str:
        """Return the name of an output."""
        legal, number = _legal(name, NAME, "output"), 1
        found = legal
        while found in self._outputs:
            number += 1
            found = f"{legal}_{number}"
        self._outputs.add(found)
        return found

    def network(self, name: str) -> str:
        """Return the name of a network."""
        legal = _legal(name.lower(), BLOCK_NAME, "network")
        return self._free(f"{legal}_network" if legal in (*STEP_KEYS, "main", "model") else legal, own=name)

    def _free(self, name: str, own: str, shared: str = "") -> str:
        found, number = name, 1
        while self._is_taken(found, own) or (self.beside is not None and found != shared and self.beside.has(found)):
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found

    def _is_taken(self, name: str, own: str) -> bool:
        return name in self._taken or (name in self._reserved and name != own)

    def has(self, name: str) -> bool:
        """Whether a name is taken or reserved."""
        return name in self._taken or name in self._claimed


def model_name(name: str) -> str:
    """Return a valid model name, ``[a-z][a-z0-9_-]*``."""
    legal = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_-")
    return legal if legal[:1].isalpha() and legal.isascii() else f"model_{legal}".rstrip("_")


def _legal(name: str, pattern: re.Pattern[str], base: str) -> str:
    """Replace invalid characters in a name by ``_``."""
    if pattern.fullmatch(name):
        return name
    allowed = r"[^A-Za-z0-9_-]+" if pattern is STEP_NAME else r"[^A-Za-z0-9_]+"
    legal = re.sub(allowed, "_", name).strip("_-")
    legal = legal if legal[:1].isascii() and legal[:1].isalpha() else f"{base}_{legal}".rstrip("_")
    return legal if pattern.fullmatch(legal) else base
