"""Colors of text on a terminal."""

from __future__ import annotations

import os
from typing import TextIO

# The sixteen colors that every terminal's own theme makes legible, dark or light.
_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "frame": "1;34",
    "strong": "1",
    "good": "1;32",
    "added": "32",
    "removed": "31",
    "changed": "33",
    "dim": "2",
}


def uses_color(stream: TextIO | None) -> bool:
    """Whether text for a stream is colored.

    Never if ``NO_COLOR`` is set (https://no-color.org); otherwise if ``FORCE_COLOR`` is set (https://force-color.org), as in a
    continuous integration service whose log shows colors, or if the stream is a terminal that has colors.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced != "0"
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def colored(text: str, style: str) -> str:
    """Return a text with the control sequences of a style.

    Args:
        text: The text, whose control characters are escaped.
        style: Its name: ``error``, ``warning``, ``note``, ``frame``, ``strong``, ``good``, ``dim``, ``added``, ``removed``,
            ``changed``.

    Example:
        >>> colored("error", "error")
        '\\x1b[1;31merror\\x1b[0m'
    """
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text
