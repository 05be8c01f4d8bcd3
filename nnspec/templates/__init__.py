"""Starter specs, each with comments that teach the language."""

from __future__ import annotations

from importlib.resources import files

from nnspec.diagnostics import NnspecError
from nnspec.types import closest

__all__ = ["TEMPLATES", "template"]

TEMPLATES = {
    "digits": "a classifier of handwritten digits; trains without changes",
    "tabular": "a classifier of tabular data with standardized columns; trains without changes",
    "image": "an image classifier with blocks, repeats and residuals",
    "tagger": "a sequence tagger: one label per token",
    "forecaster": "a time series forecaster",
    "autoencoder": "an autoencoder of two networks; trains without changes",
    "translator": "an encoder-decoder with attention",
}
"""The description of each template, by name."""


def template(name: str) -> str:
    """The text of a template.

    Raises:
        NnspecError: If there is no such template.

    Example:
        >>> template("digits").splitlines()[1]
        'nnspec: 1'
    """
    if name not in TEMPLATES:
        suggestion = closest(name, TEMPLATES)
        help = f"did you mean `{suggestion}`?" if suggestion else f"one of {', '.join(TEMPLATES)}"
        raise NnspecError(f"there is no template `{name}`\n  = help: {help}")
    return (files(__name__) / f"{name}.nnspec.yaml").read_text(encoding="utf-8")
