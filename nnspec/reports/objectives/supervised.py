"""What a report shows of supervised learning: the course of the monitored metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.html_elements import Html
from nnspec.reports.findings import Finding
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.run.folder import Run


def findings(run: Run) -> Iterator[Finding]:
    """Whether more or fewer epochs would have been better."""
    best, epochs = run.info.get("best"), run.info.get("epochs") or 0
    if not best or epochs < 3:
        return
    if best["epoch"] == epochs and run.status == "finished":
        yield Finding(
            "look", f"`{best['monitor']}` was best in the last epoch, {epochs}: more epochs may do better.", "improving"
        )
    elif best["epoch"] <= epochs / 2:
        text = f"`{best['monitor']}` was best in epoch {best['epoch']} of {epochs} and did not improve after that."
        yield Finding("look", f"{text} Use `early_stopping`, or lower the learning rate.", "peaked")


def sections(run: Run, found: Evaluation | None) -> Sequence[Html]:
    """No further sections."""
    del run, found
    return ()
