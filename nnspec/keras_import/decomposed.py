"""Operations of ``keras.ops`` that are recorded as others while custom code is traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, pi
from typing import Any

__all__ = ["DECOMPOSED"]


def _outer(operation: Any, x1: Any, x2: Any) -> Any:
    from keras import ops

    if len(x1.shape) != 1 or len(x2.shape) != 1:
        raise ValueError("`keras.ops.outer` flattens its operands; use `keras.ops.einsum`")
    return ops.expand_dims(x1, -1) * x2


def _tensordot(operation: Any, x1: Any, x2: Any) -> Any:
    from keras import ops

    axes, ranks = operation.axes, (len(x1.shape), len(x2.shape))
    if isinstance(axes, int):
        axes = [list(range(ranks[0] - axes, ranks[0])), list(range(axes))]
    first, second = (
        [axis % rank for axis in (given if isinstance(given, list | tuple) else [given])]
        for given, rank in zip(axes, ranks, strict=True)
    )
    letters = iter("abcdefghijklmnop")
    left = [next(letters) for _ in range(ranks[0])]
    right = [left[first[second.index(axis)]] if axis in second else next(letters) for axis in range(ranks[1])]
    result = [one for one in left if one not in right] + [one for one in right if one not in left]
    return ops.einsum(f"{''.join(left)},{''.join(right)}->{''.join(result)}", x1, x2)


def _patches(operation: Any, images: Any) -> Any:
    """Slices of the padded images, one for each position within a patch."""
    from keras import ops

    size, rates = (_pair(getattr(operation, name, None) or 1) for name in ("size", "dilation_rate"))
    strides = _pair(operation.strides or size)
    _, *sizes, channels = images.shape
    if operation.data_format != "channels_last" or None in sizes or len(sizes) != 2:
        raise ValueError("`keras.ops.image.extract_patches` needs known sizes with the channels last")
    reach = [(one - 1) * rate + 1 for one, rate in zip(size, rates, strict=True)]
    if operation.padding == "same":
        counts = [ceil(known / stride) for known, stride in zip(sizes, strides, strict=True)]
        missing = [
            max((count - 1) * stride + far - known, 0)
            for count, stride, far, known in zip(counts, strides, reach, sizes, strict=True)
        ]
        images = ops.pad(images, [[0, 0], *([one // 2, one - one // 2] for one in missing), [0, 0]])
    else:
        counts = [(known - far) // stride + 1 for known, stride, far in zip(sizes, strides, reach, strict=True)]
    if rates == (1, 1) and size == strides:
        h, w = counts
        images = images[:, : h * size[0], : w * size[1]]
        parts = ops.transpose(ops.reshape(images, (-1, h, size[0], w, size[1], channels)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(parts, (-1, h, w, size[0] * size[1] * channels))

    def cut(number: int, axis: int) -> slice:
        start = number * rates[axis]
        return slice(start, start + (counts[axis] - 1) * strides[axis] + 1, strides[axis])

    slices = [images[:, cut(row, 0), cut(column, 1)] for row in range(size[0]) for column in range(size[1])]
    return ops.concatenate(slices, axis=-1)


def _convolved(operation: Any, x: Any, kernel: Any) -> Any:
    """Write a convolution with a kernel that is computed, such as a standardized one, as a product with patches."""
    from keras import ops

    *size, channels, filters = kernel.shape
    if not getattr(kernel, "_nnspec_shared", False) or len(size) != 2 or x.shape[-1] != channels:
        return None
    dilation = operation.dilation_rate
    image = ops.image.extract_patches(
        x, tuple(size), strides=_pair(operation.strides), dilation_rate=dilation, padding=operation.padding
    )
    return ops.einsum("abcd,de->abce", image, ops.reshape(kernel, (size[0] * size[1] * channels, filters)))


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _waves(x: Any, axis: int) -> tuple[Any, Any]:
    """Return the cosines and sines of the Fourier transform of an axis."""
    from keras import ops

    size = x.shape[axis]
    if size is None:
        raise ValueError("a Fourier transform needs known sizes")
    steps = ops.arange(size)
    angles = ops.cast((ops.expand_dims(steps, 1) * ops.expand_dims(steps, 0)) % size, "float32") * (2 * pi) / size
    return ops.cos(angles), ops.sin(angles)


def _is_zero(x: Any) -> bool:
    history = getattr(x, "_keras_history", None)
    return history is not None and type(history.operation).__name__ == "ZerosLike"


def _fourier(count: int) -> Callable[..., Any]:
    """Return the transform of the last axes, each by a product with the matrices of its cosines and sines."""

    def transform(operation: Any, x: Any) -> Any:
        from keras import ops

        real, imaginary = x
        imaginary = None if _is_zero(imaginary) else imaginary
        rank = len(real.shape)
        for axis in range(rank - count, rank):
            letters = "abcdefgh"[:rank]
            equation = f"z{letters[axis]},{letters}->{letters.replace(letters[axis], 'z')}"
            cosines, sines = _waves(real, axis)
            a, b = (ops.einsum(equation, matrix, real) for matrix in (cosines, sines))
            if imaginary is None:
                real, imaginary = a, -b
            else:
                c, d = (ops.einsum(equation, matrix, imaginary) for matrix in (cosines, sines))
                real, imaginary = a + d, c - b
        return real, imaginary

    return transform


def _repeated(operation: Any, x: Any) -> Any:
    """Repeat an axis of one position, as often as a size that may be free."""
    from keras import ops

    axis, times = operation.axis, operation.repeats
    if type(axis) is not int or type(times) is not int or None in x.shape or x.shape[axis] != 1:
        return None
    axis %= len(x.shape)
    return ops.broadcast_to(x, (*x.shape[:axis], times, *x.shape[axis + 1 :]))


def _spelt_out(operation: Any, *operands: Any) -> Any:
    """Write an ``einsum`` with ``...`` with letters; None if it has none."""
    from keras import ops

    before, arrow, after = operation.subscripts.replace(" ", "").partition("->")
    if "..." not in before or not arrow:
        return None
    letters = [letter for letter in "zyxwvutsrqponmlkjihgfedcba" if letter not in operation.subscripts]
    counts = [len(x.shape) - len(one) + 3 for one, x in zip(before.split(","), operands, strict=True) if "..." in one]
    known = iter(counts)
    texts = [one.replace("...", _last(letters, next(known))) if "..." in one else one for one in before.split(",")]
    return ops.einsum(f"{','.join(texts)}->{after.replace('...', _last(letters, max(counts)))}", *operands)


def _last(letters: list[str], count: int) -> str:
    return "".join(reversed(letters[:count]))


def _updated(operation: Any, x: Any, starts: Any, updates: Any) -> Any:
    """Replace a block of fixed position and size: the parts around it, axis by axis, are concatenated with it."""
    from keras import ops

    blocks = [
        None if start == 0 and size == total else (start, size)
        for start, size, total in zip(starts, updates.shape, x.shape, strict=True)
    ]
    if not all(type(start) is int for start in starts) or blocks[0] is not None:
        raise ValueError("`keras.ops.slice_update` needs fixed positions, and cannot replace examples")

    def replaced(x: Any, axis: int) -> Any:
        while axis < len(blocks) and blocks[axis] is None:
            axis += 1
        if axis == len(blocks):
            return ops.cast(updates, x.dtype)
        (start, size), before = blocks[axis], (slice(None),) * axis  # type: ignore[misc]
        parts = [
            x[(*before, slice(0, start))],
            replaced(x[(*before, slice(start, start + size))], axis + 1),
            x[(*before, slice(start + size, None))],
        ]
        return ops.concatenate([part for part in parts if part.shape[axis] != 0], axis=axis)

    return replaced(x, 0)


def _stacked(operation: Any, x: Any) -> Any:
    """Write a ``stack`` along the first axis as a concatenation; None for the others."""
    from keras import ops

    return ops.concatenate([ops.expand_dims(one, 0) for one in x], axis=0) if operation.axis == 0 else None


DECOMPOSED: Mapping[str, Callable[..., Any]] = {
    "Conv": _convolved,
    "Einsum": _spelt_out,
    "ExtractPatches": _patches,
    "FFT": _fourier(1),
    "FFT2": _fourier(2),
    "Outer": _outer,
    "Repeat": _repeated,
    "SliceUpdate": _updated,
    "Stack": _stacked,
    "Tensordot": _tensordot,
}
"""By Keras's name: functions of the operation and its arguments; where they return None, it is recorded as it is."""
