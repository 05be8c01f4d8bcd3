"""``nnspec lsp``."""

from __future__ import annotations

import click


@click.command("lsp")
def command() -> None:
    """Serve an editor over standard input and output (Language Server Protocol).

    Editors start it themselves: diagnostics and fixes while you type, output shapes beside each step, completion, hover,
    go to definition, rename, symbols and formatting. See docs/editors.md for the settings of each editor.

    \b
    Example:
      nnspec lsp
    """
    from nnspec.extras import require

    require("lsp")
    from nnspec.language_server.server import serve

    serve()
