"""``nnspec inspect``."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.options import (
    allow_url_option,
    format_option,
    limit_option,
    limits_from,
    root_option,
    set_option,
    spec_argument,
)
from nnspec.cli.text import echo, echo_document, echo_tables, show, table, terminal_width
from nnspec.printable import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nnspec.graph import Graph, Model
    from nnspec.spec import Spec


@click.command("inspect")
@spec_argument
@format_option("text", "json", "mermaid", "svg", "html")
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.  [default: standard output]")
@click.option("--at", "settings", multiple=True, metavar="SYMBOL=N,…", help="Set free sizes: H=572,W=572.")
@click.option("--depth", type=click.IntRange(min=0), help="Levels of blocks to open.  [default: all of a small network]")
@click.option("--wide", is_flag=True, help="Every layer with its full name, and every column.")
@set_option
@root_option
@allow_url_option
@limit_option
def command(
    spec: Path,
    form: str,
    out: Path | None,
    settings: tuple[str, ...],
    depth: int | None,
    wide: bool,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
) -> None:
    """Show the layers of a spec: output shapes, parameters, multiply–accumulates (MACs), memory, and receptive fields.

    A block, or a repeated step, of a large network is one row (▸). On a terminal, columns that do not fit are left out.

    The other formats draw the graph: `mermaid` is a flowchart for Markdown, `svg` an image, and `html` a self-contained
    interactive page. Click a layer for details, or a block to expand or collapse it.

    Free sizes are shown as symbols, and values that depend on them as expressions. `--at` substitutes numbers in every format.
    If a size does not fit the network, the error suggests the nearest sizes that do.

    \b
    Examples:
      nnspec inspect net.nnspec.yaml
      nnspec inspect net.nnspec.yaml --depth 1
      nnspec inspect net.nnspec.yaml --set params.width=12 --format json
      nnspec inspect unet.nnspec.yaml --at H=572,W=572
      nnspec inspect net.nnspec.yaml --format svg -o net.svg
      nnspec inspect net.nnspec.yaml --format html -o net.html
    """
    from nnspec.files import write_whole
    from nnspec.graph import compile
    from nnspec.graph.fixed_sizes import at_sizes, sizes_from
    from nnspec.spec import load

    sizes = sizes_from(settings)
    loaded = load(spec, overrides, root=root, limits=limits_from(limits))
    model = compile(loaded)
    show(model.diagnostics)
    fixed = at_sizes(loaded, model, sizes) if sizes else model
    given = {name: _sizes_of(graph, sizes) for name, graph in model.networks.items()}
    program = _program(loaded, model) if loaded.program is not None else []
    if form == "text":
        text = _texts(fixed, given, program, depth, wide, terminal_width())
    else:
        text = _formatted(fixed, form, given, program)
    if out is None:
        (echo_tables if form == "text" else echo_document)(text.rstrip("\n"))
    else:
        write_whole(out, text)
        echo(f"wrote {out}")


def _sizes_of(graph: Graph, sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes of ``--at`` that apply to a network."""
    from nnspec.graph.fixed_sizes import free_sizes

    return {name: sizes[name] for name in free_sizes(graph) if name in sizes}


def _program(spec: Spec, model: Model) -> list[dict[str, Any]]:
    """What each entry of the spec's training program computes; empty if it has errors, which `validate` reports."""
    from nnspec.training.check import check_training

    plan = check_training(spec, model, [], require_data=False)
    return plan.own.describe() if plan is not None else []


def _formatted(model: Model, form: str, sizes: Mapping[str, Mapping[str, int]], program: Sequence[Mapping[str, Any]]) -> str:
    from nnspec.graph.describe import describe

    if form in ("mermaid", "svg", "html"):
        from nnspec import drawing

        return {"mermaid": drawing.to_mermaid, "svg": drawing.to_svg, "html": drawing.to_html}[form](model)
    described = describe(model)
    for name, own in sizes.items():
        described["networks"][name] |= {"at": own} if own else {}
    if program:
        described["program"] = program
    return json_text(described, indent=1) + "\n"


def _texts(
    model: Model,
    sizes: Mapping[str, Mapping[str, int]],
    program: Sequence[Mapping[str, Any]],
    depth: int | None,
    wide: bool,
    width: int | None,
) -> str:
    from nnspec.cli.layer_table import layer_table
    from nnspec.graph.describe import describe, stated_sizes
    from nnspec.graph.fixed_sizes import free_sizes

    described = describe(model)
    texts = [_params(model, None if wide else width)] if model.params else []
    folded = False
    narrowed: tuple[str, ...] = ()
    for name, network in described["networks"].items():
        title = described["name"] if name == "main" else f"{described['name']}: {name}"
        title += f" at {', '.join(f'{symbol} = {size}' for symbol, size in sizes[name].items())}" if sizes[name] else ""
        layers = _every_layer(network)
        if not wide:
            short = layer_table(model.networks[name], depth=depth, width=width)
            folded, narrowed = folded or short.folded, max(narrowed, short.narrowed, key=len)
            layers = short.text
        texts.append(_text(title, layers, {**network, "conditions": stated_sizes(model.networks[name])}, width))
    hints = [f"--depth {(depth or 0) + 1} opens ▸"] if folded else []
    hints += [f"--wide adds {', '.join(narrowed)}"] if narrowed else []
    free = dict.fromkeys(symbol for graph in model.networks.values() for symbol in free_sizes(graph))
    hints += [f"--at {','.join(f'{symbol}=N' for symbol in free)} sets sizes"] if free else []
    texts += [_program_text(program)] if program else []
    hint = "; ".join(hints)
    if width is not None:
        hint = textwrap.fill(hint, width)
    return "\n".join([*texts, *([hint, ""] if hint else [])])


def _program_text(program: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for entry in program:
        steps = [
            each["step"] if each["network"] in (None, each["step"]) else f"{each['step']} ({each['network']})"
            for each in entry["computes"]
        ]
        still = sorted({each["network"] for each in entry["computes"] if not each["training"] and each["network"]})
        rows.append([entry["loss"], ", ".join(entry["of"]), str(entry["times"]), ", ".join(steps), ", ".join(still)])
    return table(["loss", "trains", "times", "computes", "in inference mode"], rows, right=frozenset({2})) + "\n"


def _params(model: Model, width: int | None) -> str:
    from nnspec.spec.dumping import flow

    header = ["param", "value", "bounds", "help"]
    rows = [
        [param.name, "" if param.default is None else flow(param.default.plain()), param.text(), param.help]
        for param in model.params.values()
    ]
    if width is not None:
        name, value, bounds = (max(len(row[column]) for row in [header, *rows]) for column in range(3))
        room = max(width - name - bounds - 6, 2 * _NARROWEST_CELL)
        value = min(value, max(room // 2, room - max(len(row[3]) for row in rows)))
        rows = [line for row in rows for line in _wrapped(row, {1: value, 3: room - value})]
    return table(header, rows) + "\n"


def _wrapped(row: Sequence[str], widths: Mapping[int, int]) -> list[list[str]]:
    """A row as the rows of a table whose columns are at most that wide."""
    cells = [textwrap.wrap(cell, widths[column]) if column in widths else [cell] for column, cell in enumerate(row)]
    return [list(line) for line in zip_longest(*cells, fillvalue="")]


_LONGEST_OPERATION = 48
_NARROWEST_CELL = 12


def _every_layer(network: dict[str, Any]) -> str:
    from nnspec.graph.describe import operation_text

    rows = [[name, "input", "", _shape(t["shape"]), "", "", "", ""] for name, t in network["inputs"].items()]
    for layer in network["layers"]:
        field = layer["receptive_field"]
        rows.append(
            [
                layer["name"],
                operation_text(layer["op"], layer.get("expressions", {}), _LONGEST_OPERATION),
                ", ".join(layer["from"]),
                _shape(layer["shape"]),
                f"{layer['parameters']:,}" if layer["parameters"] else "",
                _count(layer["macs"]) if layer["macs"] else "",
                _bytes(layer["activation_bytes"]),
                " × ".join(map(str, field)) if field else "",
            ]
        )
    header = ["name", "operation", "from", "output", "parameters", "MACs", "memory", "receptive field"]
    return table(header, rows, right=frozenset({4, 5, 6}))


def _text(title: str, layers: str, network: dict[str, Any], width: int | None) -> str:
    outputs = ", ".join(f"{name} {_shape(t['shape'])}" for name, t in network["outputs"].items())
    frozen = network["parameters"] - network["trainable_parameters"]
    totals = [
        f"outputs: {outputs}",
        f"parameters: {network['parameters']:,}" + (f" ({frozen:,} frozen)" if frozen else ""),
        f"multiply–accumulates per example: {_count(network['macs'])}",
    ]
    peak = network["peak_activation_bytes"]
    if peak is not None:
        totals.append("peak activation memory per example: " + (_bytes(peak) if not isinstance(peak, list) else _maximum(peak)))
    totals += _plugins(network["layers"])
    totals += network["conditions"]
    if width is not None:
        totals = [textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False) for line in totals]
    return "\n".join([title, "", layers, "", *totals, ""])


def _plugins(layers: list[dict[str, Any]]) -> list[str]:
    found = {layer["op"]: layer["plugin"] for layer in layers if "plugin" in layer}
    return [f"{op} is from the package {plugin['package']}, exported with {plugin['export']}" for op, plugin in found.items()]


def _shape(shape: list[int | str | None]) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in ["batch", *shape[1:]]) + ")"


def _count(number: int | str) -> str:
    return f"{number:,}" if isinstance(number, int) else number


def _maximum(sizes: list[int | str]) -> str:
    return "maximum of " + ", ".join(map(_bytes, sizes))


def _bytes(size: int | str) -> str:
    from nnspec.graph.memory import bytes_text

    return bytes_text(size)
