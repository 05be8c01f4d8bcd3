"""Reports of runs: one HTML page each."""

from nnspec.reports.page import Report, to_page, write_report

__all__ = ["Report", "to_page", "write_report"]
