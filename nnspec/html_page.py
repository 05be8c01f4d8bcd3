"""The frame of the HTML pages. They contain all of their style and scripts.

Those that are written to files make no requests.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from nnspec.printable import html_text

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; %s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>%s</style>
</head>
"""


def html_page(package: str, title: str, *, script: str | None = None, is_served: bool = False, **pieces: str) -> str:
    """Return the page of a package: its ``page.html``, filled in, with its ``page.css`` and the common style.

    Args:
        package: The package that has the two files.
        title: The title, as text.
        script: The script that may run, which is the piece ``script``; None if the page shows images of its own instead.
        is_served: Whether the script may ask the server that the page is from, and show images that it received.
        **pieces: Markup by the names that the page has in double braces.
    """
    policy = "img-src data:"
    if script is not None:
        policy = f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
        policy += "; connect-src 'self'; img-src blob:" if is_served else ""
        pieces["script"] = script
    style = files("nnspec").joinpath("page.css").read_text("utf-8") + _part(package, "page.css")
    # In one pass, so that placeholders in values are not replaced.
    body = re.sub(r"\{\{(\w+)\}\}", lambda place: pieces[place[1]], _part(package, "page.html"))
    return _HEAD % (policy, html_text(title), style) + body


def _part(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text("utf-8")
