"""ONNX Runtime sessions: loads a model from its bytes and runs it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import RUNTIME
from nnspec.runtime.seal import metadata_of
from nnspec.runtime.versions import is_older

_OUTSIDE = re.compile(r"idx=(-?\d+) must be within the inclusive range \[-?\d+,(\d+)\]")

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by the name of an input or output."""

Run = Callable[[Arrays], Arrays]
"""A model as a function from inputs to outputs."""

Level = Literal["all", "basic", "disabled"]

_LEVELS = {
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "disabled": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
}


class Stop:
    """Stops the runs of one thread from another. ONNX Runtime checks it before each node, including those inside loops.

    A single node is not interrupted.
    """

    def __init__(self) -> None:
        self._options = onnxruntime.RunOptions()
        self._options.log_severity_level = 4
        self.is_set = False

    def set(self) -> None:
        """Make current and later runs fail."""
        self.is_set = True
        self._options.terminate = True

    @contextmanager
    def of_this_thread(self) -> Iterator[None]:
        """A context in which the runs of this thread can be stopped."""
        token = _OPTIONS.set(self._options)
        try:
            yield
        finally:
            _OPTIONS.reset(token)


def reason_of(error: Exception) -> str:
    """The reason of a failed run, without ONNX Runtime's prefix; reworded for an index out of range."""
    reason = str(error).partition("] : ")[2] or str(error)
    if (found := _OUTSIDE.search(reason)) is not None:
        return f"an input has the index {found[1]} for a table with rows 0 to {found[2]}: use indices from 0 to {found[2]}"
    return reason


_OPTIONS: ContextVar[Any] = ContextVar("run options", default=None)


def run_options() -> Any:
    """The run options of this thread; None for ONNX Runtime's defaults."""
    return _OPTIONS.get()


def open_session(
    content: bytes,
    *,
    name: str = "the model",
    threads: int | None = None,
    spinning: bool = True,
    level: Level = "all",
) -> onnxruntime.InferenceSession:
    """Open a session for a model. External weight files that the model names are not read.

    Args:
        content: The model's bytes.
        name: The model's name in error messages.
        threads: The number of threads per operator; None for one per core.
        spinning: Whether idle threads spin. Spinning is faster on an idle machine and much slower on a busy one.
        level: The level of graph optimization.

    Raises:
        NnspecError: If ONNX Runtime cannot load the model.
    """
    options = onnxruntime.SessionOptions()
    # Errors are raised; without this they are also logged.
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or 0
    options.graph_optimization_level = _LEVELS[level]
    if not spinning:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # External initializers are searched for in this folder, which cannot contain any.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = _needed_runtime(content) or str(error).partition("] : ")[2] or str(error)
        raise NnspecError(f"{name} cannot be loaded by ONNX Runtime {onnxruntime.__version__}: {reason}") from error


def _needed_runtime(content: bytes) -> str:
    """What a file states about the version of ONNX Runtime, if this one is older; else empty."""
    try:
        needed = metadata_of(content).get(RUNTIME, "")
    except ValueError:
        return ""
    if not is_older(onnxruntime.__version__, needed):
        return ""
    help = f"install it, or export the file with `--for onnxruntime=={onnxruntime.__version__}`"
    return f"it needs version {needed} or newer\n  = help: {help}"


def runner(content: bytes, *, level: Level = "all") -> Run:
    """Load a model as a function from inputs to outputs; unknown inputs are ignored.

    Args:
        content: The model's bytes.
        level: The level of graph optimization.

    Raises:
        NnspecError: If ONNX Runtime cannot load the model.
    """
    session = open_session(content, level=level)
    names = [output.name for output in session.get_outputs()]
    taken = {given.name for given in session.get_inputs()}

    def run(inputs: Arrays) -> Arrays:
        feeds = {name: np.asarray(array) for name, array in inputs.items() if name in taken}
        return dict(zip(names, session.run(names, feeds), strict=True))

    return run
