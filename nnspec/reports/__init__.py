"""Reports of runs: one HTML page each."""

from nnspec.reports.page import to_page, write_report

__all__ = ["to_page", "write_report"]
