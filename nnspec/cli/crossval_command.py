"""``nnspec crossval``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

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
from nnspec.cli.text import echo, echo_json, echo_path


@click.command("crossval")
@spec_argument
@click.option("--folds", type=click.IntRange(min=2), help="Number of folds.  [default: 5]")
@click.option("--leave-one-out", is_flag=True, help="One fold per example, or per group if the spec sets data.group.")
@click.option(
    "--rolling", is_flag=True, help="With data in time order: train every fold on a window of the same number of rows."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for the runs.  [default: runs/NAME/crossval-TIME]")
@format_option("text", "json")
@set_option
@root_option
@allow_url_option
@limit_option
@click.pass_context
def command(
    ctx: click.Context,
    spec: Path,
    folds: int | None,
    leave_one_out: bool,
    rolling: bool,
    out: Path | None,
    form: str,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
) -> None:
    """Cross-validate a spec: train once per fold and report the mean and standard deviation of each metric.

    The held-out fold is used only for scoring. Early stopping and checkpoint selection use the spec's validation split, drawn
    from the other folds. Folds are stratified by class, and rows of the same data.group stay in the same fold. If the
    spec sets data.time, or its data are a series, each fold is trained on the rows before it (walk-forward validation).

    \b
    Examples:
      nnspec crossval net.nnspec.yaml --folds 10
      nnspec crossval series.nnspec.yaml --folds 6 --rolling
      nnspec crossval net.nnspec.yaml --leave-one-out --set data.group=patient
    """
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.spec import load

    if leave_one_out and folds is not None:
        raise click.UsageError("--folds and --leave-one-out cannot be combined")
    load(spec, overrides, root=root, limits=limits_from(limits))  # report errors in the spec before loading a framework
    load_frameworks("train")
    from nnspec.training.evaluation.cross_validation import crossval, crossval_text

    count = None if leave_one_out else folds or 5
    result = crossval(spec, overrides, folds=count, rolling=rolling, out=out, root=root, limits=limits_from(limits))
    if form == "json":
        record = asdict(result) | {"path": str(result.path)}
        record["figures"] = record.pop("metrics")
        echo_json(record)
    else:
        echo(crossval_text(result))
        echo_path(result.path)
    if result.finished < result.folds:
        ctx.exit(result.status)  # as a shell reports a program ended by a signal
