"""Standalone Keras code of networks: written if it builds the same models as nnspec."""

from __future__ import annotations

import ast
import builtins
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.src.saving import object_registration
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.ejecting import ejected, function_name
from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph import Graph
from nnspec.keras_backend.run import keras_run
from nnspec.onnx_backend.parity import Parity, Reference, measure
from nnspec.onnx_backend.proof import ties_of
from nnspec.onnx_backend.samples import draw
from nnspec.runtime.session import Run

_Arrays = Mapping[str, NDArray[Any]]
_NEEDED = frozenset({"keras", "numpy", "safetensors", "math", "typing", "collections", "__future__", "tensorflow", "jax"})
"""The packages that an ejected file may import. TensorFlow and JAX are imported by the loop of `RNN`, on their backend."""


def verified_code(name: str, networks: Mapping[str, Graph], weights: _Arrays, models: Mapping[str, keras.Model]) -> str:
    """Return networks as Python code, and verify that it builds the same models.

    The code runs in a namespace that imports nothing but Keras and NumPy, loads a file of the weights, and is compared with the
    networks' Keras models, also with random weights.

    Args:
        name: The name of the spec.
        networks: The networks.
        weights: The weights by the spec's names.
        models: The Keras model of each network, with these weights.

    Returns:
        The file's text.

    Raises:
        NnspecError: If a layer cannot be ejected, or an output or a weight differs.
    """
    text = ejected(networks, name)
    with _run(text) as module, tempfile.TemporaryDirectory() as folder:
        for network, graph in networks.items():
            own = graph.own(weights)
            reference = keras_reference(graph, own, model=models[network])
            try:
                parity = _compare(module, graph, reference, own, Path(folder) / "weights.safetensors")
            except (
                ArithmeticError,
                AttributeError,
                LookupError,
                NameError,
                NotImplementedError,
                TypeError,
                ValueError,
            ) as error:
                reason = " ".join(str(error).split())[:300]
                raise NnspecError(f"cannot eject the network `{network}`: its code fails: {reason}") from error
            if parity is not None and not parity.agrees:
                raise NnspecError(_difference(network, parity))
    return text


def _compare(module: Mapping[str, Any], graph: Graph, reference: Reference, weights: _Arrays, file: Path) -> Parity | None:
    """Compare the model that a file builds with the reference, also with random weights; None if all outputs are equal."""
    model = module[function_name(graph.name)]()
    run = keras_run(model)

    def loaded(arrays: _Arrays) -> Run:
        def answer(inputs: _Arrays) -> dict[str, NDArray[Any]]:
            _load(module, model, arrays, file)
            return run(inputs)

        return answer

    _load(module, model, weights, file)
    _check_weights(graph.name, model, weights)
    cases = list(draw(graph, seed=0, empty_rows=False, batches=(3,)))

    def measured(wanted: Reference, own: _Arrays) -> Parity | None:
        candidate = loaded(own)
        if all(_are_equal(wanted.run(inputs), candidate(inputs)) for inputs in cases):
            return None
        ties = ties_of(graph, own, wanted, candidate, loaded)
        return measure(wanted, candidate, cases, ties=ties)

    parity = measured(reference, weights)
    if (parity is None or parity.agrees) and reference.drawn is not None and weights:
        others, changed = reference.drawn(cases[-1])
        return measured(changed, others)
    return parity


def _are_equal(outputs: _Arrays, others: _Arrays) -> bool:
    def equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")

    return outputs.keys() == others.keys() and all(equal(array, others[name]) for name, array in outputs.items())


def write_weights(arrays: _Arrays, file: Path) -> None:
    """Write weights as a safetensors file.

    Args:
        arrays: The weights by the spec's names.
        file: The file.
    """
    from safetensors.numpy import save_file

    save_file({name: np.array(array, order="C") for name, array in arrays.items()}, file)


def _load(module: Mapping[str, Any], model: keras.Model, arrays: _Arrays, file: Path) -> None:
    write_weights(arrays, file)
    module["load_weights"](model, file)


def _check_weights(network: str, model: keras.Model, weights: _Arrays) -> None:
    """Check that the file sets every weight, and no other variable is one."""
    ours = sorted((tuple(array.shape), float(np.sum(array, dtype=np.float64))) for array in weights.values())
    arrays = [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in model.weights]
    theirs = sorted((tuple(array.shape), float(np.sum(array, dtype=np.float64))) for array in arrays)
    if len(ours) != len(theirs) or any(a[0] != b[0] or not math.isclose(a[1], b[1]) for a, b in zip(ours, theirs, strict=True)):
        raise NnspecError(f"cannot eject the network `{network}`: the weights of its code differ from those of the model")


@contextmanager
def _run(text: str) -> Iterator[Mapping[str, Any]]:
    """Run a file in a namespace that imports only what the file may need, and yield it.

    The classes that the file registers with Keras are unknown to Keras afterwards.
    """
    objects, names = object_registration.GLOBAL_CUSTOM_OBJECTS, object_registration.GLOBAL_CUSTOM_NAMES
    kept = dict(objects), dict(names)

    def restricted(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] not in _NEEDED:
            raise NnspecError(f"cannot eject: the code imports `{name}`")
        return builtins.__import__(name, *arguments, **named)

    for node in ast.walk(ast.parse(text)):  # also those in functions that do not run
        for imported in _imported(node):
            if imported.partition(".")[0] not in _NEEDED:
                raise NnspecError(f"cannot eject: the code imports `{imported}`")
    module: dict[str, Any] = {"__name__": "model", "__builtins__": {**vars(builtins), "__import__": restricted}}
    objects.clear()
    try:
        exec(compile(text, "model.py", "exec", dont_inherit=True), module)
        yield module
    finally:
        for own, before in zip((objects, names), kept, strict=True):
            own.clear()
            own.update(before)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [each.name for each in node.names] if isinstance(node, ast.Import) else []


def _difference(network: str, parity: Parity) -> str:
    outputs = "\n".join(f"  {name}: {result}" for name, result in parity.differing.items())
    return f"cannot eject the network `{network}`: its code computes other outputs than the Keras model:\n{outputs}"
