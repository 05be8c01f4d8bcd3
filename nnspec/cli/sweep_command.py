"""``nnspec sweep``."""

from __future__ import annotations

import shlex
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
from nnspec.cli.text import echo, echo_json


@click.command("sweep")
@spec_argument
@click.option("--trials", type=click.IntRange(min=1), help="Number of trials; overrides sweep.trials of the spec.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for the runs.  [default: runs/NAME/sweep-TIME]")
@click.option("--resume", is_flag=True, help="Continue the sweep in --out.")
@click.option(
    "--storage",
    metavar="URL",
    envvar="NNSPEC_STORAGE",
    help="Share the trials with other workers and machines: journal:FILE, sqlite:///FILE or postgresql://USER@HOST/DATABASE. "
    "A sweep that is there is continued. The variable NNSPEC_STORAGE keeps a password out of the list of processes.",
)
@click.option("--study", metavar="NAME", help="Name of the sweep in --storage.  [default: that of the spec]")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of trials to run at the same time on this machine, each with its share of the processors.",
)
@format_option("text", "json")
@set_option
@root_option
@allow_url_option
@limit_option
@click.pass_context
def command(
    ctx: click.Context,
    spec: Path,
    trials: int | None,
    out: Path | None,
    resume: bool,
    storage: str | None,
    study: str | None,
    workers: int,
    form: str,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
) -> None:
    """Search for the best hyperparameters.

    The spec's `sweep` section defines the search space. Poor trials are pruned. A sweep stopped with Ctrl-C can be continued
    with --resume, and one with --storage by the same command, which also joins it from another machine.

    \b
    sweep:
      over:
        params.width: {int: [16, 128], log: true}
        train.optimizer.Adam.learning_rate: {float: [1e-4, 1e-2], log: true}
        params.activation: [relu, tanh]
    \b
    Examples:
      nnspec sweep net.nnspec.yaml --trials 30 --out runs/search
      nnspec sweep net.nnspec.yaml --trials 60 --out runs/search --resume
      nnspec sweep net.nnspec.yaml --storage journal:/shared/search.log --workers 4
      nnspec sweep net.nnspec.yaml --storage postgresql://ada@db.example/sweeps
    """
    from nnspec.cli.frameworks import load_frameworks, require_frameworks
    from nnspec.spec import load

    if trials is not None:
        overrides = (*overrides, f"sweep.trials={trials}")
    load(spec, overrides, root=root, limits=limits_from(limits))  # report errors in the spec before loading a framework
    if storage is not None and resume:
        raise click.UsageError("a sweep with --storage is continued by the same command, without --resume")
    if study is not None and storage is None:
        raise click.UsageError("--study names a sweep in a --storage")
    if workers == 1:
        load_frameworks("train")
    else:
        require_frameworks("train")  # the workers load them
    from nnspec.sweeping.study import sweep
    from nnspec.sweeping.trials import sweep_text

    result = sweep(
        spec,
        overrides,
        out=out,
        resume=resume,
        storage=storage,
        study=study,
        workers=workers,
        root=root,
        limits=limits_from(limits),
    )
    if form == "json":
        best = result.best.number if result.best is not None else None
        echo_json(asdict(result) | {"path": str(result.path), "best": best})
    else:
        echo(sweep_text(result))
    if result.interrupted:
        if storage is not None:
            echo("to continue: the same command", err=True)
        else:
            more = f" --workers {workers}" if workers > 1 else ""
            echo(
                f"to continue: nnspec sweep {shlex.quote(str(spec))} --out {shlex.quote(str(result.path))} --resume{more}",
                err=True,
            )
        ctx.exit(result.status)  # as a shell reports a program ended by a signal
