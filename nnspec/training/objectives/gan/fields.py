"""Two networks against each other. The class has the name that a spec uses."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import PositiveInt, PositiveNumber
from nnspec.training.objectives.base import Objective
from nnspec.types import Config

__all__ = ["AdversarialLoss", "Distribution", "NoiseInput", "SideSteps", "gan"]

_Text = Annotated[str, Strict()]

AdversarialLoss = Literal["minimax", "non_saturating", "least_squares", "hinge", "wasserstein"]
Distribution = Literal["normal", "uniform"]


class NoiseInput(Config):
    """What the generator makes its examples of."""

    main_argument: ClassVar[str | None] = "input"

    input: _Text | None = Field(None, description="The generator's input; null: the only one that no data feed.")
    distribution: Distribution = Field("normal", description="`normal`: mean 0, deviation 1. `uniform`: from -1 to 1.")


class SideSteps(Config):
    """How often each network is changed in one step of the training, the discriminator first."""

    discriminator: PositiveInt = Field(1, description="Changes of the discriminator, each on `batch_size` examples of its own.")
    generator: PositiveInt = Field(1, description="Changes of the generator.")


class gan(Objective):  # noqa: N801
    """A generator learns to make what a discriminator cannot tell from the data (Goodfellow et al. 2014).

    The discriminator ends in one number for each example, on which every loss here is defined: a logit, or with `wasserstein`
    a score. `minimax` is the paper's; `non_saturating` is its generator's other loss, which has a gradient where the
    discriminator wins; `least_squares` is of Mao et al. 2016, `hinge` of Lim and Ye 2017, `wasserstein` of Arjovsky et al.
    2017.
    """

    losses_of_its_own: ClassVar[bool] = True

    generator: _Text = Field("generator", description="The network that makes examples of noise.")
    discriminator: _Text = Field("discriminator", description="The network that tells them from the data.")
    noise: NoiseInput = Field(
        NoiseInput.model_validate({}), description="The generator's input of noise: its name, or its name and distribution."
    )
    condition: list[_Text] = Field(
        [], description="Inputs that both networks take from the data: a label (Mirza and Osindero 2014)."
    )
    loss: AdversarialLoss = Field("non_saturating", description="What the two learn from each other.")
    gradient_penalty: PositiveNumber | None = Field(
        None,
        description="How much it counts that the gradient of the discriminator between examples of the data and made ones is "
        "not 1 long (Gulrajani et al. 2017: 10). Null: nothing.",
    )
    weight_clip: PositiveNumber | None = Field(
        None,
        description="The largest a weight of the discriminator may be (Arjovsky et al. 2017: 0.01). Null: as large as it is.",
    )
    label_smoothing: Annotated[float, Strict(), Field(gt=0, lt=0.5)] | None = Field(
        None, description="How far below 1 the label of an example of the data is (Salimans et al. 2016). Null: it is 1."
    )
    steps: SideSteps = Field(SideSteps.model_validate({}), description="How often each network is changed in one step.")

    @model_validator(mode="after")
    def _labels_to_smooth(self) -> gan:
        if self.label_smoothing is not None and self.loss in ("hinge", "wasserstein"):
            raise ValueError(f"`label_smoothing` is for losses with labels, and `{self.loss}` has none: take it away")
        return self

    @model_validator(mode="after")
    def _held_once(self) -> gan:
        if self.gradient_penalty is not None and self.weight_clip is not None:
            raise ValueError("`gradient_penalty` takes the place of `weight_clip`: take one of the two away")
        return self
