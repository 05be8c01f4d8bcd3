"""Registries of initializers, regularizers and constraints; their classes are imported on first use."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.types import Family


def _family(
    kind: str, spellings: Mapping[str, tuple[str, ...]], aliases: Mapping[str, str], inexact: frozenset[str] = frozenset()
) -> Family:
    return Family(
        kind=kind,
        inexact=inexact,
        modules=dict.fromkeys(spellings, f"nnspec.layers.{kind}s"),
        aliases=aliases,
        spellings={spelling: name for name, others in spellings.items() for spelling in others},
    )


INITIALIZERS = _family(
    "initializer",
    {
        "Constant": ("constant",),
        "GlorotNormal": ("glorot_normal",),
        "GlorotUniform": ("glorot_uniform",),
        "HeNormal": ("he_normal",),
        "HeUniform": ("he_uniform",),
        "Identity": ("identity", "IdentityInitializer"),
        "LecunNormal": ("lecun_normal",),
        "LecunUniform": ("lecun_uniform",),
        "Ones": ("ones", "one"),
        "Orthogonal": ("orthogonal", "OrthogonalInitializer"),
        "RandomNormal": ("random_normal", "normal"),
        "RandomUniform": ("random_uniform", "uniform"),
        "STFT": ("stft", "STFTInitializer"),
        "TruncatedNormal": ("truncated_normal",),
        "VarianceScaling": ("variance_scaling",),
        "Zeros": ("zeros", "zero"),
    },
    {
        "XavierNormal": "GlorotNormal",
        "XavierUniform": "GlorotUniform",
        "KaimingNormal": "HeNormal",
        "KaimingUniform": "HeUniform",
    },
)
"""All initializers by name; Keras's snake case is also accepted."""

REGULARIZERS = _family(
    "regularizer",
    {
        "L1": ("l1",),
        "L1L2": ("l1_l2", "l1l2"),
        "L2": ("l2",),
        "OrthogonalRegularizer": ("orthogonal_regularizer",),
    },
    {"WeightDecay": "L2", "Lasso": "L1", "Ridge": "L2"},
    inexact=frozenset({"WeightDecay"}),  # of the optimizer, or of the loss
)
"""All regularizers by name; Keras's snake case is also accepted."""

CONSTRAINTS = _family(
    "constraint",
    {
        "MaxNorm": ("max_norm",),
        "MinMaxNorm": ("min_max_norm",),
        "NonNeg": ("non_neg",),
        "UnitNorm": ("unit_norm",),
    },
    {"NonNegative": "NonNeg"},
)
"""All constraints by name; Keras's snake case is also accepted."""
