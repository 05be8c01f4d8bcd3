"""Cases drawn at random: arguments and sizes that nobody thought of. ``drawn(op)`` is a Hypothesis strategy of cases."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .cases import Case, Input

__all__ = ["DRAWN", "drawn"]

_AXES = {"1D": 1, "2D": 2, "3D": 3}
_SYMBOLS = ("H", "W")


def drawn(op: str) -> st.SearchStrategy[Case]:
    """Cases of a layer, many of which do not fit: then the layer must say so, and Keras refuse them."""
    return DRAWN[op]()


def _sizes(rank: int, smallest: int = 1) -> st.SearchStrategy[Any]:
    return st.one_of(st.integers(smallest, 4), st.lists(st.integers(smallest, 4), min_size=rank, max_size=rank))


def _spatial(rank: int) -> st.SearchStrategy[tuple[int | str, ...]]:
    return st.tuples(*(st.one_of(st.integers(1, 9), st.just(_SYMBOLS[axis])) for axis in range(rank)))


def _padding(rank: int, names: list[str], most: int) -> st.SearchStrategy[Any]:
    count = st.integers(0, most)
    side = st.one_of(count, st.lists(count, min_size=2, max_size=2))
    return st.one_of(st.sampled_from(names), st.sampled_from(names), count, st.lists(side, min_size=rank, max_size=rank))


@st.composite
def _convolution(draw: st.DrawFn, op: str) -> Case:
    rank = _AXES[op[-2:]]
    names = ["valid", "same", "full"] + ["causal"] * (rank == 1)
    groups = draw(st.integers(1, 2))
    arguments: dict[str, Any] = {
        "filters": groups * draw(st.integers(1, 2)),
        "kernel_size": draw(_sizes(rank)),
        "strides": draw(_sizes(rank)),
        "padding": draw(_padding(rank, names, 4)),
        "groups": groups,
        "use_bias": draw(st.booleans()),
    }
    if draw(st.booleans()):
        arguments |= {"strides": 1, "dilation_rate": draw(_sizes(rank))}
    channels = draw(st.sampled_from([2, 4, 3]))
    return Case(op, arguments, {"x": Input((*draw(_spatial(rank)), channels))})


@st.composite
def _transposed(draw: st.DrawFn, op: str) -> Case:
    rank = int(op[4])
    strides = draw(_sizes(rank))
    arguments: dict[str, Any] = {
        "filters": draw(st.integers(1, 2)),
        "kernel_size": draw(_sizes(rank)),
        "strides": strides,
        "padding": draw(_padding(rank, ["valid", "same"], 2)),
        "output_padding": draw(st.sampled_from([None, 0, 1])),
    }
    if draw(st.booleans()):
        arguments |= {"strides": 1, "dilation_rate": draw(_sizes(rank)), "output_padding": None}
    return Case(op, arguments, {"x": Input((*draw(_spatial(rank)), 2))})


@st.composite
def _per_channel(draw: st.DrawFn, op: str) -> Case:
    rank = _AXES[op[-2:]]
    arguments: dict[str, Any] = {
        "kernel_size": draw(_sizes(rank)),
        "strides": draw(st.integers(1, 3)),
        "padding": draw(_padding(rank, ["valid", "same", "full"], 3)),
        "depth_multiplier": draw(st.integers(1, 2)),
    } | ({"filters": 3} if op.startswith("Separable") else {})
    return Case(op, arguments, {"x": Input((*draw(_spatial(rank)), 2))})


@st.composite
def _pooling(draw: st.DrawFn, op: str) -> Case:
    rank = _AXES[op[-2:]]
    arguments = {
        "pool_size": draw(_sizes(rank, 2)),
        "strides": draw(st.one_of(st.none(), _sizes(rank))),
        "padding": draw(_padding(rank, ["valid", "same"], 1)),
    }
    return Case(op, arguments, {"x": Input((*draw(_spatial(rank)), 2))})


@st.composite
def _adaptive(draw: st.DrawFn, op: str) -> Case:
    rank = _AXES[op[-2:]]
    return Case(op, {"output_size": draw(_sizes(rank))}, {"x": Input((*draw(_spatial(rank)), draw(st.integers(1, 2))))})


@st.composite
def _fitted(draw: st.DrawFn, op: str) -> Case:
    arguments: dict[str, Any] = {"height": draw(st.integers(1, 9)), "width": draw(st.integers(1, 9))}
    if op == "Resizing":
        arguments |= {
            "interpolation": draw(st.sampled_from(["nearest", "bilinear", "bicubic", "lanczos3"])),
            draw(st.sampled_from(["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"])): draw(st.booleans()),
        }
    # Keras takes more with free sizes than can be said of them beforehand.
    plain = True not in arguments.values() and arguments.get("interpolation") in ("nearest", "bilinear")
    shape = draw(_spatial(2) if plain else st.tuples(st.integers(1, 12), st.integers(1, 12)))
    return Case(op, arguments, {"x": Input((*shape, 2))})


@st.composite
def _recurrent(draw: st.DrawFn, op: str) -> Case:
    flags = ["use_bias", "return_sequences", "return_state", "go_backwards"] + ["reset_after"] * (op == "GRU")
    arguments = {"units": draw(st.integers(1, 4)), **{flag: draw(st.booleans()) for flag in flags}}
    states = ["state_h", "state_c"] if op == "LSTM" else ["state"]
    inputs = {"x": Input((draw(st.sampled_from(["H", 5])), 3), masked=draw(st.booleans()))}
    if draw(st.booleans()):
        inputs |= {state: Input((arguments["units"],)) for state in states}
    return Case(op, arguments, inputs)


_size = st.one_of(st.sampled_from([1, 2, 3]), st.sampled_from(_SYMBOLS))


@st.composite
def _add(draw: st.DrawFn) -> Case:
    whole = draw(st.lists(_size, min_size=1, max_size=3))
    shapes = [draw(st.integers(0, len(whole))) for _ in range(draw(st.integers(1, 2)))]
    broadcast = [tuple(draw(st.sampled_from([size, 1])) for size in whole[lead:]) for lead in shapes]
    wrong = [(5, *whole[1:])] * draw(st.integers(0, 1)) * (whole[0] in (2, 3))
    return Case("Add", {}, {str(port): Input(shape) for port, shape in enumerate([tuple(whole), *broadcast, *wrong])})


@st.composite
def _concatenate(draw: st.DrawFn) -> Case:
    whole = draw(st.lists(_size, min_size=1, max_size=3))
    axis = draw(st.integers(0, len(whole) - 1))
    shapes = [tuple(draw(_size) if i == axis else size for i, size in enumerate(whole)) for _ in range(draw(st.integers(2, 3)))]
    return Case(
        "Concatenate",
        {"axis": draw(st.sampled_from([axis + 1, axis - len(whole)]))},
        {str(port): Input(shape) for port, shape in enumerate(shapes)},
    )


@st.composite
def _reshape(draw: st.DrawFn) -> Case:
    shape = draw(st.lists(st.one_of(st.sampled_from([1, 2, 3, 4, 6]), st.just("H")), min_size=1, max_size=3))
    target: list[int] = draw(st.lists(st.sampled_from([1, 2, 3, 6]), max_size=2))
    if "H" in shape or draw(st.booleans()):
        target.insert(draw(st.integers(0, len(target))), -1)
    return Case("Reshape", {"target_shape": target}, {"x": Input(tuple(shape))})


@st.composite
def _einsum_dense(draw: st.DrawFn) -> Case:
    """Any of the input's axes summed or kept, and new ones between what is kept."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    axes = "bcd"[: len(shape)]
    summed = draw(st.sets(st.sampled_from(axes), min_size=1))
    kernel = draw(st.permutations([*summed, *draw(st.sets(st.sampled_from("xy"), min_size=1))]))
    output = draw(st.permutations([*(axis for axis in axes if axis not in summed), *(axis for axis in kernel if axis in "xy")]))
    sizes = [draw(st.integers(1, 3)) if axis in "xy" else None for axis in output]
    equation = f"a{axes},{''.join(kernel)}->a{''.join(output)}"
    bias = "".join(axis for axis in output if draw(st.booleans())) or None
    return Case("EinsumDense", {"equation": equation, "output_shape": sizes, "bias_axes": bias}, {"x": Input(tuple(shape))})


@st.composite
def _group_query(draw: st.DrawFn) -> Case:
    groups, flags = draw(st.integers(1, 3)), ("use_bias", "use_gate", "use_causal_mask", "return_attention_scores")
    heads = {
        "head_dim": draw(st.integers(1, 3)),
        "num_key_value_heads": groups,
        "num_query_heads": groups * draw(st.integers(1, 3)),
    }
    given = {**heads, **{flag: draw(st.booleans()) for flag in flags}, "sliding_window": draw(st.sampled_from([None, 2]))}
    query, value = (Input((draw(st.sampled_from([*_SYMBOLS, 5])), 3), masked=draw(st.booleans())) for _ in range(2))
    return Case("GroupQueryAttention", given, {"query": query, "value": value})


DRAWN = {
    "EinsumDense": _einsum_dense,
    "GroupQueryAttention": _group_query,
    "Add": _add,
    "Concatenate": _concatenate,
    "Reshape": _reshape,
    **{op: lambda op=op: _transposed(op) for op in ("Conv1DTranspose", "Conv2DTranspose")},
    **{op: lambda op=op: _per_channel(op) for op in ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv2D")},
    **{op: lambda op=op: _convolution(op) for op in ("Conv1D", "Conv2D")},
    **{op: lambda op=op: _pooling(op) for op in ("AveragePooling1D", "AveragePooling2D", "MaxPooling1D", "MaxPooling2D")},
    **{op: lambda op=op: _adaptive(op) for op in ("AdaptiveAveragePooling2D", "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D")},
    **{op: lambda op=op: _fitted(op) for op in ("CenterCrop", "Resizing")},
    **{op: lambda op=op: _recurrent(op) for op in ("GRU", "LSTM", "SimpleRNN")},
}
