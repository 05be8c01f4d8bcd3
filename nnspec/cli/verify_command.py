"""``nnspec verify``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.options import format_option, limit_option, limits_from, root_option, set_option
from nnspec.cli.text import echo, echo_json, echo_tables, table

if TYPE_CHECKING:
    from nnspec.exporting.activations import Activation, Verified


@click.command("verify")
@click.argument("subject", type=click.Path(path_type=Path), metavar="SPEC|MODEL.onnx")
@click.argument("activations", type=click.Path(path_type=Path), metavar="[ACTIVATIONS]", required=False)
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
    subject: Path,
    activations: Path | None,
    tolerance: float,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
    form: str,
) -> None:
    """Check that an exported file is what was verified, or compare a network with what another framework recorded.

    \b
    MODEL.onnx: a file of `nnspec export`. The command names the weights, scales or other parts that changed since.
    SPEC ACTIVATIONS: a network, and a .npz or .safetensors file with the inputs under their names, and outputs and
    layers under their names or those of the modules that their weights start from, such as `layer1.0.conv1`. The
    command names the first layer that differs.

    It exits with 1 if anything differs.

    \b
    Examples:
      nnspec verify first.onnx
      nnspec verify resnet18.nnspec.yaml recorded.npz
    """
    if activations is None:
        _verify_file(subject, form)
        return
    from nnspec.cli.frameworks import load_frameworks
    from nnspec.spec import load

    load_frameworks("train")
    from nnspec.exporting.activations import verify_activations

    loaded = load(subject, overrides, root=root, limits=limits_from(limits))
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


def _verify_file(path: Path, form: str) -> None:
    """Check that a file is what was verified when it was exported.

    Raises:
        NnspecError: If it is not.
    """
    from nnspec.diagnostics import NnspecError
    from nnspec.runtime.metadata import PARITY, PRECISION
    from nnspec.runtime.reading import read_model
    from nnspec.runtime.seal import CONSTANTS, damage_of, metadata_of, require_proven

    if path.suffix != ".onnx":
        raise NnspecError(
            f"{path} is not a file of `nnspec export`\n  = help: to compare a spec, also name the recorded activations: "
            "`nnspec verify SPEC recorded.npz`"
        )
    content = read_model(path)
    try:
        metadata = metadata_of(content)
        damage = damage_of(content, metadata) if PARITY in metadata else ""
    except ValueError:
        raise NnspecError(f"{path} is not an ONNX model, or is damaged") from None
    if damage:
        raise NnspecError(f"{path} differs from what was exported: {damage}\n  = help: export it again")
    require_proven(content, metadata, str(path))
    record = json.loads(metadata[PARITY])
    if form == "json":
        echo_json({"parity": record, **({"precision": json.loads(metadata[PRECISION])} if PRECISION in metadata else {})})
        return
    echo(f"{path} is what was exported: {len(record.get(CONSTANTS, {})):,} constants are unchanged")


def _cells(verified: Verified, each: Activation) -> tuple[str, str]:
    difference = "" if each.difference is None else f"{each.difference:.1e}"
    if not each.is_compared:
        return difference, "not compared"
    return difference, "equal" if verified.is_equal(each) else "differs"
