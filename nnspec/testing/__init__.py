"""Verification of plug-in layers, with the checks that every built-in layer passes.

Example:
    >>> from nnspec.layers.activations import ELU
    >>> from nnspec.testing import Input, prove
    >>> prove(ELU(alpha=0.5), Input(("T", 4), masked=True)).agrees
    True
"""

from nnspec.testing.case import Case, Input
from nnspec.testing.claims import ProofError
from nnspec.testing.proof import prove

__all__ = ["Case", "Input", "ProofError", "prove"]
