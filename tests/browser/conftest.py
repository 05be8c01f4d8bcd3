"""Chromium, and the check of pages for accessibility.

The tests are run with NNSPEC_FULL=1, the extra `browser`, and Chromium: the program `chromium`, or that named by CHROMIUM.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import FULL

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
"""Each width of a window and color scheme in which a page is looked at."""


class Browser:
    """Opens pages. A page that reports an error, or asks for anything but its own origin, fails the test.

    Args:
        browser: The browser of Playwright.
    """

    def __init__(self, browser) -> None:
        self._browser = browser

    @contextmanager
    def opened(self, url: str, width: int = 1280, scheme: str = "light") -> Iterator:
        context = self._browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce", accept_downloads=False
        )
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(f"a dialog: {dialog.message}"))
        page.on("request", lambda asked: problems.extend([asked.url] if not _is_own(asked.url, url) else []))
        try:
            page.goto(url)
            page.wait_for_load_state("networkidle")
            yield page
            assert problems == []
        finally:
            context.close()


def _is_own(asked: str, page: str) -> bool:
    own = page.split("#")[0] if page.startswith("file:") else "/".join(page.split("/")[:3]) + "/"
    return asked.startswith((own, f"blob:{own}", "data:"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; tests are skipped without it."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not FULL:
        pytest.skip("tests in a browser: NNSPEC_FULL=1 runs them")
    if program is None:
        pytest.skip("no Chromium: install the program `chromium`, or name it in CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[browser]'")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=_FLAGS)
        yield Browser(chromium)
        chromium.close()


@pytest.fixture(scope="session")
def violations():
    """Finds what axe-core reports of an open page: the rule and the first elements."""
    package = pytest.importorskip("axe_playwright_python", reason="pip install -e '.[browser]'")
    script = (Path(package.__file__).parent / "axe.min.js").read_text("utf-8")

    def find(page) -> list[str]:
        page.evaluate(script)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}" for each in found]

    return find


def has_no_overflow(page) -> bool:
    """Whether a page is not wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
