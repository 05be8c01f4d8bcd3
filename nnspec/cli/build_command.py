"""``nnspec build``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import limit_option, limits_from, root_option, set_option, spec_argument
from nnspec.cli.text import echo_path, show


@click.command("build")
@spec_argument
@click.option("-o", "--out", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="Output folder.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the initial weights.")
@click.option("--eject", is_flag=True, help="Also write model.py: Keras code of the networks that does not need nnspec.")
@set_option
@root_option
@limit_option
def command(
    spec: Path,
    folder: Path,
    seed: int | None,
    eject: bool,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
) -> None:
    """Compile a spec to a graph, a Keras model, and an ONNX model with initial weights.

    The outputs of the ONNX model are verified against those of the Keras model, and so are those of the code of --eject.

    \b
    Examples:
      nnspec build net.nnspec.yaml -o build/net --seed 7
      nnspec build net.nnspec.yaml -o build/net --eject
    """
    from nnspec.api import build
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.spec import load

    load_frameworks("train", "export")
    written, diagnostics = build(load(spec, overrides, root=root, limits=limits_from(limits)), folder, seed=seed, eject=eject)
    show(diagnostics)
    for file in written:
        echo_path(file)
