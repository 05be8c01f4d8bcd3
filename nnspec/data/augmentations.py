"""The augmentations of ``data.augment``, and the corruptions of denoising objectives."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers import LAYERS
from nnspec.layers.augmentation import Share
from nnspec.types import Config, Family, Named

_MIXING = {
    **dict.fromkeys(("CutMix", "MixUp"), "nnspec.layers.augmentation"),
    "RandomMosaic": "nnspec.layers.mosaic",
    "RandomResizedCrop": "nnspec.layers.resized_crop",
}

AUGMENTATIONS = Family(
    kind="augmentation",
    # `RandomCrop` changes the shape.
    modules={name: at for name, at in LAYERS.modules.items() if ".image_" in at and name != "RandomCrop"} | _MIXING,
)
"""Every random image layer that preserves the shape, by name."""

_NOISE = (
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
)

CORRUPTIONS = Family(
    kind="corruption",
    modules={name: LAYERS.modules[name] for name in _NOISE}
    | {name: module for name, module in AUGMENTATIONS.modules.items() if name not in _MIXING},
    unsupported={"SaltAndPepper": "Keras has no such layer: `Dropout` sets values to 0, `RandomErasing` whole rectangles"},
)
"""The layers that randomly change one input and preserve its shape, by name."""


HIDING = Family(
    kind="corruption or masking",
    modules={**CORRUPTIONS.modules, "MaskTokens": "nnspec.data.token_masking"},
    unsupported=CORRUPTIONS.unsupported,
)
"""The corruptions of inputs that an output restores, by name: also the masking of tokens."""


class Augment(Config):
    """A random augmentation of the training examples: ``{RandomFlip: {mode: horizontal}, on: [image, mask]}``."""

    operation: ClassVar[str | None] = "layer"

    layer: Annotated[Config, Named(AUGMENTATIONS)] = Field(description="The augmentation layer.")
    on: list[Annotated[str, Strict()]] | None = Field(
        None,
        min_length=1,
        description="The inputs and targets that receive the same random change; the classes of boxes follow them. Default: "
        "the only image input, with its boxes.",
        examples=[["image", "mask"]],
    )
    visible: Share = Field(
        0.25, description="The share of its area that a box must keep; a box that keeps less is left out, with its class."
    )
