"""``nnspec train``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.options import limit_option, limits_from, root_option, set_option
from nnspec.cli.text import echo_path

if TYPE_CHECKING:
    from nnspec.training import Run


@click.command("train")
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), help="The run folder.  [default: runs/NAME/TIME]")
@click.option("--overwrite", is_flag=True, help="Replace a run that is at --out.")
@click.option("--resume", "run", type=click.Path(path_type=Path), metavar="RUN", help="Go on with a run where it stopped.")
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "jax"]),
    help="The framework that trains.  [default: KERAS_BACKEND, or tensorflow]",
)
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Save in the middle of an epoch too, so often.  [default: 10]",
)
@click.option("--keep", type=click.IntRange(min=1), metavar="K", help="Newest checkpoints kept, beside the best.  [default: 3]")
@click.option(
    "--strategy",
    type=click.Choice(["mirrored"]),
    help="Several graphics cards of this machine: each has a part of every batch, and the gradients are summed.",
)
@click.option("--tensorboard", is_flag=True, help="Write the figures for TensorBoard too, into RUN/tensorboard.")
@click.option("--allow-different", is_flag=True, help="Resume though versions or processor differ: not bit for bit the same.")
@set_option
@root_option
@limit_option
@click.pass_context
def command(ctx: click.Context, /, spec: Path | None, run: Path | None, **options: Any) -> None:
    """Train a spec into a run folder: weights, metrics, learning curves, and all that repeats it.

    Ctrl-C stops after the step; `--resume` goes on from there, or after a kill, to the same weights bit for bit.

    \b
    nnspec train net.nnspec.yaml
    nnspec train net.nnspec.yaml --out runs/first --set train.epochs=3
    nnspec train --resume runs/first
    """
    with _second_signal_ends_at_once():
        trained = _resume(run, spec, **options) if run is not None else _train(spec, **options)
    echo_path(trained.path)
    if trained.status == "interrupted":
        # As a shell says of a program that the signal ended.
        ctx.exit(128 + signal.Signals[trained.info["signal"]])


def _train(
    spec: Path | None,
    *,
    out: Path | None,
    overwrite: bool,
    checkpoint_every: float | None,
    keep: int | None,
    allow_different: bool,
    backend: str | None,
    strategy: str | None,
    tensorboard: bool,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
) -> Run:
    if spec is None:
        raise click.UsageError("which spec? write `nnspec train SPEC`, or `nnspec train --resume RUN`")
    if allow_different:
        raise click.UsageError("--allow-different goes with --resume")
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.spec import load

    loaded = load(spec, overrides, root=root, limits=limits_from(limits))
    load_frameworks("train", as_on={"backend": backend} if backend else None)
    from nnspec.training import train

    given = _given(checkpoint_every=checkpoint_every, keep=keep, strategy=strategy)
    return train(loaded, out=out, overwrite=overwrite, tensorboard=tensorboard, **given)


def _resume(
    run: Path,
    spec: Path | None,
    *,
    out: Path | None,
    overwrite: bool,
    backend: str | None,
    strategy: str | None,
    tensorboard: bool,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
    **options: Any,
) -> Run:
    for name, given in (
        ("--out", out),
        ("--overwrite", overwrite),
        ("--root", root),
        ("--limit", limits),
        ("--backend", backend),
        ("--strategy", strategy),
        ("--tensorboard", tensorboard),
    ):
        if given:
            raise click.UsageError(f"{name} does not go with --resume: the run goes on where and as it was begun")
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.training import Run

    load_frameworks("train", as_on=Run.open(run).info["machine"])
    from nnspec.training import resume

    return resume(run, spec=spec, overrides=overrides, **options)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@contextmanager
def _second_signal_ends_at_once() -> Iterator[None]:
    """Lets the system's own handling stand behind the training's.

    The training notes the first Ctrl-C and then puts back what was there: a second ends the process in the middle of a
    step too, where Python's own handler would wait for the framework to return. Whatever is on the disk stays whole.
    """
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
