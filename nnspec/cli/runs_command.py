"""``nnspec runs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, echo_tables, table, terminal_width


@click.command("runs")
@click.argument("folder", type=click.Path(path_type=Path), default="runs")
@format_option("text", "json")
def command(folder: Path, form: str) -> None:
    """List the runs in a folder, newest first: status, epochs, and the metrics of the best epoch.

    \b
    Examples:
      nnspec runs
      nnspec runs experiments/lenet --format json
    """
    from nnspec.training.run.listing import find_runs, summary

    found = sorted(map(summary, find_runs(folder)), key=lambda run: run.get("started", ""), reverse=True)
    if form == "json":
        echo_json(found, indent=1)
    elif not found:
        echo(f"no runs in {folder}; next: nnspec train SPEC")
    else:
        header = ["run", "status", "started", "time", "epochs", "best epoch"]
        echo_tables(table(header, [_row(run) for run in found], right=frozenset((3, 4)), width=terminal_width()))


def _row(run: dict[str, Any]) -> list[str]:
    if run["status"] == "damaged":
        return [run["run"], "damaged", "", "", "", run["reason"]]
    best = ""
    if run["best_epoch"]:
        shown = "" if run["monitor"] in (None, "epoch") or run["value"] is None else f", {run['monitor']} {run['value']:.4g}"
        best = f"{run['best_epoch']}{shown}"
    started = run["started"][:16].replace("T", " ")
    return [run["run"], run["status"], started, f"{run['seconds']:,.0f} s", str(run["epochs"]), best]
