"""What a report shows of rotation prediction: whether the network predicts rotations better than by chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.html_elements import Html
from nnspec.reports.findings import Finding
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.run.folder import Run

__all__ = ["findings", "sections"]

_CHANCE = 0.25


def findings(run: Run) -> Iterator[Finding]:
    """The accuracy after the last epoch."""
    records = run.metrics()
    if records:
        accuracy = records[-1].get("val_rotation_accuracy", records[-1]["rotation_accuracy"])
        level = "good" if accuracy > 2 * _CHANCE else "look"
        yield Finding(level, f"{accuracy:.1%} of the rotations are predicted; chance is {_CHANCE:.0%}.")


def sections(run: Run, found: Evaluation | None) -> Sequence[Html]:
    """None: the learning curves have the accuracy already."""
    del run, found
    return ()
