"""Trainings by several processes, which each compute a share of every batch."""
