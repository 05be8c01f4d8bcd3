"""Sizes in a drawing, in pixels."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

BOX_HEIGHT = 44.0
NARROWEST, WIDEST = 150.0, 330.0
"""Range of box widths."""
LANE, LANE_GAP = 6.0, 12.0
SIDE_GAP = 22.0
ROW_GAP = 24.0
PADDING = 12.0
STRAIGHT = 8.0
"""Length of the straight line before an arrow's tip."""
TITLE = 20.0
"""Height of a frame's title."""


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate the width of a text in a sans-serif font; an upper bound in most cases.

    Args:
        text: Text to measure.
        size: Font size in pixels.
        bold: Whether the text is bold.

    Example:
        >>> round(text_width("conv2d", 10))
        38
    """
    return size * sum(_advance(character) for character in text) * (1.07 if bold else 1.0)


def _advance(character: str) -> float:
    if combining(character):
        return 0.0
    if east_asian_width(character) in "WF":
        return 1.1
    if character in "mwMW@%":
        return 0.92
    if character in "iljtfr.,:;|!'/()[] ":
        return 0.4
    return 0.72 if character.isupper() else 0.64


def shortened(text: str, size: float, most: float, *, bold: bool = False) -> str:
    """Shorten a text to a width by cutting its middle, because names differ at both ends.

    Example:
        >>> shortened("global_average_pooling2d", 10, 100)
        'global_a…ooling2d'
    """
    if text_width(text, size, bold=bold) <= most:
        return text
    left, right = text[: len(text) // 2], text[len(text) // 2 :]
    while (left or right) and text_width(f"{left}…{right}", size, bold=bold) > most:
        left, right = (left[:-1], right) if len(left) > len(right) else (left, right[1:])
    return f"{left}…{right}"
