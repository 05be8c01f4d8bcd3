"""Starter specs with comments that explain the language."""

from __future__ import annotations

from importlib.resources import files

from nnspec.diagnostics import NnspecError
from nnspec.types import did_you_mean

__all__ = ["SCHEMA_FILE", "TEMPLATES", "template"]

TEMPLATES = {
    "digits": "a classifier of handwritten digits; ready to train",
    "tabular": "a classifier of tabular data with standardized columns; ready to train",
    "image": "an image classifier with blocks, repeats, and residual connections",
    "tagger": "a label for each token of a sequence",
    "forecaster": "the next value of a series",
    "autoencoder": "two networks in one spec; ready to train",
    "translator": "an encoder–decoder with attention",
}
"""The templates with their descriptions."""


SCHEMA_FILE = "nnspec-v1.schema.json"
"""The file of the JSON Schema, which a template refers to and `nnspec init` writes beside it."""


def template(name: str) -> str:
    """Return the text of a template, whose first line names the schema for editors.

    Raises:
        NnspecError: If there is no template of this name.

    Example:
        >>> template("digits").splitlines()[2]
        'nnspec: 1'
    """
    if name not in TEMPLATES:
        help = did_you_mean(name, TEMPLATES, f"expected one of {', '.join(TEMPLATES)}")
        raise NnspecError(f"unknown template `{name}`\n  = help: {help}")
    text = (files(__name__) / f"{name}.nnspec.yaml").read_text(encoding="utf-8")
    return f"# yaml-language-server: $schema={SCHEMA_FILE}\n{text}"
