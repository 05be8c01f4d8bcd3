"""Sweeps train many times."""

from ..drawn_curves import curves_drawn_once

__all__ = ["curves_drawn_once"]
