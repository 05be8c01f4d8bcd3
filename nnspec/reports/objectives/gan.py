"""What a report shows of a GAN: generated examples over the epochs, and the warnings of its log."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

from nnspec.html_elements import Html, element, figure, section
from nnspec.reports.findings import Finding
from nnspec.runtime.sheets import SHEETS
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.objectives.gan.diversity import log_warnings
from nnspec.training.run.folder import Run

_SHOWN = 6
_NAME = re.compile(r"epoch-(\d{4,})\.png")


def findings(run: Run) -> Iterator[Finding]:
    """The warnings of the log, at its end and before."""
    records = run.metrics()
    at_end = {text.partition(":")[0]: text for text in (log_warnings(records) if records else ())}
    for text in at_end.values():
        yield Finding("bad", f"{text[0].upper()}{text[1:]}.")
    for kind in dict.fromkeys(text.partition(":")[0] for end in range(1, len(records)) for text in log_warnings(records[:end])):
        if kind not in at_end:
            epochs = [
                r["epoch"] for end, r in enumerate(records, 1) if any(t.startswith(kind) for t in log_warnings(records[:end]))
            ]
            where = f"epoch {epochs[0]}" if len(epochs) == 1 else f"{len(epochs)} epochs, the last of them {epochs[-1]}"
            yield Finding("look", f"{kind[0].upper()}{kind[1:]} in {where}, but not at the end.")


def sections(run: Run, found: Evaluation | None) -> Sequence[Html]:
    """The generated examples."""
    del found
    return (_samples(run),)


def _samples(run: Run) -> Html:
    """The last sheet and some of those before it, generated from the same noise; nothing if there are none."""
    found = {int(match[1]): file for file in (run.path / SHEETS).glob("epoch-*.png") if (match := _NAME.fullmatch(file.name))}
    epochs = sorted(epoch for epoch in found if epoch <= (run.info.get("epochs") or 0))
    if not epochs:
        return Html()
    first, last = epochs[0], epochs[-1]
    # Geometric spacing, since most changes are in the first epochs.
    between = {round(first * (last / first) ** (i / (_SHOWN - 1))) for i in range(_SHOWN)}
    kept = [epoch for epoch in epochs if epoch in between | {first, last}]
    pieces = [figure(_sheet(found[epoch], epoch, 280), f"epoch {epoch}") for epoch in kept[:-1]]
    note = element("p", "Generated from the same noise after each epoch, without selection.", class_="note")
    return section(
        "Samples", figure(_sheet(found[last], last, 560), f"epoch {last}"), element("div", *pieces, class_="plots"), note
    )


def _sheet(file: Path, epoch: int, width: int) -> Html:
    source = f"data:image/png;base64,{b64encode(file.read_bytes()).decode()}"
    return element("img", src=source, alt=f"generated examples after epoch {epoch}", width=width)
