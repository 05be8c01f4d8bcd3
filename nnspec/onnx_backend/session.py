"""Loads models into ONNX Runtime. Needs neither ``onnx`` nor a training framework."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import numpy as np
import onnxruntime

from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend.parity import Arrays, Run

__all__ = ["Level", "Stop", "open_session", "reason_of", "run_options", "runner"]

_OUTSIDE = re.compile(r"idx=(-?\d+) must be within the inclusive range \[-?\d+,(\d+)\]")

Level = Literal["all", "basic", "disabled"]

_LEVELS = {
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "disabled": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
}


class Stop:
    """Stops the runs of one thread from another: ONNX Runtime looks at it before each node, within loops too.

    A single node is not interrupted.
    """

    def __init__(self) -> None:
        self._options = onnxruntime.RunOptions()
        self._options.log_severity_level = 4
        self.is_set = False

    def set(self) -> None:
        """Makes the runs fail, those to come included."""
        self.is_set = True
        self._options.terminate = True

    @contextmanager
    def of_this_thread(self) -> Iterator[None]:
        """Within it, the runs of this thread can be stopped."""
        token = _OPTIONS.set(self._options)
        try:
            yield
        finally:
            _OPTIONS.reset(token)


def reason_of(error: Exception) -> str:
    """Why a run failed, without ONNX Runtime's own prefix; of a number that is in no table, in words."""
    reason = str(error).partition("] : ")[2] or str(error)
    if (found := _OUTSIDE.search(reason)) is not None:
        return f"an input chooses row {found[1]} of a table of rows 0 to {found[2]}: send numbers from 0 to {found[2]}"
    return reason


_OPTIONS: ContextVar[Any] = ContextVar("run options", default=None)


def run_options() -> Any:
    """The options with which a session is to be run in this thread; None for ONNX Runtime's own."""
    return _OPTIONS.get()


def open_session(
    content: bytes,
    *,
    name: str = "the model",
    threads: int | None = None,
    spinning: bool = True,
    level: Level = "all",
) -> onnxruntime.InferenceSession:
    """A session for a model's bytes. No other file is read, whatever the model asks for.

    Args:
        content: The model.
        name: What it is called in errors.
        threads: How many threads compute one operator; None: one for each core.
        spinning: Whether a thread that waits for work keeps its core busy. That is faster where nothing else runs, and far
            slower beside other work.
        level: How far the model is optimized before it runs.

    Raises:
        NnspecError: Where ONNX Runtime does not load it.
    """
    options = onnxruntime.SessionOptions()
    # What is said in an error is not printed a second time.
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or 0
    options.graph_optimization_level = _LEVELS[level]
    if not spinning:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Files that hold weights beside a model are looked for in here, where none can be.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = str(error).partition("] : ")[2] or str(error)
        raise NnspecError(f"{name} cannot be loaded by ONNX Runtime {onnxruntime.__version__}: {reason}") from error


def runner(content: bytes, *, level: Level = "all") -> Run:
    """A model as a function from inputs to outputs, by name; inputs that it does not take are ignored.

    Args:
        content: The model.
        level: How far the model is optimized before it runs.

    Raises:
        NnspecError: Where ONNX Runtime does not load it.
    """
    session = open_session(content, level=level)
    names = [output.name for output in session.get_outputs()]
    taken = {given.name for given in session.get_inputs()}

    def run(inputs: Arrays) -> Arrays:
        feeds = {name: np.asarray(array) for name, array in inputs.items() if name in taken}
        return dict(zip(names, session.run(names, feeds), strict=True))

    return run
