"""Training: the catalogue of optimizers, losses and metrics, the static check, the epoch loop, the run folder.

The catalogue and the check load no framework; the rest is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.training.check import check_training
    from nnspec.training.cross_validation import crossval
    from nnspec.training.evaluation import evaluate, evaluation_text, golden_rows
    from nnspec.training.resuming import resume
    from nnspec.training.run import Run
    from nnspec.training.start import train

__all__ = ["Run", "check_training", "crossval", "evaluate", "evaluation_text", "golden_rows", "resume", "train"]

_MODULES = {
    "Run": "run",
    "check_training": "check",
    "crossval": "cross_validation",
    "evaluate": "evaluation",
    "evaluation_text": "evaluation",
    "golden_rows": "evaluation",
    "resume": "resuming",
    "train": "start",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
