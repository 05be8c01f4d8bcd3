"""Rewrites of a complete ONNX graph, in the order in which they run before it is written.

A pass takes the graph and the names of its outputs, and changes the graph in place without changing what it computes. Its
docstring states what it requires and what it ensures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.passes.guard_empty_tensors import guard_empty_tensors

__all__ = ["PASSES", "Pass"]

Pass = Callable[[Builder, Collection[str]], None]

PASSES: tuple[Pass, ...] = (guard_empty_tensors,)
