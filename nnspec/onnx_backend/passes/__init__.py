"""Rewrites of a complete ONNX graph, in the order in which they run before it is written."""

from __future__ import annotations

from nnspec.onnx_backend.passes.base import Pass, Property
from nnspec.onnx_backend.passes.copy_outputs import copy_outputs
from nnspec.onnx_backend.passes.fold_normalizations import fold_normalizations
from nnspec.onnx_backend.passes.guard_empty_tensors import guard_empty_tensors
from nnspec.onnx_backend.passes.hoist_loop_invariants import hoist_loop_invariants
from nnspec.onnx_backend.passes.remove_unused import remove_unused

__all__ = ["PASSES", "Pass", "Property"]


def _properties(*properties: Property) -> frozenset[Property]:
    return frozenset(properties)


PASSES: tuple[Pass, ...] = (
    Pass(
        fold_normalizations,
        ensures=_properties(Property.NORMALIZATIONS_FOLDED),
        ends=_properties(Property.NOTHING_UNUSED),
    ),
    Pass(
        hoist_loop_invariants,
        ensures=_properties(Property.INVARIANTS_OUTSIDE_LOOPS),
        ends=_properties(Property.OUTPUTS_COMPUTED),
    ),
    # A copy for an output would be moved out of the loop again.
    Pass(
        copy_outputs,
        requires=_properties(Property.INVARIANTS_OUTSIDE_LOOPS),
        ensures=_properties(Property.OUTPUTS_COMPUTED),
    ),
    Pass(remove_unused, ensures=_properties(Property.NOTHING_UNUSED)),
    # Guards of unused nodes would be written.
    Pass(
        guard_empty_tensors,
        requires=_properties(Property.NOTHING_UNUSED),
        ensures=_properties(Property.EMPTY_TENSORS_GUARDED),
    ),
)
