"""``nnspec explain``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option, root_option, set_option
from nnspec.cli.text import echo, echo_json

_MAX_ORIGINS = 30


@click.command("explain")
@click.argument("subject", required=False, metavar="CODE | SPEC")
@click.argument("path", required=False)
@click.option("--all", "everything", is_flag=True, help="Print all codes as Markdown (docs/diagnostics.md).")
@format_option("text", "json")
@set_option
@root_option
def command(
    subject: str | None,
    path: str | None,
    everything: bool,
    form: str,
    overrides: tuple[str, ...],
    root: Path | None,
) -> None:
    """Explain a diagnostic code, or where a value in a spec comes from.

    PATH is an argument of a layer in the graph (conv2d.filters), a layer (all its arguments), or a path in the document.

    \b
    Examples:
      nnspec explain NN301
      nnspec explain net.nnspec.yaml unit/0/conv2d.filters
      nnspec explain net.nnspec.yaml train.batch_size --set train.batch_size=8
      nnspec explain net.nnspec.yaml 'layers[3].Conv2D.padding' --format json
    """
    if everything == (subject is not None):
        raise click.UsageError("expected a code, a spec and a path in it, or --all")
    if everything:
        from nnspec.explanations.page import diagnostics_page

        echo(diagnostics_page(), nl=False)
    elif path is None:
        if Path(str(subject)).suffix:
            raise click.UsageError(
                f"expected a path in {subject}, such as conv2d.filters (argument of a layer) or train.batch_size"
            )
        from nnspec.explanations.codes import explain_code

        echo(explain_code(str(subject)))
    else:
        from nnspec.api import explain

        found = explain(str(subject), path, overrides, root=root)
        if form == "json":
            echo_json([origin.as_json() for origin in found], indent=1)
        else:
            more = [f"and {len(found) - _MAX_ORIGINS} more; use --format json to show all"] if len(found) > _MAX_ORIGINS else []
            echo("\n\n".join([*(origin.text() for origin in found[:_MAX_ORIGINS]), *more]))
