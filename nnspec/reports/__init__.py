"""Reports of runs: one HTML page each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.reports.page import Report, to_page, write_report

__all__ = ["Report", "to_page", "write_report"]


def __getattr__(name: str) -> Any:
    """Load the reports, and Keras with them, when they are used: other pages have plots from here too."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nnspec.reports import page

    return getattr(page, name)
