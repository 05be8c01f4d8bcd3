"""``nnspec train``."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.options import allow_url_option, limit_option, limits_from, root_option, set_option
from nnspec.cli.text import echo, echo_path
from nnspec.diagnostics import NnspecError

if TYPE_CHECKING:
    from nnspec.spec import Spec
    from nnspec.training import Run
    from nnspec.training.processes.environment import Place


@click.command("train")
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Run folder to write.  [default: runs/NAME/TIME, which the link runs/NAME/latest then names]",
)
@click.option("--overwrite", is_flag=True, help="Overwrite an existing run at --out.")
@click.option("--resume", "run", type=click.Path(path_type=Path), metavar="RUN", help="Resume an interrupted run.")
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "jax"]),
    help="Keras backend.  [default: KERAS_BACKEND, or tensorflow]",
)
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Also save a checkpoint within an epoch at this interval.  [default: 10]",
)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="K",
    help="Number of recent checkpoints to keep besides the best.  [default: 3]",
)
@click.option(
    "--strategy",
    type=click.Choice(["mirrored"]),
    help="Data parallelism over the GPUs of this machine: each batch is split, and the gradients are summed.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Train in N processes of this machine, on JAX: each computes a share of every batch.",
)
@click.option(
    "--devices",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Share each batch between N devices of this process, on JAX.",
)
@click.option(
    "--track",
    type=click.Choice(["mlflow", "tensorboard", "wandb"]),
    multiple=True,
    help="Also record the metrics in MLflow, for TensorBoard (in RUN/tensorboard), or in Weights & Biases; can be repeated.",
)
@click.option(
    "--allow-different",
    is_flag=True,
    help="Resume even if versions or the processor differ; results may then not be bit-identical.",
)
@set_option
@root_option
@allow_url_option
@limit_option
@click.pass_context
def command(ctx: click.Context, /, spec: Path | None, run: Path | None, processes: int | None, **options: Any) -> None:
    """Train a spec and write a run folder: weights, metrics, learning curves, and everything needed to reproduce the run.

    The link runs/NAME/latest names the newest run without --out; every command takes it for a run.

    Ctrl-C stops after the current step. `--resume` continues an interrupted or killed run and reaches bit-identical weights.

    \b
    Examples:
      nnspec train net.nnspec.yaml
      nnspec evaluate runs/net/latest
      nnspec train net.nnspec.yaml --out runs/first --set train.epochs=3
      nnspec train --resume runs/first
      nnspec train net.nnspec.yaml --processes 4 --out runs/four

    Under Slurm, Open MPI or Kubernetes, or with JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID, each process
    that is started finds its place itself.
    """
    from nnspec.training.processes.environment import LAUNCHED, place_in

    place = place_in(os.environ)
    if processes is not None and LAUNCHED not in os.environ:
        if place is not None:
            raise click.UsageError("--processes starts processes, and this is already one of several")
        if processes > 1:
            if options["strategy"] is not None:
                raise click.UsageError("--strategy is for TensorFlow, and --processes for JAX; use one of them")
            if run is None:
                _check_backend(options["backend"])
            else:
                _check_run(run)
            if spec is not None:
                _loaded(spec, **options)  # its errors are reported once
            from nnspec.training.processes.launch import launch, this_command

            ctx.exit(launch(this_command(), processes))
    if place is not None:
        if run is None:
            _check_backend(options["backend"])
        options["backend"] = "jax" if run is None else None
    try:
        with _default_sigint():
            trained = _resume(run, spec, place=place, **options) if run is not None else _train(spec, place=place, **options)
        if place is not None and place.index:
            ctx.exit(0)
    except Exception as error:
        if place is not None and not isinstance(error, click.exceptions.Exit):
            _end_process(error)
        raise
    echo_path(trained.path)
    if trained.status in ("finished", "stopped early"):
        folder = shlex.quote(str(trained.path))
        echo(f"next: nnspec evaluate {folder}  (also: report, predict, export)", style="dim", err=True)
    if trained.status == "interrupted":
        ctx.exit(128 + signal.Signals[trained.info["signal"]])  # as a shell reports a program ended by a signal


def _loaded(spec: Path, *, overrides: tuple[str, ...], root: Path | None, limits: tuple[str, ...], **others: Any) -> Spec:
    del others
    from nnspec.spec import load

    return load(spec, overrides, root=root, limits=limits_from(limits))


def _check_backend(backend: str | None) -> None:
    """Check that several processes train on JAX, the only backend that can."""
    if (backend or os.environ.get("KERAS_BACKEND") or "jax") != "jax":
        raise click.UsageError("several processes train on JAX only; use --backend jax")


def _check_run(run: Path) -> None:
    """Check that a run that several processes or devices are to resume was trained on JAX."""
    from nnspec.training.run.folder import Run

    backend = Run.open(run).info["machine"]["backend"]
    if backend != "jax":
        help = "resume it without --processes and --devices"
        raise NnspecError(
            f"several processes or devices train on JAX only, and {run} was trained on {backend}\n  = help: {help}"
        )


def _end_process(error: Exception) -> None:
    """Report the error of one of several processes, and end it without waiting for the others."""
    from nnspec.cli import report_errors
    from nnspec.training.processes.environment import LOST
    from nnspec.training.processes.group import LostProcess, leave

    try:
        with report_errors():
            raise error
    except click.exceptions.Exit as ended:
        leave(LOST if isinstance(error, LostProcess) else ended.exit_code)
        raise  # it has not joined the others
    except click.ClickException as shown:
        shown.show()
        leave(shown.exit_code)
        raise click.exceptions.Exit(shown.exit_code) from None


def _train(
    spec: Path | None,
    *,
    place: Place | None,
    out: Path | None,
    overwrite: bool,
    checkpoint_every: float | None,
    keep: int | None,
    allow_different: bool,
    backend: str | None,
    strategy: str | None,
    devices: int | None,
    track: tuple[str, ...],
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
) -> Run:
    if spec is None:
        raise click.UsageError("missing SPEC; write `nnspec train SPEC`, or `nnspec train --resume RUN`")
    if allow_different:
        raise click.UsageError("--allow-different requires --resume")
    from nnspec.cli.frameworks import load_frameworks

    loaded = _loaded(spec, overrides=overrides, root=root, limits=limits)
    first = place is None or place.index == 0
    load_frameworks("train", as_on={"backend": backend} if backend else None, announce=first, place=place, devices=devices)
    from nnspec.training import train

    options = _given(checkpoint_every=checkpoint_every, keep=keep, strategy=strategy, devices=devices)
    return train(loaded, out=out, overwrite=overwrite, track=track, **options)


def _resume(
    run: Path,
    spec: Path | None,
    *,
    place: Place | None,
    out: Path | None,
    overwrite: bool,
    devices: int | None,
    backend: str | None,
    strategy: str | None,
    track: tuple[str, ...],
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
        ("--track", track),
    ):
        if given:
            raise click.UsageError(f"{name} cannot be combined with --resume: a run is resumed with its original settings")
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.training import Run

    machine = Run.open(run).info["machine"]
    if place is not None or devices is not None:
        _check_run(run)
    load_frameworks("train", as_on=machine, announce=place is None or place.index == 0, place=place, devices=devices)
    from nnspec.training import resume

    return resume(run, spec=spec, overrides=overrides, devices=devices, **options)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@contextmanager
def _default_sigint() -> Iterator[None]:
    """Set the operating system's default handler for SIGINT around the training.

    The training handles the first Ctrl-C and then restores the previous handler, so that a second Ctrl-C ends the process
    within a step. Python's own handler would wait for the framework to return. Files are written atomically and stay intact.
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
