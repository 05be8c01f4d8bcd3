"""To give back what came in. The class has the name that a spec uses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from nnspec.data.augmentations import AUGMENTATIONS
from nnspec.layers import LAYERS
from nnspec.layers.mixing import Mixing
from nnspec.training.objectives.base import Objective
from nnspec.types import Config, Family, Named

__all__ = ["CORRUPTIONS", "autoencoder"]

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
    | {name: module for name, module in AUGMENTATIONS.modules.items() if module != Mixing.__module__},
    left_out={"SaltAndPepper": "Keras has no such layer: `Dropout` sets values to 0, `RandomErasing` whole rectangles"},
)
"""Every layer that changes one input at random and keeps its shape, by name."""

_Text = Annotated[str, Strict()]
_Corruptions = list[Annotated[Config, Named(CORRUPTIONS)]]


class autoencoder(Objective):  # noqa: N801
    """To give back the input, as it is after its transforms (Hinton and Salakhutdinov 2006).

    With ``corrupt``, to give it back as it was before it was corrupted (Vincent et al. 2008). Validation and evaluation corrupt
    as well, each time by the same draws: their figures say how well noise is taken away. An exported model corrupts nothing.
    """

    restores: dict[_Text, _Text] = Field(
        {}, description="Which output gives back which input, OUTPUT: INPUT; by default the only one the only one."
    )
    corrupt: _Corruptions | dict[_Text, _Corruptions] = Field(
        [], description="What is done to the input at random, in order: for the only one that is given back, or by input."
    )
