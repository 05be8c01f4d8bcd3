"""``nnspec sweep``."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path

import click

from nnspec.cli.options import format_option, limit_option, limits_from, root_option, set_option, spec_argument
from nnspec.cli.text import echo, echo_json


@click.command("sweep")
@spec_argument
@click.option("--trials", type=click.IntRange(min=1), help="How many trainings, in place of what the spec says.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder of runs.  [default: runs/NAME/sweep-TIME]")
@click.option("--resume", is_flag=True, help="Go on with the sweep that is at --out.")
@format_option("text", "json")
@set_option
@root_option
@limit_option
@click.pass_context
def command(
    ctx: click.Context,
    spec: Path,
    trials: int | None,
    out: Path | None,
    resume: bool,
    form: str,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
) -> None:
    """Train a spec with many values, and find those that train best.

    The spec's section `sweep` says which places are searched. Trainings that fall behind are broken off. Ctrl-C loses
    nothing: --resume goes on.

    \b
    sweep:
      over:
        params.width: {int: [16, 128], log: true}
        train.optimizer.Adam.learning_rate: {float: [1e-4, 1e-2], log: true}
        params.activation: [relu, tanh]
    \b
    nnspec sweep net.nnspec.yaml --trials 30 --out runs/search
    nnspec sweep net.nnspec.yaml --trials 60 --out runs/search --resume
    """
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.spec import load

    if trials is not None:
        overrides = (*overrides, f"sweep.trials={trials}")
    load(spec, overrides, root=root, limits=limits_from(limits))  # its errors are told before a framework is loaded
    load_frameworks("train")
    from nnspec.sweeping.study import sweep
    from nnspec.sweeping.trials import sweep_text

    found = sweep(spec, overrides, out=out, resume=resume, root=root, limits=limits_from(limits))
    if form == "json":
        best = found.best.number if found.best is not None else None
        echo_json(asdict(found) | {"path": str(found.path), "best": best})
    else:
        echo(sweep_text(found))
    if found.interrupted:
        echo(f"go on with: nnspec sweep {shlex.quote(str(spec))} --out {shlex.quote(str(found.path))} --resume", err=True)
        ctx.exit(found.status)  # as a shell reports a program that a signal ended
