"""Starter specs, each with comments that teach the language."""

from __future__ import annotations

from importlib.resources import files

from nnspec.diagnostics import NnspecError
from nnspec.types import closest

__all__ = ["TEMPLATES", "template"]

TEMPLATES = {
    "digits": "a classifier of handwritten digits; trains as it is",
    "tabular": "a classifier of rows, columns standardized; trains as it is",
    "image": "a classifier of pictures: blocks, repeats, residuals",
    "tagger": "a label for each token of a sequence",
    "forecaster": "the next value of a series",
    "autoencoder": "two networks in one document; trains as it is",
    "translator": "an encoder and a decoder with attention",
}
"""Each template's name and what it is."""


def template(name: str) -> str:
    """The text of a template.

    Raises:
        NnspecError: Where there is none of that name.

    Example:
        >>> template("digits").splitlines()[1]
        'nnspec: 1'
    """
    if name not in TEMPLATES:
        suggestion = closest(name, TEMPLATES)
        help = f"did you mean `{suggestion}`?" if suggestion else f"one of {', '.join(TEMPLATES)}"
        raise NnspecError(f"there is no template `{name}`\n  = help: {help}")
    return (files(__name__) / f"{name}.nnspec.yaml").read_text(encoding="utf-8")
