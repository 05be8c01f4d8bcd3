"""``nnspec crossval``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from nnspec.cli.options import format_option, limit_option, limits_from, root_option, set_option, spec_argument
from nnspec.cli.text import echo, echo_json, echo_path


@click.command("crossval")
@spec_argument
@click.option("--folds", type=click.IntRange(min=2), help="How many folds.  [default: 5]")
@click.option("--leave-one-out", is_flag=True, help="Leave out one example at a time, or one group.")
@click.option("--rolling", is_flag=True, help="By time: train each fold on as many rows as the first, not on all before it.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder of runs.  [default: runs/NAME/crossval-TIME]")
@format_option("text", "json")
@set_option
@root_option
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
    """Train a spec once for each fold of its data, and score it there: the mean and the deviation of every figure.

    The fold that scores a model chooses nothing of it: the spec's own validation part, drawn from the rest, chooses the epoch.
    Each class is in proportion in every fold, and rows of one data.group are in one fold. By data.time, or in a series, the
    folds follow each other, and each is trained on what is before it (walk-forward).

    \b
    nnspec crossval net.nnspec.yaml --folds 10
    nnspec crossval series.nnspec.yaml --folds 6 --rolling
    nnspec crossval net.nnspec.yaml --leave-one-out --set data.group=patient
    """
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.spec import load

    if leave_one_out and folds is not None:
        raise click.UsageError("only one of --folds and --leave-one-out can be given")
    load(spec, overrides, root=root, limits=limits_from(limits))  # its errors are told before a framework is loaded
    load_frameworks("train")
    from nnspec.training.evaluation.cross_validation import crossval, crossval_text

    wanted = None if leave_one_out else folds or 5
    found = crossval(spec, overrides, folds=wanted, rolling=rolling, out=out, root=root, limits=limits_from(limits))
    if form == "json":
        echo_json(asdict(found) | {"path": str(found.path)})
    else:
        echo(crossval_text(found))
        echo_path(found.path)
    if found.finished < found.folds:
        ctx.exit(found.status)  # as a shell reports a program that a signal ended
