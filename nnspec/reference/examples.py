"""Examples of layers: the outputs for inputs of each accepted rank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import ValidationError

from nnspec.graph.cells import with_built_in
from nnspec.layers.base import Inputs, Layer, LayerError
from nnspec.layers.interfaces import TakesBoxes
from nnspec.layers.recurrent_cells import RecurrentCell
from nnspec.layers.rnn import RNN
from nnspec.types import Dim, TensorType, Weight, symbol

# The values of required arguments in examples, by name.
_GIVEN: Mapping[str, tuple[Any, ...]] = {
    "activation": ("relu",),
    "axes": (-1,),
    "cell": ({"GRUCell": {"units": 16}},),
    "axis": (-1,),
    "dims": ([2, 1], [3, 1, 2]),
    "equation": ("abc,cd->abd",),
    "factor": (0.2, 4),
    "filters": (16,),
    "head_dim": (8,),
    "height": (32,),
    "height_factor": (0.2,),
    "input_dim": (1000,),
    "kernel_size": (3,),
    "key_dim": (8,),
    "layer": ({"Dense": {"units": 16}}, {"LSTM": {"units": 16}}),
    "max_length": (128,),
    "n": (4,),
    "num_heads": (2,),
    "num_key_value_heads": (1,),
    "num_query_heads": (2,),
    "output_dim": (16,),
    "output_shape": ([None, 16], 16),
    "output_size": (2,),
    "pool_size": (2,),
    "rate": (0.5,),
    "results": ({"output": "x * sigmoid(x)"},),
    "scale": (0.5,),
    "shape": ([4],),
    "size": (7,),
    "sizes": ([32.0],),
    "stddev": (0.1,),
    "stride": (8,),
    "target_shape": ([-1],),
    "units": (16,),
    "width": (32,),
    "width_factor": (0.2,),
}
_DTYPES = {"class": "int32", "indices": "int32"}
_T, _S, _H, _W, _D = map(symbol, "TSHWD")
_SHAPES: tuple[tuple[int | Dim, ...], ...] = ((32,), (_T, 32), (_H, _W, 32), (_D, _H, _W, 32))
_PICTURES = ((64, 64, 3),)
_A = symbol("A")
_BESIDE_BOXES: Mapping[str, tuple[tuple[int | Dim, ...], ...]] = {
    "class": ((_A,),),
    "image": ((_H, _W, 3),),
    "scores": ((_A, 20),),
    "x": ((_H, _W, 32), (_A, 4)),
}
"""Shapes of the inputs of layers of boxes that are not boxes themselves, by port."""


@dataclass(frozen=True)
class Example:
    """A layer with example inputs.

    Attributes:
        layer: The layer.
        arguments: The arguments.
        inputs: The input types, by port.
        outputs: The output types.
        weights: The weights.
        macs: The multiply–accumulates per example.
    """

    layer: Layer
    arguments: Mapping[str, Any]
    inputs: Inputs
    outputs: Mapping[str, TensorType]
    weights: tuple[Weight, ...]
    macs: int | Dim


def examples(kind: type[Layer]) -> list[Example]:
    """Examples for each accepted rank; empty if values of required arguments are not defined here."""
    for arguments in _arguments([name for name, field in kind.model_fields.items() if field.is_required() or name == "cell"]):
        found = list(_taken(kind, arguments))
        if found:
            return found
    return []


def _arguments(required: list[str]) -> Iterator[dict[str, Any]]:
    if not required:
        yield {}
        return
    for value in _GIVEN.get(required[0], ()):
        for rest in _arguments(required[1:]):
            yield {required[0]: value, **rest}


def _taken(kind: type[Layer], arguments: Mapping[str, Any]) -> Iterator[Example]:
    try:
        layer = kind(**arguments)
    except ValidationError:
        return
    for inputs in _inputs(layer):
        try:
            typed = _typed(layer, inputs)
            outputs, weights, macs = typed.output_types(inputs), typed.weights(inputs), typed.macs(inputs)
        except LayerError:
            continue
        if typed.body is not None:
            inner = list(typed.body.every_node())
            weights += tuple(weight for node in inner for weight in node.weights)
            macs = macs + typed.body_runs(inputs) * sum(node.macs() for node in inner)
        yield Example(typed, arguments, inputs, outputs, weights, macs)


def _typed(layer: Layer, inputs: Inputs) -> Layer:
    """The layer with the graph that it runs, if it runs one."""
    return with_built_in(layer, inputs, name="layer") if isinstance(layer, RNN) else layer


def _inputs(layer: Layer) -> Iterator[Inputs]:
    ports = ("0", "1") if layer.ports.variadic else layer.ports.required
    if not ports:
        yield {}
    elif isinstance(layer, TakesBoxes):
        choices = [((_A, 4),) if port in layer.box_ports else _BESIDE_BOXES[port] for port in ports]
        for shapes in product(*choices):
            yield {port: TensorType(shape, _DTYPES.get(port, "float32")) for port, shape in zip(ports, shapes, strict=True)}
    elif "query" in ports:
        yield {port: TensorType((_T if port == "query" else _S, 32)) for port in ports}
    else:
        # For layers that require images of known size or with three channels.
        shapes = _SHAPES if isinstance(layer, RecurrentCell) or _fits_any(layer, ports) else _PICTURES
        states = layer.state_types() if isinstance(layer, RecurrentCell) else {}
        yield from (_like(shape, ports) | states for shape in shapes)
        if getattr(layer, "input_dim", None) is not None:
            yield from ({port: TensorType(shape, "int32") for port in ports} for shape in ((), (_T,)))


def _like(shape: tuple[int | Dim, ...], ports: tuple[str, ...]) -> dict[str, TensorType]:
    return {port: TensorType(shape, _DTYPES.get(port, "float32")) for port in ports}


def _fits_any(layer: Layer, ports: tuple[str, ...]) -> bool:
    for shape in _SHAPES:
        try:
            _typed(layer, _like(shape, ports)).output_types(_like(shape, ports))
        except LayerError:
            continue
        return True
    return False
