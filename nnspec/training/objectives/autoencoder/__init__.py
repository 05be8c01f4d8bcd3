"""Autoencoders: outputs reconstruct inputs. The class has the name that a spec uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.data.augmentations import HIDING
from nnspec.training.objectives.base import Objective
from nnspec.types import Config, Named

if TYPE_CHECKING:
    import keras

    from nnspec.training.batches.transforms import BatchTransform
    from nnspec.training.objectives.context import ObjectiveContext, Targets
    from nnspec.training.plan import TrainingPlan

__all__ = ["autoencoder"]

_Text = Annotated[str, Strict()]
_Corruptions = list[Annotated[Config, Named(HIDING)]]


class autoencoder(Objective):  # noqa: N801
    """Reconstructs the input, as it is after its transforms (Hinton and Salakhutdinov 2006).

    With ``corrupt``, reconstructs the input as it was before it was corrupted (Vincent et al. 2008). Validation and evaluation
    corrupt inputs too, with the same random numbers each time: their metrics measure denoising. An exported model corrupts
    nothing.
    """

    report: ClassVar[str] = "nnspec.reports.objectives.autoencoder"

    synonyms: ClassVar[Mapping[str, str]] = {"reconstructs": "restores"}

    restores: dict[_Text, _Text] = Field(
        {}, description="Which output reconstructs which input, OUTPUT: INPUT; by default the only output the only input."
    )
    corrupt: _Corruptions | dict[_Text, _Corruptions] = Field(
        [], description="The layers that corrupt the input at random, in order: a list for the only input, or a list by input."
    )

    def targets(self, context: ObjectiveContext) -> Targets | None:
        from nnspec.training.objectives.autoencoder.check import reconstructed

        return reconstructed(self, context)

    def batch_transforms(self, plan: TrainingPlan, model: keras.Model) -> list[BatchTransform]:
        from nnspec.training.objectives.autoencoder.corruption import Corruption

        return [Corruption(plan)]
