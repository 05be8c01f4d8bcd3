"""Runs beside each other."""

from nnspec.run_comparison.compared_runs import ComparedRuns, compare_runs

__all__ = ["ComparedRuns", "compare_runs"]
