"""``nnspec train``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import limit_option, limits_from, root_option, set_option, spec_argument


@click.command("train")
@spec_argument
@click.option("--out", type=click.Path(path_type=Path), help="The run folder.  [default: runs/NAME/TIME]")
@click.option("--overwrite", is_flag=True, help="Replace a run that is at --out.")
@set_option
@root_option
@limit_option
@click.pass_context
def command(
    ctx: click.Context,
    spec: Path, out: Path | None, overwrite: bool, overrides: tuple[str, ...], root: Path | None, limits: tuple[str, ...]
) -> None:
    """Train a spec into a run folder: weights, metrics, learning curves, and all that repeats it.

    \b
    nnspec train net.nnspec.yaml
    nnspec train net.nnspec.yaml --out runs/first --set train.epochs=3
    """
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.spec import load

    loaded = load(spec, overrides, root=root, limits=limits_from(limits))
    load_frameworks("train")
    from nnspec.training import train

    run = train(loaded, out=out, overwrite=overwrite)
    click.echo(run.path)
    if run.status == "interrupted":
        ctx.exit(130)  # as a shell says of a program that Ctrl-C ended
