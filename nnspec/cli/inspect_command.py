"""``nnspec inspect``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from nnspec.cli.options import format_option, limit_option, limits_from, set_option, spec_argument
from nnspec.cli.text import show, table


@click.command("inspect")
@spec_argument
@format_option("text", "json")
@set_option
@limit_option
def command(spec: Path, form: str, overrides: tuple[str, ...], limits: tuple[str, ...]) -> None:
    """The table of layers: output shapes, parameters, multiply–accumulates, receptive fields.

    \b
    nnspec inspect net.nnspec.yaml
    nnspec inspect net.nnspec.yaml --set params.width=12 --format json
    """
    from nnspec.graph import compile
    from nnspec.graph.describe import describe
    from nnspec.spec import load

    model = compile(load(spec, overrides, limits=limits_from(limits)))
    described = describe(model)
    if form == "json":
        click.echo(json.dumps(described, indent=1))
        return
    show(model.diagnostics)
    for name, network in described["networks"].items():
        title = described["name"] if name == "main" else f"{described['name']}: {name}"
        conditions = {symbol: str(condition) for symbol, condition in model.networks[name].conditions.items()}
        click.echo(_text(title, {**network, "conditions": conditions}))


def _text(title: str, network: dict[str, Any]) -> str:
    rows = [[name, "input", "", _shape(t["shape"]), "", "", ""] for name, t in network["inputs"].items()]
    for layer in network["layers"]:
        field = layer["receptive_field"]
        rows.append(
            [
                layer["name"],
                layer["op"],
                ", ".join(layer["from"]),
                _shape(layer["shape"]),
                f"{layer['parameters']:,}" if layer["parameters"] else "",
                _count(layer["macs"]) if layer["macs"] else "",
                " × ".join(map(str, field)) if field else "",
            ]
        )
    header = ["name", "operation", "from", "output", "parameters", "MACs", "receptive field"]
    outputs = ", ".join(f"{name} {_shape(t['shape'])}" for name, t in network["outputs"].items())
    frozen = network["parameters"] - network["trainable_parameters"]
    totals = [
        f"outputs: {outputs}",
        f"parameters: {network['parameters']:,}" + (f", {frozen:,} of them not trained" if frozen else ""),
        f"multiply–accumulates for one example: {_count(network['macs'])}",
    ]
    totals += [f"{name} must be {text}" for name, text in network["conditions"].items()]
    return "\n".join([title, "", table(header, rows, right=frozenset({4, 5})), "", *totals, ""])


def _shape(shape: list[int | str | None]) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in ["batch", *shape[1:]]) + ")"


def _count(number: int | str) -> str:
    return f"{number:,}" if isinstance(number, int) else number
