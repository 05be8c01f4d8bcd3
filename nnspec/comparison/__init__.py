"""What changed in meaning between two specs."""

from nnspec.comparison.difference import Change, Difference, compare

__all__ = ["Change", "Difference", "compare"]
