"""``nnspec explain``."""

from __future__ import annotations

import click


@click.command("explain")
@click.argument("code", required=False)
@click.option("--all", "everything", is_flag=True, help="All codes, as the Markdown of docs/diagnostics.md.")
def command(code: str | None, everything: bool) -> None:
    """What a code means.

    \b
    nnspec explain NN301
    """
    from nnspec.explanations.codes import explain_code
    from nnspec.explanations.page import diagnostics_page

    if everything == (code is not None):
        raise click.UsageError("name a code, or write --all")
    click.echo(diagnostics_page() if code is None else explain_code(code), nl=code is not None)
