"""Arguments drawn at random for any layer of the catalogue, by its fields: a layer that is added is drawn at once.

Keras's names mean the same wherever they stand, so what is drawn for an argument goes by its name, and where that is not
enough by its type. Values are small and lively; that all of them fit is not promised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from nnspec.layers import LAYERS
from nnspec.layers.augmentation import Augmentation
from nnspec.layers.base import Layer, Ports
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.recurrent_cells import CELLS
from nnspec.layers.time_distributed import TimeDistributed
from nnspec.types import TensorType

from .equations import draw_equation

__all__ = ["draw_arguments", "spatial_axes"]

RECURRENT = ("GRU", "LSTM", "SimpleRNN")
_OFTEN, _SELDOM = 0.4, 0.04


@dataclass(frozen=True)
class Place:
    """Where a layer is to stand: what its arguments are drawn for.

    Attributes:
        random: What decides.
        op: The layer.
        inputs: The input types.
    """

    random: Random
    op: type[Layer]
    inputs: Sequence[TensorType]

    @property
    def x(self) -> TensorType:
        return self.inputs[0] if self.inputs else TensorType(())

    @property
    def channels(self) -> int:
        """The size of the last axis, where it is a number."""
        last = self.x.shape[-1] if self.x.rank else 1
        return last if isinstance(last, int) else 1

    @property
    def spatial(self) -> int:
        """The number of axes it slides over."""
        known = spatial_axes(self.op)
        return self.x.rank if known is None else known

    def some(self, *values: Any) -> Any:
        return self.random.choice(values)

    def count(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def per_axis(self, low: int, high: int) -> Any:
        """One number for all axes, or one for each."""
        if self.random.random() < 0.5:
            return self.count(low, high)
        return [self.count(low, high) for _ in range(self.spatial)]

    def sides(self, most: int) -> Any:
        """Positions on every side, or for each axis on both sides, or before and after."""
        if self.random.random() < 0.5:
            return self.count(0, most)
        return [self.some(self.count(0, most), [self.count(0, most), self.count(0, most)]) for _ in range(self.spatial)]

    def axis(self) -> int:
        """An axis, the batch axis counted as 0, from the front or from behind."""
        axis = self.count(1, max(1, self.x.rank))
        return self.some(axis, axis - self.x.rank - 1)


def spatial_axes(op: type[Layer]) -> int | None:
    """How many axes between batch and channels a layer asks for, where it asks for a number of them."""
    axes = getattr(op, "axes", None)
    return 2 if issubclass(op, Augmentation) else len(axes) if isinstance(axes, tuple) else None


def draw_arguments(random: Random, op: str, inputs: Sequence[TensorType]) -> dict[str, Any]:
    """Arguments for a layer, as a spec has them.

    Args:
        random: What decides.
        op: The layer.
        inputs: The types that come in; arguments are drawn to go with them, and sometimes do not.

    Raises:
        NotImplementedError: Where nothing is known about an argument: give it an entry in the table here.
    """
    layer = LAYERS.get(op)
    assert issubclass(layer, Layer)
    place = Place(random, layer, inputs)
    drawn: dict[str, Any] = {}
    for name, info in layer.model_fields.items():
        if info.is_required() or random.random() < _likely(name):
            drawn[name] = _value(place, name, info)
    return _together(place, drawn)


def _likely(name: str) -> float:
    return _SELDOM if name.endswith(("initializer", "regularizer", "constraint")) or name in _QUIET else _OFTEN


_QUIET = {"seed", "dropout", "recurrent_dropout", "momentum", "backward_layer", "dilation_rate", "noise_shape"}
"""Arguments that inference does not know, or that forbid others."""


def _value(place: Place, name: str, info: FieldInfo) -> Any:
    if name in _BY_NAME:
        return _BY_NAME[name](place)
    for end, values in _BY_END.items():
        if name.endswith(end):
            return place.some(*values)
    return _of_type(place, name, info.annotation, info.metadata)


def _of_type(place: Place, name: str, annotation: Any, bounds: Sequence[Any] = ()) -> Any:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _of_type(place, name, place.some(*get_args(annotation)))
    if origin is Literal:
        return place.some(*get_args(annotation))
    if hasattr(annotation, "__metadata__"):
        info = FieldInfo.from_annotation(annotation)
        return _of_type(place, name, annotation.__origin__, info.metadata)
    if annotation is type(None):
        return None
    if annotation is bool:
        return place.some(True, False)
    if annotation in _NUMBERS:
        return place.some(*(number for number in _NUMBERS[annotation] if _within(number, bounds)))
    if origin is tuple and Ellipsis in get_args(annotation):
        return place.per_axis(1, 4)
    if origin is tuple:
        return sorted(_of_type(place, name, part) for part in get_args(annotation))
    raise NotImplementedError(f"nothing is known of how to draw `{name}` of {place.op.__name__}: {annotation}")


_NUMBERS: dict[type, tuple[float, ...]] = {int: (-1, 0, 1, 2, 3, 5), float: (-0.9, -0.25, 0.0, 0.2, 0.5, 1.0, 2.5)}


def _within(number: float, bounds: Sequence[Any]) -> bool:
    return all(
        number >= getattr(bound, "ge", number)
        and number <= getattr(bound, "le", number)
        and number > getattr(bound, "gt", number - 1)
        and number < getattr(bound, "lt", number + 1)
        for bound in bounds
    )


_BY_END: dict[str, tuple[Any, ...]] = {
    "initializer": ("zeros", "ones", "he_normal", {"RandomNormal": {"stddev": 0.1}}, {"Constant": {"value": 0.5}}),
    "regularizer": ("L1", "L2", {"L1L2": {"l1": 0.1}}),
    "constraint": ("NonNeg", {"MaxNorm": {"max_value": 1}}, "UnitNorm"),
    "dropout": (0.0, 0.3),
}


def _padding(place: Place) -> Any:
    if "pool_size" in place.op.model_fields:
        return place.some("valid", "same", "same", place.sides(1))
    names = getattr(place.op, "paddings", None)
    return place.sides(2) if names is None else place.some(*names, "same", "same", place.sides(2))


def _target_shape(place: Place) -> list[int]:
    sizes = [size for size in place.x.shape if isinstance(size, int)]
    target = [place.some(*(d for d in (1, 2, 3, 4, 6) if d == 1 or any(size % d == 0 for size in sizes)))]
    target = target * place.count(0, 1) + sizes[: place.count(0, 2)]
    if len(sizes) < place.x.rank or place.random.random() < 0.8:
        target.insert(place.count(0, len(target)), -1)
    return target


def _dims(place: Place) -> list[int]:
    dims = list(range(1, place.x.rank + 1))
    place.random.shuffle(dims)
    return dims


def _axes(place: Place) -> Any:
    """An axis, or several."""
    if place.random.random() < 0.6 or place.x.rank < 2:
        return place.axis()
    return sorted(place.random.sample(range(1, place.x.rank + 1), place.count(1, place.x.rank)))


def _shared(place: Place) -> Any:
    """Axes that share a weight: mostly all but the last."""
    rank = place.x.rank
    return list(range(1, rank)) if rank > 1 and place.random.random() < 0.8 else place.some(None, *range(1, rank + 1))


def _dot_axes(place: Place) -> Any:
    """Axes of one size, where there are any."""
    if len(place.inputs) < 2:
        return 1
    a, b = place.inputs[:2]
    pairs = [[i, j] for i, j in product(range(1, a.rank + 1), range(1, b.rank + 1)) if a.shape[i - 1] == b.shape[j - 1]]
    return place.some(*pairs) if pairs else 1


def _per_channel(place: Place) -> Any:
    return place.some(0.5, -2, [place.some(0.5, 1, 2.5) for _ in range(place.channels)])


def _groups(place: Place) -> int:
    sizes = [d for d in range(1, place.channels + 1) if place.channels % d == 0]
    return place.some(*sizes, *([-1] if "epsilon" in place.op.model_fields else [1, 1]))


def _recurrent(place: Place) -> dict[str, Any]:
    op = place.some(*RECURRENT)
    return {op: draw_arguments(place.random, op, place.inputs) | {"go_backwards": False}}


def _cell(place: Place) -> dict[str, Any]:
    op = place.some(*CELLS.modules)
    return {op: draw_arguments(place.random, op, place.inputs)}


def _inner(place: Place) -> dict[str, Any]:
    """A layer of one input that the field takes, drawn for one step where it stands at every step."""
    if place.op is Bidirectional:
        return _recurrent(place)
    x = place.x
    if place.op is TimeDistributed:
        x = TensorType(x.shape[1:], x.dtype)
    [named] = place.op.model_fields["layer"].metadata
    op = place.some(*(name for name in named.family.modules if _takes(LAYERS.get(name), x)))
    return {op: draw_arguments(place.random, op, [x])}


def _takes(op: Any, x: TensorType) -> bool:
    """Whether a layer stands inside of another: it has one input, is not made of a layer itself, and slides over as many axes."""
    one_input = op.ports.required == Ports().required and not op.ports.variadic and not {"layer", "cell"} & {*op.model_fields}
    return one_input and spatial_axes(op) in (None, x.rank - 1)


def _attention_axes(place: Place) -> Any:
    inner = range(1, max(2, place.x.rank))
    return place.some(place.some(*inner), sorted(place.random.sample(inner, place.count(1, len(inner)))))


def _kernel_size(place: Place) -> Any:
    """A blur has a middle: its sizes are odd."""
    return place.some(1, 3, [3, 1]) if issubclass(place.op, Augmentation) else place.per_axis(1, 4)


def _axis(place: Place) -> Any:
    annotation = place.op.model_fields["axis"].annotation
    if type(None) in get_args(annotation) and place.random.random() < 0.2:
        return None
    return place.axis() if annotation is int else _axes(place)


def _scale(place: Place) -> Any:
    info = place.op.model_fields["scale"]
    if info.annotation is bool:
        return place.some(True, False)
    return (
        _of_type(place, "scale", info.annotation, info.metadata) if issubclass(place.op, Augmentation) else _per_channel(place)
    )


_BY_NAME: dict[str, Callable[[Place], Any]] = {
    "alpha": lambda p: p.some(0.5, 1.5),
    "axes": _dot_axes,
    "attention_axes": _attention_axes,
    "axis": _axis,
    "backward_layer": lambda p: None,
    "bias_axes": lambda p: p.some(None, "d"),
    "cropping": lambda p: p.sides(1),
    "depth_multiplier": lambda p: p.count(1, 2),
    "dilation_rate": lambda p: p.per_axis(1, 2),
    "dims": _dims,
    "epsilon": lambda p: p.some(1e-3, 1e-2, 1e-5),
    "equation": lambda p: "abc,cd->abd",
    "filters": lambda p: p.some(1, 2, 3, 4, 6, p.channels),
    "groups": _groups,
    "head_dim": lambda p: p.count(2, 3),
    "height": lambda p: p.count(1, 12),
    "input_dim": lambda p: p.count(100, 110) if p.random.random() < 0.1 else p.count(4, 11),
    "kernel_size": _kernel_size,
    "key_dim": lambda p: p.count(
        2, 3
    ),  # With heads of size 1 Keras 3.15.1 adds a bias to time where there are as many steps as heads.
    "l1": lambda p: p.some(0.0, 0.1),
    "l2": lambda p: p.some(0.0, 0.1),
    "cell": _cell,
    "layer": _inner,
    "sequences": lambda place: place.some(None, ["x"]),
    "mask_value": lambda p: p.some(0.0, 1.5),
    "max_length": lambda p: p.count(80, 90),
    "max_value": lambda p: p.some(None, 1.0, 6.0),
    "max_wavelength": lambda p: p.some(100.0, 1e4),
    "mean": lambda p: p.some(0.0, -1.5),
    "momentum": lambda p: p.some(0.9, 0.5),
    "n": lambda p: p.count(1, 4),
    "negative_slope": lambda p: p.some(0.0, 0.2),
    "noise_shape": lambda p: p.some(None, [None, *(p.some(1, None) for _ in p.x.shape)]),
    "num_heads": lambda p: p.count(1, 3),
    "num_key_value_heads": lambda p: p.count(1, 2),
    "num_query_heads": lambda p: p.count(1, 4),
    "offset": _per_channel,
    "output_dim": lambda p: p.count(1, 4),
    "output_padding": lambda p: p.some(None, 0, 1),
    "output_shape": lambda p: p.some(1, 3, [2, 3]),
    "padding": _padding,
    "pool_size": lambda p: p.per_axis(1, 3),
    "radius": lambda p: None,  # of one way of matching only
    "rate": lambda p: p.some(0.1, 0.5),
    "ratios": lambda p: p.some([1.0], [0.5, 2.0]),
    "scale": _scale,
    "scales": lambda p: None,
    "seed": lambda p: p.some(None, 1),
    "sizes": lambda p: p.some([8.0], [4.0, 9.5]),
    "stride": lambda p: p.some(1.0, 2.5, 4.0, 8.0),
    "shape": lambda p: [p.count(1, 4) for _ in range(p.count(0, 3))],
    "shared_axes": _shared,
    "size": lambda p: p.per_axis(1, 3),
    "sliding_window": lambda p: p.some(None, 1, 2, 3),
    "start": lambda p: p.count(-2, 2),
    "stddev": lambda p: p.some(0.1, 0.5),
    "step": lambda p: p.count(1, 3),
    "stop": lambda p: p.some(None, None, -1, 1, 2),
    "strides": lambda p: p.per_axis(1, 3),
    "target_shape": _target_shape,
    "threshold": lambda p: p.some(0.0, 0.3),
    "units": lambda p: p.some(1, 2, 3, 4, p.channels),
    "value_dim": lambda p: p.some(None, 2, 3),
    "value_range": lambda p: p.some([0, 1], [0, 255], [-1, 1]),
    "variance": lambda p: p.some(1.0, 0.3),
    "width": lambda p: p.count(1, 12),
}


def _together(place: Place, drawn: dict[str, Any]) -> dict[str, Any]:
    """Arguments that exclude each other, or go together, are brought to terms; now and then they are left alone."""
    _spare_tensorflow(place, drawn)
    if place.random.random() < 0.05:
        return drawn
    if drawn.get("dilation_rate", 1) != 1:
        drawn.pop("strides", None)
        drawn.pop("output_padding", None)
    if drawn.get("coupled_gates"):
        drawn.pop("unit_forget_bias", None)
    if isinstance(drawn.get("groups"), int) and "filters" in drawn:
        drawn["filters"] = max(1, drawn["filters"] // drawn["groups"]) * drawn["groups"]
    if "num_query_heads" in drawn:
        drawn["num_query_heads"] *= drawn["num_key_value_heads"]
    if "equation" in drawn:
        drawn |= draw_equation(place.random, place.x)
    if "reverse" in place.op.model_fields and not place.x.is_integer:
        drawn |= {"reverse": True, "output_dim": place.channels}
    if drawn.get("crop_to_aspect_ratio"):
        drawn.pop("pad_to_aspect_ratio", None)
    _given_statistics(place, drawn)
    return drawn


def _given_statistics(place: Place, drawn: dict[str, Any]) -> None:
    """Mean and variance go together: a number each, or one for each place."""
    if {"mean", "variance"} & set(drawn):
        places = place.some(None, place.channels, place.channels)
        mean, variance = (
            _BY_NAME[name](place) if places is None else [_BY_NAME[name](place) for _ in range(places)]
            for name in ("mean", "variance")
        )
        drawn |= {"mean": mean, "variance": variance}


def _spare_tensorflow(place: Place, drawn: dict[str, Any]) -> None:
    """TensorFlow 2.21 on a CPU moves windows over volumes wrongly where strides pass the window."""
    if place.op.__name__ in ("AveragePooling3D", "Conv3D", "MaxPooling3D") and drawn.get("padding") == "same":
        drawn.pop("strides", None)
