"""What a generator makes, as it learned to: the sheets of a run."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path

from nnspec.reports.elements import Html, element, figure, section
from nnspec.runtime.sheets import SHEETS
from nnspec.training.run import Run

__all__ = ["samples"]

_SHOWN = 6
_NAME = re.compile(r"epoch-(\d{4,})\.png")


def samples(run: Run) -> Html:
    """The last sheet, and some of those before it, of the same noise; nothing where there are none."""
    found = {int(match[1]): file for file in (run.path / SHEETS).glob("epoch-*.png") if (match := _NAME.fullmatch(file.name))}
    epochs = sorted(epoch for epoch in found if epoch <= (run.info.get("epochs") or 0))
    if not epochs:
        return Html()
    first, last = epochs[0], epochs[-1]
    # As many again between two sheets: most happens in the first epochs.
    between = {round(first * (last / first) ** (i / (_SHOWN - 1))) for i in range(_SHOWN)}
    kept = [epoch for epoch in epochs if epoch in between | {first, last}]
    pieces = [figure(_sheet(found[epoch], epoch, 280), f"epoch {epoch}") for epoch in kept[:-1]]
    note = element("p", "Made of the same noise after each epoch; none of them is chosen.", class_="note")
    return section(
        "Samples", figure(_sheet(found[last], last, 560), f"epoch {last}"), element("div", *pieces, class_="plots"), note
    )


def _sheet(file: Path, epoch: int, width: int) -> Html:
    source = f"data:image/png;base64,{b64encode(file.read_bytes()).decode()}"
    return element("img", src=source, alt=f"what the generator makes after epoch {epoch}", width=width)
