"""``nnspec explain``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option, root_option, set_option
from nnspec.cli.text import echo, echo_json

_MOST = 30


@click.command("explain")
@click.argument("subject", required=False, metavar="CODE | SPEC")
@click.argument("path", required=False)
@click.option("--all", "everything", is_flag=True, help="All codes, as the Markdown of docs/diagnostics.md.")
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
    """What a code means, or where a value of a spec came from.

    A PATH is an argument of a layer by its name in the graph, a layer (all its arguments), or a place of the document.

    \b
    nnspec explain NN301
    nnspec explain net.nnspec.yaml unit/0/conv2d.filters
    nnspec explain net.nnspec.yaml train.batch_size --set train.batch_size=8
    nnspec explain net.nnspec.yaml 'layers[3].Conv2D.padding' --format json
    """
    if everything == (subject is not None):
        raise click.UsageError("name a code, or a spec and a path in it, or write --all")
    if everything:
        from nnspec.explanations.page import diagnostics_page

        echo(diagnostics_page(), nl=False)
    elif path is None:
        if Path(str(subject)).suffix:
            raise click.UsageError(f"name a path in {subject}: a layer's argument, conv2d.filters, or train.batch_size")
        from nnspec.explanations.codes import explain_code

        echo(explain_code(str(subject)))
    else:
        from nnspec.api import explain

        found = explain(str(subject), path, overrides, root=root)
        if form == "json":
            echo_json([origin.as_json() for origin in found], indent=1)
        else:
            more = [f"and {len(found) - _MOST} more; --format json has all"] if len(found) > _MOST else []
            echo("\n\n".join([*(origin.text() for origin in found[:_MOST]), *more]))
