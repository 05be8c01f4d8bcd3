"""The versions of ONNX Runtime that run a file, by the opset of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nnspec.diagnostics import NnspecError

NEWEST_OPSETS: Mapping[tuple[int, int], int] = {
    (1, 15): 18,
    (1, 16): 19,
    (1, 17): 20,
    (1, 18): 21,
    (1, 21): 22,
    (1, 23): 23,
    (1, 24): 25,
    (1, 27): 26,
}
"""The newest opset that a version of ONNX Runtime and those after it load (`python -m benchmarks runtimes`)."""

_WRITTEN = re.compile(r"onnxruntime==(\d+)\.(\d+)(\.\d+)?")


def newest_opset_of(runtime: str) -> int:
    """Return the newest opset that a version of ONNX Runtime loads.

    Args:
        runtime: The version, as ``onnxruntime==1.17``.

    Raises:
        NnspecError: If it is not written so, or is older than all that are known.

    Example:
        >>> newest_opset_of("onnxruntime==1.20.1")
        21
    """
    found = _WRITTEN.fullmatch(runtime.replace(" ", ""))
    if found is None:
        raise NnspecError(f"`{runtime}` is not a version of ONNX Runtime\n  = help: write `onnxruntime==1.17`")
    version = int(found[1]), int(found[2])
    known = [opset for first, opset in NEWEST_OPSETS.items() if first <= version]
    if not known:
        raise NnspecError(f"no file is written for ONNX Runtime {found[1]}.{found[2]}: the oldest one is {_text(_OLDEST)}")
    return known[-1]


def oldest_runtime_of(opset: int) -> str:
    """Return the oldest version of ONNX Runtime that loads a file of an opset.

    Args:
        opset: The opset.

    Example:
        >>> oldest_runtime_of(23)
        '1.23'
    """
    return next(_text(version) for version, newest in NEWEST_OPSETS.items() if opset <= newest)


def is_older(version: str, than: str) -> bool:
    """Return whether a version of ONNX Runtime is older than another one; false if either is not a version.

    Example:
        >>> is_older("1.17.3", "1.23"), is_older("1.23.2", "1.23"), is_older("2.0", "1.23")
        (True, False, False)
    """
    numbers = [re.match(r"(\d+)\.(\d+)", each) for each in (version, than)]
    first, second = ([int(part) for part in found.groups()] if found else [0, 0] for found in numbers)
    return all(numbers) and first < second


_OLDEST = min(NEWEST_OPSETS)


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
