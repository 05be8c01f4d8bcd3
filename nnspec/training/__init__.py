"""Training: the catalogue of optimizers, losses and metrics, the static check, the epoch loop, the run folder.

The catalogue and the check load no framework; the rest is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.training.check import check_training
    from nnspec.training.evaluation.cross_validation import crossval
    from nnspec.training.evaluation.evaluate import evaluate, evaluation_text, golden_rows, spread_rows
    from nnspec.training.run.folder import Run
    from nnspec.training.run.resume import resume
    from nnspec.training.run.train import train

__all__ = ["Run", "check_training", "crossval", "evaluate", "evaluation_text", "golden_rows", "resume", "spread_rows", "train"]

_MODULES = {
    "Run": "run.folder",
    "check_training": "check",
    "crossval": "evaluation.cross_validation",
    "evaluate": "evaluation.evaluate",
    "evaluation_text": "evaluation.evaluate",
    "golden_rows": "evaluation.evaluate",
    "resume": "run.resume",
    "spread_rows": "evaluation.evaluate",
    "train": "run.train",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
