"""Facts of a run: its summary, exported models and provenance."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.drawing.facts import count_text
from nnspec.graph.memory import bytes_text
from nnspec.html_elements import Html, element, section, table
from nnspec.printable import number
from nnspec.training.run.folder import Run


def run_facts(run: Run, part: str, rows: int | None) -> Html:
    """The summary of a run."""
    graph = run.graph
    info, examples = run.info, run.info["data"].get("examples", {})
    frozen = graph.parameters - graph.trainable_parameters
    facts = {
        "status": run.status,
        "started": str(info.get("started", "–")).replace("T", " ").replace("+00:00", " UTC"),
        "training time": _duration(info.get("seconds")),
        "epochs": f"{number(info.get('epochs'))} ({number(info.get('steps'))} steps)",
        "trained on": f"{number(examples.get('train'))} examples",
        "validated on": f"{number(examples.get('validation'))} examples" if examples.get("validation") else "none",
    }
    if rows is not None and part == "test":
        facts["tested on"] = f"{rows:,} examples"
    facts |= {
        "parameters": count_text(graph.parameters) + (f", {frozen:,} not trained" if frozen else ""),
        "MACs for one example": count_text(graph.macs),
    }
    best = info.get("best")
    if best:
        # The monitor is the epoch if the last weights are kept.
        why = "the last" if best["monitor"] == "epoch" else f"{best['monitor']} {number(best['value'])}"
        facts["weights kept"] = f"epoch {best['epoch']}: {why}"
    return _list(facts)


def exported_facts(run: Run, file: Path | None) -> Html:
    """The parity records of an exported model, or of the ``.onnx`` files in the run folder.

    Raises:
        NnspecError: If the given file is not a model.
    """
    files = [file] if file is not None else sorted(run.path.glob("*.onnx"))
    if not files:
        return Html()
    if find_spec("onnxruntime") is None:
        text = "Reading the exported model needs ONNX Runtime: pip install 'nnspec[serve]'"
        return section("Exported model", element("p", text, class_="note"))
    rows = [row for path in files for row in _exported(run, path, named=file is not None)]
    header = ["file", "size", "output", "largest difference", "tolerance", ""]
    note = element("p", "Differences from Keras, relative to the largest value of an output.", class_="note")
    return section("Exported model", table(header, rows, numbers=(1, 3, 4)), note)


def _exported(run: Run, path: Path, *, named: bool) -> list[list[Any]]:
    from nnspec.runtime.predictor import Predictor
    from nnspec.runtime.seal import deciding, undecided

    try:
        predictor = Predictor(path)
        outputs = dict(predictor.parity.get("outputs", {}))
        size = bytes_text(path.stat().st_size)
    except NnspecError:
        if named:
            raise
        return [[path.name, "", "", "", "", "cannot be read"]]
    if predictor.hash != run.spec.hash:
        return [[path.name, size, "", "", "", "from another spec"]]
    rows = []
    for name, output in outputs.items():
        errors = [f"{deciding(output)[key]:.2g}" for key in ("error", "tolerance")]
        share = f", {found} undecided" if (found := undecided(output)) else ""
        rows.append([path.name, size, name, *errors, f"equal within tolerance{share}"])
    return rows or [[path.name, size, "", "", "", "no parity record"]]


def provenance(run: Run) -> Html:
    """The provenance of a run: versions, machine, seed, spec."""
    info = run.info
    machine = {key: value for key, value in info.get("machine", {}).items() if not isinstance(value, (dict, list))}
    entries = {"seed": info["seed"], **info["versions"], **machine}
    entries |= {f"data: {part}": digest for part, digest in info["data"].get("fingerprints", {}).items()}
    entries["spec"] = info["spec"].get("hash")
    rows = [[key, number(value) if not isinstance(value, int) else str(value)] for key, value in entries.items()]
    spec = element("details", element("summary", "The spec"), element("pre", run.spec.resolved(), tabindex=0))
    return section("Provenance", table((), rows), spec)


def _list(facts: dict[str, str]) -> Html:
    items = (element("div", element("dt", name), element("dd", value)) for name, value in facts.items())
    return element("dl", *items, class_="facts")


def _duration(seconds: Any) -> str:
    if not isinstance(seconds, (int, float)):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
