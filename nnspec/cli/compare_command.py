"""``nnspec compare``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, echo_tables, table


@click.command("compare")
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="HTML file to write, with curves.")
@format_option("text", "json")
def command(runs: tuple[Path, ...], out: Path | None, form: str) -> None:
    """Compare runs: metrics beside each other, and what differs from the first run in spec, data, seed and versions.

    \b
    Examples:
      nnspec compare runs/first runs/second
      nnspec compare runs/lenet5/* -o lenet5.html
    """
    if out is not None:
        from nnspec.cli.frameworks import load_frameworks

        load_frameworks("train")
    from nnspec.comparison.difference import as_text
    from nnspec.run_comparison import compare_runs

    compared = compare_runs(*runs)
    if form == "json":
        echo_json(compared.as_json(), indent=1)
    else:
        numbers = frozenset(range(1, len(runs) + 1))
        echo_tables(table(["metric", *compared.names], compared.metric_rows, right=numbers))
        for name, difference in zip(compared.names[1:], compared.differences, strict=True):
            echo(f"\nfrom {compared.names[0]} to {name}:\n{as_text(difference)}")
        if compared.conditions:
            echo("")
            echo_tables(table(["other differences", *compared.names], compared.condition_rows))
    if out is not None:
        from nnspec.run_comparison.page import write_comparison

        echo(f"wrote {write_comparison(compared, out)}", err=True)
