"""Generative adversarial networks. The class has the name that a spec uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import PositiveInt, PositiveNumber
from nnspec.training.objectives.base import Objective
from nnspec.types import Config

if TYPE_CHECKING:
    from nnspec.data.prepare import Prepared
    from nnspec.training.batches.augmenter import Augmenter
    from nnspec.training.loop.learner import Task
    from nnspec.training.loop.networks import Networks
    from nnspec.training.objectives.context import TrainingCheck
    from nnspec.training.plan import TrainingPlan

__all__ = ["AdversarialLoss", "Distribution", "NoiseInput", "UpdateSteps", "gan"]

_Text = Annotated[str, Strict()]

AdversarialLoss = Literal["minimax", "non_saturating", "least_squares", "hinge", "wasserstein"]
Distribution = Literal["normal", "uniform"]


class NoiseInput(Config):
    """The noise from which the generator makes examples."""

    main_argument: ClassVar[str | None] = "input"

    input: _Text | None = Field(
        None, description="The generator's noise input; null: the only input that the data do not feed."
    )
    distribution: Distribution = Field("normal", description="`normal`: mean 0, standard deviation 1. `uniform`: from -1 to 1.")


class UpdateSteps(Config):
    """How often each network is updated in one training step, the discriminator first."""

    discriminator: PositiveInt = Field(1, description="Updates of the discriminator, each on `batch_size` other examples.")
    generator: PositiveInt = Field(1, description="Updates of the generator.")


class gan(Objective):  # noqa: N801
    """Trains a generator to make examples that a discriminator cannot distinguish from the data (Goodfellow et al. 2014).

    The discriminator returns one number for each example: a logit, or with `wasserstein` a score. `minimax` is the paper's
    loss; `non_saturating` is its other generator loss, which keeps a gradient while the discriminator is right;
    `least_squares` is by Mao et al. 2016, `hinge` by Lim and Ye 2017, `wasserstein` by Arjovsky et al. 2017.
    """

    has_own_losses: ClassVar[bool] = True
    predicts: ClassVar[bool] = False
    report: ClassVar[str] = "nnspec.reports.objectives.gan"

    generator: _Text = Field("generator", description="The network that makes examples from noise.")
    discriminator: _Text = Field("discriminator", description="The network that distinguishes them from the data.")
    noise: NoiseInput = Field(
        NoiseInput.model_validate({}), description="The generator's noise input: its name, or its name and distribution."
    )
    condition: list[_Text] = Field(
        [], description="Inputs of both networks that are fed by the data, such as a label (Mirza and Osindero 2014)."
    )
    loss: AdversarialLoss = Field("non_saturating", description="The losses of the two networks.")
    gradient_penalty: PositiveNumber | None = Field(
        None,
        description="The weight of the gradient penalty: the squared deviation from 1 of the norm of the discriminator's "
        "gradient between real and generated examples (Gulrajani et al. 2017: 10). Null: none.",
    )
    weight_clip: PositiveNumber | None = Field(
        None,
        description="The largest absolute value of the discriminator's weights (Arjovsky et al. 2017: 0.01). Null: no limit.",
    )
    label_smoothing: Annotated[float, Strict(), Field(gt=0, lt=0.5)] | None = Field(
        None, description="How far the label of real examples is below 1 (Salimans et al. 2016). Null: it is 1."
    )
    steps: UpdateSteps = Field(UpdateSteps.model_validate({}), description="How often each network is updated in one step.")

    @model_validator(mode="after")
    def _labels_to_smooth(self) -> gan:
        if self.label_smoothing is not None and self.loss in ("hinge", "wasserstein"):
            raise ValueError(f"`label_smoothing` is for losses with labels, and `{self.loss}` has none: remove it")
        return self

    @model_validator(mode="after")
    def _one_constraint(self) -> gan:
        if self.gradient_penalty is not None and self.weight_clip is not None:
            raise ValueError("`gradient_penalty` replaces `weight_clip`: remove one of the two")
        return self

    def check(self, check: TrainingCheck) -> TrainingPlan | None:
        from nnspec.training.objectives.gan.check import check_gan

        return check_gan(self, check)

    def task(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> Task:
        from nnspec.training.objectives.gan.task import GanTask

        return GanTask(networks, plan, prepared, augmenter)

    def record(self, plan: TrainingPlan, prepared: Prepared) -> dict[str, Any]:
        from nnspec.training.objectives.gan.task import samples_of

        return {"samples": samples_of(plan.own, prepared).as_json()}

    @classmethod
    def exported_network(cls, info: Mapping[str, Any]) -> str:
        return str(info["samples"]["network"])

    @classmethod
    def generator_record(cls, info: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] = info["samples"]
        return found
