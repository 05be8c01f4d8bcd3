"""Cases of one layer drawn at random: arguments and sizes that nobody thought of. ``drawn(op)`` is a Hypothesis strategy of them.

Every layer of the catalogue has them: its arguments are drawn by `arguments`, its inputs here, by its ports.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from nnspec.layers import LAYERS
from nnspec.layers.augmentation import Augmentation
from nnspec.layers.base import Layer, LayerError
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.interfaces import TakesBoxes
from nnspec.layers.matching import MatchBoxes
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.rnn import RNN

from .arguments import draw_arguments, spatial_axes
from .cases import Case, Input

__all__ = ["draw_case", "drawn"]

_TRIES = 20


def drawn(op: str) -> st.SearchStrategy[Case]:
    """Cases of a layer."""
    return st.builds(lambda random: draw_case(random, op), st.randoms(use_true_random=False))


def draw_case(random: Random, op: str, *, fitting: bool = True) -> Case:
    """A case of a layer: one that fits, unless none was found, or that was not asked for."""
    for _ in range(_TRIES if fitting else 1):
        inputs = _inputs(random, op)
        arguments = draw_arguments(random, op, [x.type for x in inputs.values()])
        inputs |= _states(random, op, arguments)
        case = Case(op, arguments, inputs)
        try:
            case.graph()
        except (LayerError, ValueError):
            continue
        break
    return case


def _inputs(random: Random, op: str) -> dict[str, Input]:
    layer = LAYERS.get(op)
    assert issubclass(layer, Layer)
    ports = layer.ports
    if ports.variadic:
        return _merged(random, op)
    if ports.required == ("query", "value"):
        return _attended(random, several="attention_axes" in layer.model_fields)
    if "indices" in ports.required:
        return _found(random, op, layer)
    if issubclass(layer, TakesBoxes):
        return _with_boxes(random, layer)
    if len(ports.required) > 1:
        shape = (random.choice(["H", 4]), random.randint(1, 3))[-random.randint(1, 2) :]
        return {port: Input(shape) for port in ports.required}
    return {"x": _input(random, op, layer)}


def _with_boxes(random: Random, layer: type[TakesBoxes]) -> dict[str, Input]:
    """Boxes, and what goes with them: numbers or integers for each, or an image."""
    rows, others = random.sample(["H", "W", 6, 9], 2)
    inputs = {}
    for port in (*layer.ports.required, *(port for port in layer.ports.optional if random.random() < 0.5)):
        count = others if layer is MatchBoxes and port != "anchors" else rows
        if port in ("class", "crowd"):
            inputs[port] = Input((count,), "int32")
        elif port == "scores":
            inputs[port] = Input((count, random.randint(1, 3))[: random.randint(1, 2)])
        elif port in layer.box_ports or "anchors" in layer.ports.required:
            inputs[port] = Input((count, 4))
        else:
            inputs[port] = Input((*(random.choice(["H", "W", 7, 12]) for _ in range(2)), random.randint(1, 3)))
    return inputs


def _input(random: Random, op: str, layer: type[Layer]) -> Input:
    """One input: of as many axes as the layer slides over, or of any number."""
    if "input_dim" in layer.model_fields and not ("reverse" in layer.model_fields and random.random() < 0.6):
        shape = tuple(random.choice(["H", "W", 1, 2, 5]) for _ in range(random.randint(0, 2)))
        return Input(shape, random.choice(["int32", "int64", "uint8"]))
    recurrent = issubclass(layer, (Recurrent, Bidirectional, RNN))
    known = spatial_axes(layer)
    spatial = known if known is not None else 1 if recurrent else random.randint(0, 3)
    free = iter(("H", "W"))
    sizes = [next(free, 3) if random.random() < 0.4 else random.randint(1, 9) for _ in range(spatial)]
    some = (issubclass(layer, Augmentation) and layer.channels) or (1, 2, 3, 4, 6)
    channels = () if not spatial and random.random() < 0.2 else (random.choice(some),)
    shape = (*sizes, *channels)
    moves = op in ("Flatten", "Reshape", "Permute", "RepeatVector", "Slice") or op.startswith(("Cropping", "ZeroPadding"))
    dtype = random.choice(["int32", "float16", "bool"]) if moves and random.random() < 0.3 else "float32"
    masked = dtype == "float32" and len(shape) >= 2 and shape[-1] in range(10) and random.random() < 0.3
    return Input(shape, dtype, masked)


def _merged(random: Random, op: str) -> dict[str, Input]:
    """Inputs of one shape, or of shapes that go together, as a merge takes them."""
    whole: list[Any] = [random.choice([1, 2, 3, 4, "H", "W"]) for _ in range(random.randint(1, 3))]
    masked = len(whole) > 1 and isinstance(whole[-1], int) and random.random() < 0.3
    shapes = [tuple(whole)]
    for _ in range(1 if op in ("Dot", "Subtract") else random.randint(1, 2)):
        other = list(whole)
        place = random.randrange(len(other))
        if op == "Concatenate":
            other[place] = random.choice([1, 2, 3, "H"])
        elif random.random() < 0.5:
            other = [random.choice([size, 1]) for size in whole[0 if masked else random.randint(0, len(whole) - 1) :]]
        shapes.append(tuple(other))
    whether = [masked and isinstance(shape[-1], int) and random.random() < 0.8 for shape in shapes]
    return {str(port): Input(shape, masked=mask) for port, (shape, mask) in enumerate(zip(shapes, whether, strict=True))}


def _found(random: Random, op: str, layer: type[Layer]) -> dict[str, Input]:
    """Values, where they stood, and sometimes what they stood in."""
    x = Input(_input(random, op, layer).shape)
    inputs = {"x": x, "indices": Input(x.shape, random.choice(["int32", "int64"]))}
    if "like" in layer.ports.optional and random.random() < 0.3:
        inputs["like"] = Input((random.choice(["H", 5]), random.choice(["W", 8]), random.randint(1, 3)))
    return inputs


def _attended(random: Random, several: bool) -> dict[str, Input]:
    """Query, value and sometimes a key; now and then of several axes, where that can be."""
    width = random.randint(1, 4)
    times = [random.choice(["H", "W", 4, 1]) for _ in range(2)]
    shapes = {"query": (times[0], width), "value": (times[1], random.choice([width, 3]))}
    if random.random() < 0.3 or shapes["value"][1] != width:
        shapes["key"] = (times[1], width)
    if several and random.random() < 0.4:
        more = random.randint(1, 4)
        return {port: Input((time, more, width)) for port, (time, width) in shapes.items()}
    return {port: Input(shape, masked=random.random() < 0.4) for port, shape in shapes.items()}


def _states(random: Random, op: str, arguments: dict[str, Any]) -> dict[str, Input]:
    """Initial states, in a part of the cases of a recurrent layer."""
    inner = arguments.get("layer") if op == "Bidirectional" else {op: arguments}
    kind = LAYERS.get(next(iter(inner))) if isinstance(inner, dict) else None
    if kind is None or not issubclass(kind, Recurrent) or op == "TimeDistributed" or random.random() < 0.7:
        return {}
    [(_, given)] = inner.items()
    ways = ("forward_", "backward_") if op == "Bidirectional" else ("",)
    return {f"{way}{state}": Input((given["units"],)) for way in ways for state in kind.states}
