"""Sizes, tensor types, configs and families of configs."""

from nnspec.types.conditions import Condition, Conditions, Relation, simplify
from nnspec.types.config import Config, Family, Named, listed
from nnspec.types.dims import (
    Dim,
    SizeTooComplex,
    ceil_div,
    formula,
    product,
    same_size,
    shape_formula,
    substitute,
    symbol,
    symbols_of,
    unknown,
)
from nnspec.types.plugins import Plugin, PluginError, Plugins
from nnspec.types.spelling import Misspelled, certain, closest, did_you_mean, renamed, suggested
from nnspec.types.tensor import DTYPES, TensorType, Weight, size_text

__all__ = [
    "DTYPES",
    "Condition",
    "Conditions",
    "Config",
    "Dim",
    "Family",
    "Misspelled",
    "Named",
    "Plugin",
    "PluginError",
    "Plugins",
    "Relation",
    "SizeTooComplex",
    "TensorType",
    "Weight",
    "ceil_div",
    "certain",
    "closest",
    "did_you_mean",
    "formula",
    "listed",
    "product",
    "renamed",
    "same_size",
    "shape_formula",
    "simplify",
    "size_text",
    "substitute",
    "suggested",
    "symbol",
    "symbols_of",
    "unknown",
]
