"""Keras's optimizers. The module of an optimizer is imported when a spec first names it."""

from __future__ import annotations

from nnspec.types import Family

__all__ = ["UNSUPPORTED", "OPTIMIZERS"]

_MODULES = {
    "classic": (
        "Adadelta",
        "Adagrad",
        "Ftrl",
        "RMSprop",
        "SGD",
    ),
    "adam": (
        "Adam",
        "AdamW",
        "Adamax",
        "Lamb",
        "Nadam",
        "ScheduleFreeAdamW",
    ),
    "recent": (
        "Adafactor",
        "Lion",
        "Muon",
    ),
}

_NAMES = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}

OPTIMIZERS = Family(
    kind="optimizer",
    modules=_NAMES,
    aliases={"NAdam": "Nadam", "Momentum": "SGD", "RMSProp": "RMSprop", "FTRL": "Ftrl", "LAMB": "Lamb"},
    inexact=frozenset({"Momentum"}),  # SGD has none by default
    spellings={name.lower(): name for name in _NAMES},
)
"""Every optimizer by name; Keras's lower-case names are also accepted."""

UNSUPPORTED = {
    "LossScaleOptimizer": "`precision: mixed_float16` applies it",
    "MultiOptimizer": "each network has one optimizer; objectives of several networks take one for each",
    "OptimizerMap": "the arguments of MultiOptimizer, not an optimizer",
    "Optimizer": "the base class",
}
"""Keras's optimizers that are not available in specs, each with the reason."""
