"""How the weights follow the gradient: Keras's optimizers. An optimizer's module is imported when a spec first names it."""

from __future__ import annotations

from nnspec.types import Family

__all__ = ["LEFT_OUT", "OPTIMIZERS"]

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
    spellings={name.lower(): name for name in _NAMES},
)
"""Every optimizer by name; Keras's lower case is accepted too."""

LEFT_OUT = {
    "LossScaleOptimizer": "`precision: mixed_float16` puts it around the optimizer",
    "MultiOptimizer": "one optimizer trains one network; several come with objectives of several networks",
    "OptimizerMap": "the arguments of MultiOptimizer, not an optimizer",
    "Optimizer": "the base class",
}
"""Keras's optimizers that a spec cannot name, each with the reason."""
