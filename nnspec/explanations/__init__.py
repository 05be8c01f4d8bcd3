"""Explanations of codes and of the origin of values, for ``nnspec explain``."""
