"""Model cards: inputs and outputs, training data, metrics, parity, size and license of a model.

Source: Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nnspec.packaging.contents import Contents
from nnspec.printable import json_text, markdown_code, markdown_text
from nnspec.runtime.ports import Port
from nnspec.runtime.precision import PrecisionRecord
from nnspec.runtime.seal import deciding, undecided

if TYPE_CHECKING:
    from nnspec.training.run.folder import Run

_UNKNOWN = "Not stated."
_COMPARED = {
    "float32": "The ONNX file",
    "float16": "The ONNX file, with weights rounded to float16,",
    "int8": "The file in float32, from which this one is made,",
}
"""What is proven equal to Keras, by the precision of the file."""


def card(contents: Contents) -> str:
    """Render the model card as Markdown.

    Args:
        contents: The contents of the package.
    """
    described = contents.run.info["spec"]["document"].get("description") if contents.run else None
    sections = {
        "Inputs and outputs": _ports(contents),
        **params_section(contents.run),
        "Data": _data(contents),
        "Metrics": _metrics(contents),
        "Parity": _parity(contents.predictor.parity, contents.predictor.precision),
        **_precision(contents.predictor.precision),
        "Budget": _budget(contents),
        "License": markdown_text(contents.license or "")
        or f"{_UNKNOWN} Ask the author of the model; `nnspec package --license` adds it to this card.",
        "Limitations": "A run does not show whether the data represent those in use, or whether errors affect some groups more "
        "than others. `nnspec evaluate` and `nnspec report` show errors by class.",
    }
    license = json.dumps(contents.license or "unknown").replace("<", "\\u003c")
    front = f"---\nlibrary_name: onnx\nlicense: {license}\n---\n\n"
    body = "".join(f"\n## {title}\n\n{text}\n" for title, text in sections.items())
    return f"{front}# {markdown_text(contents.name)}\n\n{markdown_text(described) if described else _UNKNOWN}\n{body}"


def _ports(contents: Contents) -> str:
    classes = contents.predictor.classes

    def row(kind: str, port: Port) -> list[str]:
        shape = ", ".join("?" if size is None else str(size) for size in port.shape)
        named = classes.get(port.name, [])
        shown = ", ".join(map(str, named[:20])) + (f" … ({len(named)})" if len(named) > 20 else "")
        return [kind, port.name, f"({shape})", port.dtype, shown]

    rows = [row("input", port) for port in contents.predictor.inputs.values()]
    rows += [row("output", port) for port in contents.predictor.outputs.values()]
    columns = _table(("", "name", "shape", "type", "classes"), rows)
    fed = [
        f"- {markdown_code(name)} reads {', '.join(markdown_code(column) for column in feed['columns'])}"
        for name, feed in contents.predictor.recipe.get("inputs", {}).items()
    ]
    return columns + ("\n\n" + "\n".join(fed) if fed else "")


def params_section(run: Run | None) -> dict[str, str]:
    """Return the section of the params by its title; empty if the document has none."""
    params = run.model.params if run else {}
    rows = [
        [param.name, "" if param.default is None else _plain(param.default.plain()), param.text(), param.help]
        for param in params.values()
    ]
    return {"Params": _table(("param", "value", "bounds", ""), rows)} if rows else {}


def _data(contents: Contents) -> str:
    if contents.run is None:
        return _UNKNOWN
    info = contents.run.info["data"]
    document = contents.run.info["spec"]["document"].get("data") or {}
    rows = [
        [
            part,
            f"{info.get('examples', {}).get(part, 0):,}",
            _plain(document.get(part, "")),
            info.get("fingerprints", {}).get(part, ""),
        ]
        for part in ("train", "validation", "test")
        if part in document or part in info.get("examples", {})
    ]
    return _table(("split", "examples", "source", "fingerprint"), rows)


def _metrics(contents: Contents) -> str:
    best = contents.run.info.get("best") if contents.run else None
    if not best:
        return _UNKNOWN
    assert contents.run is not None
    metrics = {name: value for name, value in best["figures"].items() if isinstance(value, float) and "second" not in name}
    kept = f"Weights of epoch {best['epoch']}, selected by {markdown_code(best['monitor'])}. "
    note = "Metrics with `val_` are of the validation split, which selected the weights; others are of the training split."
    return kept + note + "\n\n" + _table(("metric", "value"), [[name, f"{value:.4g}"] for name, value in metrics.items()])


def _precision(record: PrecisionRecord | None) -> dict[str, str]:
    """The section of the numbers of the file; empty if they are float32."""
    if record is None:
        return {}
    rows = [[name, f"{was:.4g}", f"{now:.4g}"] for name, (was, now) in record.metrics.items()]
    rows += [["bytes", *(f"{size:,}" for size in record.bytes)]]
    text = f"The file has numbers in {record.precision}."
    if record.metrics:
        text += f" Metrics of {record.rows:,} examples of the {record.data} data:"
    if record.in_float32:
        text += f" These layers stay in float32: {', '.join(map(markdown_code, record.in_float32))}."
    return {"Precision": text + "\n\n" + _table(("", "float32", record.precision), rows)}


def _parity(record: Mapping[str, Any], precision: PrecisionRecord | None = None) -> str:
    networks = record.get("networks", {"": record})
    rows = []
    for network, own in networks.items():
        for name, output in own.get("outputs", {}).items():
            errors = [f"{deciding(output)[key]:.1e}" for key in ("error", "tolerance")]
            rows.append([name if not network else f"{network}/{name}", *errors, undecided(output)])
    header = ["output", "largest error", "tolerance", "undecided"]
    text = (
        f"{_COMPARED[precision.precision if precision else 'float32']} agrees with its Keras model (`max|a − b| / max|b|`).\n\n"
    )
    return (
        text
        + (_table(header, rows) if any(row[-1] for row in rows) else _table(header[:-1], [row[:-1] for row in rows]))
        + f"\n\nSHA-256 of the verified contents: {markdown_code(record.get('sha256', '–'))}"
    )


def _budget(contents: Contents) -> str:
    rows = [["ONNX file", f"{len(contents.model):,} bytes", ""]]
    if contents.run is not None:
        graph = contents.run.model.main
        limits = contents.run.info["spec"]["document"].get("budget") or {}
        rows = [
            ["parameters", f"{graph.parameters:,}", _limit(limits, "parameters")],
            ["multiply–accumulates per example", _count(graph.macs), _limit(limits, "macs")],
            ["ONNX file", f"{len(contents.model):,} bytes", _limit(limits, "onnx_bytes")],
        ]
    return _table(("", "value", "limit"), rows)


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _limit(limits: Mapping[str, Any], name: str) -> str:
    return f"{limits[name]:,}" if isinstance(limits.get(name), int) else ""


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _table(header: Iterable[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(_lines([list(header), *rows]))


def _lines(rows: list[list[str]]) -> Iterator[str]:
    for i, row in enumerate(rows):
        yield "| " + " | ".join(markdown_text(cell) for cell in row) + " |"
        if i == 0:
            yield "|" + "---|" * len(row)
