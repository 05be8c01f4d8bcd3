"""``.keras`` files made by hand, without Keras."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

__all__ = ["functional", "keras_file", "layer", "tensor", "weights_of"]


def tensor(name: str, shape: tuple[int | None, ...], call: int = 0) -> dict[str, Any]:
    """A tensor as a config describes it."""
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": list(shape), "dtype": "float32", "keras_history": [name, call, 0]},
    }


def layer(kind: str, name: str, *args: Any, config: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A layer with one call."""
    entry = {"module": "keras.layers", "class_name": kind, "registered_name": None, "name": name}
    entry |= {"config": {"name": name, **(config or {})}, "inbound_nodes": [{"args": list(args), "kwargs": {}}]}
    return entry | more


def functional(*layers: dict[str, Any], size: int = 4, output: str | None = None) -> dict[str, Any]:
    """A functional model of some layers behind the input `x`."""
    first = {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None, "name": "x", "inbound_nodes": []}
    first["config"] = {"name": "x", "batch_shape": [None, size], "dtype": "float32"}
    config = {"name": "net", "layers": [first, *layers], "input_layers": [["x", 0, 0]]}
    config["output_layers"] = [[output or layers[-1]["name"], 0, 0]]
    return {"module": "keras", "class_name": "Functional", "config": config, "registered_name": "Functional"}


DENSE = layer("Dense", "dense", tensor("x", (None, 4)), config={"units": 3})


def weights_of(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An HDF5 file."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        for place, array in arrays.items():
            file[place] = array
    return held.getvalue()


GOOD = {"layers/dense/vars/0": np.ones((4, 3), "float32"), "layers/dense/vars/1": np.ones(3, "float32")}


def keras_file(
    folder: Path, config: Any = None, weights: bytes | None = None, members: Mapping[str, bytes] | None = None
) -> Path:
    """A ``.keras`` file of a Dense layer, or of what is given."""
    file = folder / "model.keras"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(functional(DENSE) if config is None else config) if not isinstance(config, bytes) else config
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", weights_of(GOOD) if weights is None else weights)
        for name, content in (members or {}).items():
            archive.writestr(name, content)
    return file
