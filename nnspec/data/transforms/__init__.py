"""What is done to a column's values on their way to an input or from a target.

A transform learns from the training part alone; what it learned is plain JSON, kept in the run, so that the same is done
to the test set and to what is served. The classes have the names that a spec uses.
"""

from __future__ import annotations

from nnspec.data.transforms.base import Learned, Transform
from nnspec.types import Family

__all__ = ["TRANSFORMS", "Learned", "Transform"]

_MODULES = {
    "classes": ("label_encode", "one_hot"),
    "numbers": ("impute", "rescale", "standardize"),
    "pictures": ("resize",),
    "words": ("pad", "tokenize"),
}

TRANSFORMS = Family(
    kind="transform",
    modules={name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names},
    aliases={
        "normalize": "standardize", "scale": "rescale", "fillna": "impute", "onehot": "one_hot", "tokenise": "tokenize",
        "pad_sequences": "pad", "resizing": "resize",
    },
)  # fmt: skip
"""Every transform by name."""
