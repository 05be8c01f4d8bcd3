"""Transforms between the columns of the data and a model's inputs and targets.

A transform is fitted on the training split only. Its fitted state is plain JSON and is saved with the run, so that the test
data and served requests are transformed the same way. The classes are named as in a spec.
"""

from __future__ import annotations

from nnspec.data.transforms.base import Learned, Transform
from nnspec.types import Family

__all__ = ["TRANSFORMS", "Learned", "Transform"]

_MODULES = {
    "boxes": ("boxes",),
    "classes": ("label_encode", "one_hot"),
    "numbers": ("impute", "rescale", "standardize"),
    "images": ("resize", "rgb"),
    "pointers": ("positions",),
    "text": ("pad", "tokenize"),
}

_COMPARED = (
    "an input is compared in the network, `Compute: cast(x > 0.5, 'float32')`; for a target, compare in a block that is the "
    "loss, `Compute: square(output - cast(target > 0.5, 'float32'))`"
)
_COMPUTED = (
    "an input is computed in the network, such as `Compute: log(x)`; for a target, compute in a block that is the "
    "loss, such as `Compute: square(output - log(target))`"
)

TRANSFORMS = Family(
    kind="transform",
    modules={name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names},
    aliases={
        "normalize": "standardize", "scale": "rescale", "fillna": "impute", "onehot": "one_hot", "tokenise": "tokenize",
        "pad_sequences": "pad", "resizing": "resize",
        "grayscale_to_rgb": "rgb",
    },
    inexact=frozenset({"normalize"}),
    replacements={
        "letterbox": "write `resize: {size: [HEIGHT, WIDTH], pad_to_aspect_ratio: true}`",
        **dict.fromkeys(("threshold", "binarize", "binarizer", "round"), _COMPARED),
        **dict.fromkeys(("log", "log1p", "sqrt", "clip", "abs"), _COMPUTED),
    },
)  # fmt: skip
"""Every transform by name."""
