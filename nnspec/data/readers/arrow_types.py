"""Conversion of Arrow types and arrays to columns and NumPy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import Column, DataError

if TYPE_CHECKING:
    from nnspec.data.readers.base import Values

_FLOATS = {"halffloat": "float16", "float": "float32", "double": "float64"}
"""NumPy's names of Arrow's floating-point types."""

_SECONDS = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}


def column_of(type_: Any) -> Column:
    """Return the column of an Arrow type; if the type is not supported, its `refused` states why."""
    from pyarrow import types

    type_ = _storage(type_)
    if _is_text(type_) or _is_bytes(type_):
        return Column((), "text")
    if is_list(type_):
        inner = column_of(type_.value_type)
        size = type_.list_size if types.is_fixed_size_list(type_) else None
        item = type_.value_type
        if inner.refused or (inner.is_text and inner.shape) or _is_temporal(item) or types.is_decimal(item):
            return Column((), "unknown", refused=_refusal(type_))
        if inner.is_text:
            return Column((None,), "text", ragged=True)
        return Column((size, *inner.shape), inner.dtype)
    if types.is_floating(type_) or types.is_integer(type_):
        return Column((), _FLOATS.get(str(type_), str(type_)))
    if types.is_boolean(type_):
        return Column((), "bool")
    if types.is_decimal(type_) or types.is_null(type_) or _is_temporal(type_):
        return Column((), "float64")
    return Column((), "unknown", refused=_refusal(type_))


def _refusal(type_: Any) -> str:
    return f"has the unsupported type {str(type_)[:80]}"


def _storage(type_: Any) -> Any:
    """Return the value type of a dictionary or extension type."""
    import pyarrow
    from pyarrow import types

    if isinstance(type_, pyarrow.BaseExtensionType):
        return _storage(type_.storage_type)
    if types.is_dictionary(type_):
        return _storage(type_.value_type)
    return type_


def _is_text(type_: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(type_) or types.is_large_string(type_)) or str(type_) == "string_view"


def _is_bytes(type_: Any) -> bool:
    from pyarrow import types

    return bool(types.is_binary(type_) or types.is_large_binary(type_)) or str(type_) == "binary_view"


def is_list(type_: Any) -> bool:
    """Return whether an Arrow type is a list type."""
    from pyarrow import types

    kinds = (types.is_list, types.is_large_list, types.is_fixed_size_list)
    return any(kind(type_) for kind in kinds)


def _is_temporal(type_: Any) -> bool:
    from pyarrow import types

    return bool(types.is_temporal(type_)) and not types.is_interval(type_)


def plain(array: Any) -> Any:
    """Return a chunked, dictionary or extension array as one plain array."""
    import pyarrow

    if isinstance(array, pyarrow.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pyarrow.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pyarrow.array([], array.type)
    if isinstance(array.type, pyarrow.BaseExtensionType):
        return plain(array.storage)
    if pyarrow.types.is_dictionary(array.type):
        return plain(array.dictionary_decode())
    return array


def is_encoded(type_: Any) -> bool:
    """Return whether the values of an Arrow type may be image files: bytes, or a struct with a field ``bytes``.

    Hugging Face's data sets store an image as such a struct, with its path.
    """
    from pyarrow import types

    type_ = _storage(type_)
    if types.is_struct(type_):
        place = type_.get_field_index("bytes")
        return place >= 0 and _is_bytes(type_.field(place).type)
    return _is_bytes(type_)


def encoded_of(array: Any) -> Any:
    """Return the image files of an array as an array of bytes."""
    import pyarrow

    array = plain(array)
    return plain(array.field("bytes")) if pyarrow.types.is_struct(array.type) else array


def fixed_lists(array: Any) -> Values | None:
    """Convert lists of a fixed size to an array; None if some are missing, or a size or the values are not fixed."""
    import pyarrow

    shape = [len(array)]
    while pyarrow.types.is_fixed_size_list(array.type):
        if array.null_count:
            return None
        shape.append(array.type.list_size)
        array = array.flatten()
    if array.null_count or not (pyarrow.types.is_floating(array.type) or pyarrow.types.is_integer(array.type)):
        return None
    return numbers_of(array).reshape(shape)


def texts_of(array: Any, where: Any) -> Values:
    """Convert a string or binary array to strings, None for missing values; bytes are decoded as UTF-8.

    Args:
        array: The array.
        where: Returns the place of a row, for messages.

    Raises:
        DataError: If bytes are not valid UTF-8.
    """
    import numpy as np

    texts = np.empty(len(array), object)
    texts[:] = array.to_pylist()
    if _is_bytes(array.type):
        for row, value in enumerate(texts):
            try:
                texts[row] = None if value is None else value.decode()
            except UnicodeDecodeError:
                help = "binary columns are read as UTF-8 text; store images as files and put their paths into the table"
                raise DataError(f"{where(row)}: the bytes are not valid UTF-8", help=help, argument="file") from None
    return texts


def numbers_of(array: Any) -> Values:
    """Convert a numeric array, missing values to NaN; dates and times become days or seconds since 1970."""
    import numpy as np
    import pyarrow

    kind = array.type
    if pyarrow.types.is_null(kind):
        return np.full(len(array), np.nan)
    if pyarrow.types.is_temporal(kind):
        wide = pyarrow.int32() if kind.bit_width == 32 else pyarrow.int64()
        unit = "ms" if pyarrow.types.is_date64(kind) else getattr(kind, "unit", "")
        return _numpy(array.cast(wide)) / (_SECONDS.get(unit, 1))
    if pyarrow.types.is_decimal(kind):
        array = array.cast(pyarrow.float64())
    return _numpy(array)


def _numpy(array: Any) -> Values:
    values: Values = array.to_numpy(zero_copy_only=False)
    return values.astype(float) if values.dtype == object else values
