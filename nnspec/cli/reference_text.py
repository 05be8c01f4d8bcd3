"""Output of the reference's entries, for ``nnspec docs`` and ``nnspec layers``."""

from __future__ import annotations

import shutil
import sys

from nnspec.cli.text import echo
from nnspec.diagnostics import NnspecError

_WIDEST = 120


def echo_reference(name: str, *, lists: bool = False) -> None:
    """Write every entry of the reference with a name.

    Args:
        name: The name.
        lists: Whether the name may also be that of a kind, such as ``losses``, whose members are then listed.

    Raises:
        NnspecError: If there is none; its message suggests similar names.
    """
    from nnspec.reference.lookup import entries, suggestion

    found = entries(name)
    if lists:
        from nnspec.reference.listing import kind_text

        found += [text] if (text := kind_text(name)) else []
    if not found:
        raise NnspecError(f"the reference has no `{name}`: {suggestion(name)}")
    text = "\n".join(found)
    if sys.stdout is not None and sys.stdout.isatty():
        from nnspec.cli.markdown_layout import laid_out

        text = laid_out(text, min(shutil.get_terminal_size().columns, _WIDEST)) + "\n"
    echo(text, nl=False)
