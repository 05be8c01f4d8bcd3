"""State dicts of PyTorch in safetensors files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.transfer.modules import Module, UnreadableWeights
from nnspec.transfer.safetensors_header import Entry, UnreadableHeader, read_entries

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARRAYS = re.compile(r"weight|bias|running_mean|running_var|num_batches_tracked|(weight|bias)_(ih|hh)_l\d+(_reverse)?")
"""Names of arrays in a module. An array of another name, such as `cls_token`, is a module of its own."""

_UNUSED = "num_batches_tracked"

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def is_state_dict(names: Iterable[str]) -> bool:
    """Return whether array names are those of a state dict, and not of this program, which have a slash.

    Example:
        >>> is_state_dict(["conv1.weight", "fc.bias"]), is_state_dict(["conv2d/kernel"]), is_state_dict([])
        (True, False, False)
    """
    names = list(names)
    return any("." in name or _ARRAYS.fullmatch(name) for name in names) and not any("/" in name for name in names)


class StateDict:
    """A safetensors file with a state dict."""

    framework = "PyTorch"

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._entries = read_entries(path)
        except UnreadableHeader as error:
            raise UnreadableWeights(str(error)) from None
        self.modules = modules_of({name: entry.shape for name, entry in self._entries.items()})

    def read(self, place: str) -> NDArray[Any]:
        """Return the values of an array; halves of precision become float32."""
        import numpy as np

        entry = self._entries[place]
        data = self._bytes(entry, place)
        if entry.dtype == "BF16":
            bits = np.frombuffer(data, "<u2").astype(np.uint32) << 16
            return bits.view(np.float32).reshape(entry.shape)
        if entry.dtype not in _DTYPES:
            raise UnreadableWeights(f"has `{place}` as {entry.dtype}; write it as float32")
        return np.frombuffer(data, _DTYPES[entry.dtype]).reshape(entry.shape)

    def _bytes(self, entry: Entry, place: str) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(entry.begin)
                data = file.read(entry.end - entry.begin)
        except OSError as error:
            raise UnreadableWeights(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
        if len(data) != entry.end - entry.begin:
            raise UnreadableWeights(f"is truncated: `{place}` ends after the end of the file")
        return data


def modules_of(shapes: Mapping[str, tuple[int, ...]]) -> list[Module]:
    """Return the modules of a state dict.

    Args:
        shapes: The shapes of its arrays, by name.

    Example:
        >>> [module.name for module in modules_of({"fc.weight": (2, 3), "fc.bias": (2,), "token": (1, 3)})]
        ['fc', 'token']
    """
    found: dict[str, dict[str, str]] = {}
    for name in shapes:
        scope, _, last = name.rpartition(".")
        if last == _UNUSED:
            continue
        module, key = (scope, last) if _ARRAYS.fullmatch(last) else (name, "")
        found.setdefault(module, {})[key] = name
    return [
        Module(name, tuple(name.split(".")) if name else (), {key: shapes[place] for key, place in places.items()}, places)
        for name, places in found.items()
    ]


_ATTENTION = (
    {"qkv": "qkv", "proj": "out"},
    {"in_proj_weight": "qkv.weight", "in_proj_bias": "qkv.bias", "out_proj": "out"},
    {"in_proj_weight": "qkv.weight", "out_proj": "out"},
    {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out"},
    {"q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "out"},
)
"""The projections of attention in timm, PyTorch and elsewhere, with one name for each."""


def with_attention(modules: Sequence[Module]) -> list[Module]:
    """Return the modules, with the projections of an attention as one.

    Args:
        modules: The modules of a state dict.

    Example:
        >>> parts = modules_of({"attn.qkv.weight": (12, 4), "attn.proj.weight": (4, 4)})
        >>> [(module.name, dict(module.arrays)) for module in with_attention(parts)]
        [('attn', {'qkv.weight': (12, 4), 'out.weight': (4, 4)})]
    """
    scopes: dict[tuple[str, ...], dict[str, Module]] = {}
    for module in modules:
        if not module.parts:
            continue
        scopes.setdefault(module.parts[:-1], {})[module.parts[-1]] = module
    joined: dict[str, Module] = {}
    for scope, inside in scopes.items():
        names = next((names for names in _ATTENTION if names.keys() <= inside.keys()), None)
        if names is None or not scope:
            continue
        arrays: dict[str, tuple[int, ...]] = {}
        places: dict[str, str] = {}
        for theirs, ours in names.items():
            for key, shape in inside[theirs].arrays.items():
                name = f"{ours}.{key}" if key else ours
                arrays[name], places[name] = shape, inside[theirs].places[key]
        whole = Module(".".join(scope), scope, arrays, places)
        joined |= {inside[theirs].name: whole for theirs in names}
    return list({module.name: module for module in (joined.get(module.name, module) for module in modules)}.values())
