"""What a notebook shows of a run: its state, its metrics, and its learning curves."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from nnspec.diagnostics import NnspecError
from nnspec.extras import installed
from nnspec.html_elements import Html, element, fold, table
from nnspec.notebook import fragment
from nnspec.printable import number

if TYPE_CHECKING:
    from nnspec.training.run.folder import Run

_MOST_CURVES = 3
_LEFT_OUT = {"epoch", "step", "seconds", "examples_per_second"}


def run_html(run: Run) -> str:
    """Return the state, the metrics of the best epoch and the learning curves of a run as markup."""
    info, best = run.info, run.info.get("best") or {}
    examples = info["data"].get("examples", {})
    facts = {
        "status": run.status,
        "epochs": number(info.get("epochs")),
        "training examples": number(examples.get("train")),
        "validation examples": number(examples.get("validation")),
        "parameters": number(info.get("parameters")),
        "folder": str(run.path),
    }
    items = (element("div", element("dt", name), element("dd", value)) for name, value in facts.items())
    figures = {name: value for name, value in best.get("figures", {}).items() if name not in _LEFT_OUT}
    names = list(dict.fromkeys(name.removeprefix("val_") for name in figures))
    rows = [[name, *(number(figures[key]) if key in figures else "" for key in (name, f"val_{name}"))] for name in names]
    title = element("h3", f"epoch {best['epoch']}, whose weights are kept") if rows else Html()
    metrics = table(["", "training", "validation"], rows, numbers=(1, 2)) if rows else Html()
    return fragment(element("h2", run.name), element("dl", *items, class_="facts"), title, metrics, _curves(run))


def _curves(run: Run) -> Html:
    if not installed("matplotlib"):
        return Html()
    from nnspec.training.run.curves import curves

    try:
        records = run.metrics()
    except NnspecError:  # the log is damaged; the other facts are shown
        return Html()
    if not records:
        return Html()
    content = curves(records, "", (run.info.get("best") or {}).get("epoch", 0), most=_MOST_CURVES)
    source = f"data:image/png;base64,{b64encode(content).decode()}"
    return fold("learning curves", element("img", src=source, alt="learning curves", width=780), opened=True)
