"""``nnspec verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.options import format_option, limit_option, limits_from, root_option, set_option, spec_argument
from nnspec.cli.text import echo, echo_json, echo_tables, table

if TYPE_CHECKING:
    from nnspec.exporting.activations import Activation, Verified


@click.command("verify")
@spec_argument
@click.argument("activations", type=click.Path(path_type=Path), metavar="ACTIVATIONS")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-4,
    show_default=True,
    help="Largest difference of equal tensors, relative to the largest recorded value.",
)
@set_option
@root_option
@limit_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    spec: Path,
    activations: Path,
    tolerance: float,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
    form: str,
) -> None:
    """Compare the activations of a network with those that another framework recorded, layer by layer.

    ACTIVATIONS is a .npz or .safetensors file with the inputs under their names, and outputs and layers under their names or
    those of the modules that their weights start from, such as `layer1.0.conv1`. The command names the first layer that differs
    and exits with 1 if there is one.

    \b
    Example:
      nnspec verify resnet18.nnspec.yaml recorded.npz
    """
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.spec import load

    load_frameworks("train")
    from nnspec.exporting.activations import verify_activations

    loaded = load(spec, overrides, root=root, limits=limits_from(limits))
    verified = verify_activations(loaded, activations, tolerance=tolerance)
    if form == "json":
        echo_json(verified.as_json())
    else:
        rows = [[each.name, each.recorded, *_cells(verified, each)] for each in verified.activations]
        echo_tables(table(["layer", "recorded as", "difference", ""], rows, right=frozenset({2})))
        if verified.unknown:
            more = " …" if len(verified.unknown) > _LISTED else ""
            echo(f"of no layer with this name: {', '.join(verified.unknown[:_LISTED])}{more}")
        for each in verified.activations:
            if each.reason:
                echo(f"`{each.recorded}`: {each.reason}")
        if verified.first is not None:
            echo(f"the first that differs is `{verified.first.name}` (`{verified.first.recorded}`)")
    if verified.first is not None:
        ctx.exit(1)


_LISTED = 6


def _cells(verified: Verified, each: Activation) -> tuple[str, str]:
    difference = "" if each.difference is None else f"{each.difference:.1e}"
    if not each.is_compared:
        return difference, "not compared"
    return difference, "equal" if verified.is_equal(each) else "differs"
