"""How the weights follow the gradient: Keras's optimizers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Flag, Fraction, Number, PositiveInt, PositiveNumber
from nnspec.training.schedules import SCHEDULES
from nnspec.types import Config, Family, Named

__all__ = ["LEFT_OUT", "OPTIMIZERS", "LearningRate", "Optimizer"]

_NAMES = (
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "RMSprop",
    "SGD",
    "ScheduleFreeAdamW",
)

OPTIMIZERS = Family(
    kind="optimizer",
    modules=dict.fromkeys(_NAMES, __name__),
    aliases={"NAdam": "Nadam", "Momentum": "SGD", "RMSProp": "RMSprop", "FTRL": "Ftrl", "LAMB": "Lamb"},
    spellings={name.lower(): name for name in _NAMES},
)
"""Every optimizer by name; Keras's lower case is accepted too."""

LEFT_OUT = {
    "LossScaleOptimizer": "`precision: mixed_float16` puts it around the optimizer",
    "MultiOptimizer": "one optimizer trains one network; several come with objectives of several networks",
    "OptimizerMap": "the arguments of MultiOptimizer, not an optimizer",
    "Optimizer": "the base class",
}
"""Keras's optimizers that a spec cannot name, each with the reason."""

LearningRate = PositiveNumber | Annotated[Config, Named(SCHEDULES)]
"""A positive number, or a schedule."""

_NonNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
_Decay = Annotated[float, Strict(), Field(ge=0, lt=1)]


class Optimizer(Config):
    """A rule that changes the weights at each step."""

    learning_rate: LearningRate = Field(0.001, description="How far a step goes; a number or a schedule.")
    weight_decay: _NonNegative | None = Field(
        None, description="What each step takes off a weight, as a fraction of it times the rate."
    )
    clipnorm: PositiveNumber | None = Field(None, description="The longest a gradient of one weight may be.")
    clipvalue: PositiveNumber | None = Field(None, description="The largest an element of a gradient may be.")
    global_clipnorm: PositiveNumber | None = Field(None, description="The longest all gradients together may be.")
    use_ema: Flag = Field(
        False, description="Whether a moving average of the weights is kept, and is what is evaluated and saved."
    )
    ema_momentum: Fraction = Field(0.99, description="The share of the average that each step keeps.")
    ema_overwrite_frequency: PositiveInt | None = Field(
        None, description="Every how many steps the average replaces the weights."
    )
    loss_scale_factor: PositiveNumber | None = Field(None, description="The loss is multiplied by it, the gradients divided.")
    gradient_accumulation_steps: Annotated[int, Strict(), Field(ge=2)] | None = Field(
        None, description="Over how many steps gradients are averaged before the weights change."
    )

    @model_validator(mode="after")
    def _one_clip(self) -> Optimizer:
        given = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"only one kind of clipping can be used, not both `{given[0]}` and `{given[1]}`")
        return self


class SGD(Optimizer):
    """Gradient descent, with momentum where asked for; the gradient is of one batch."""

    learning_rate: LearningRate = Field(0.01, description="How far a step goes; a number or a schedule.")
    momentum: Fraction = Field(0.0, description="The share of the last step that is kept.")
    nesterov: Flag = Field(False, description="Whether the gradient is taken ahead, where momentum leads.")


class RMSprop(Optimizer):
    """Divides by a running root mean square of the gradient (Hinton 2012)."""

    rho: _Decay = Field(0.9, description="The share of the running mean that is kept.")
    momentum: Fraction = Field(0.0, description="The share of the last step that is kept.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")
    centered: Flag = Field(False, description="Whether the mean is taken off: by the variance, not the second moment.")


class Adagrad(Optimizer):
    """Divides by the root of all squared gradients so far (Duchi et al. 2011)."""

    initial_accumulator_value: _NonNegative = Field(0.1, description="What the sum of squares starts from.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")


class Adadelta(Optimizer):
    """Adagrad over a window, in the unit of the weights (Zeiler 2012)."""

    rho: _Decay = Field(0.95, description="The share of the running means that is kept.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")


class Adafactor(Optimizer):
    """Adam's second moment in factored form, for large matrices (Shazeer and Stern 2018)."""

    beta_2_decay: Annotated[float, Strict(), Field(lt=0)] = Field(
        -0.8, description="The power of the step in the second moment's decay."
    )
    epsilon_1: PositiveNumber = Field(1e-30, description="Keeps the divisor from 0.")
    epsilon_2: PositiveNumber = Field(0.001, description="The smallest a weight is taken to be.")
    clip_threshold: PositiveNumber = Field(1.0, description="The root mean square above which a step is shortened.")
    relative_step: Flag = Field(True, description="Whether the rate is at most 1 / sqrt(step).")


class _Moments(Optimizer):
    beta_1: _Decay = Field(0.9, description="The share of the first moment that is kept.")
    beta_2: _Decay = Field(0.999, description="The share of the second moment that is kept.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")


class Adam(_Moments):
    """Running first and second moments of the gradient (Kingma and Ba 2014)."""

    amsgrad: Flag = Field(False, description="Whether the largest second moment so far is used (Reddi et al. 2018).")


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2017)."""

    weight_decay: _NonNegative = Field(
        0.004, description="What each step takes off a weight, as a fraction of it times the rate."
    )


class Adamax(_Moments):
    """Adam with the infinity norm (Kingma and Ba 2014, section 7)."""


class Nadam(_Moments):
    """Adam with Nesterov's momentum (Dozat 2016)."""


class Lamb(_Moments):
    """Adam with a step scaled to each layer's weights, for large batches (You et al. 2019)."""


class ScheduleFreeAdamW(_Moments):
    """AdamW that averages its iterates, in place of a schedule (Defazio et al. 2024)."""

    learning_rate: LearningRate = Field(0.0025, description="How far a step goes; a number or a schedule.")
    epsilon: PositiveNumber = Field(1e-8, description="Keeps the divisor from 0.")
    warmup_steps: Annotated[int, Strict(), Field(ge=0)] = Field(0, description="Steps over which the rate rises to its value.")


class Lion(Optimizer):
    """The sign of the momentum alone (Chen et al. 2023); wants a rate 3 to 10 times smaller than Adam."""

    beta_1: Annotated[float, Strict(), Field(gt=0, le=1)] = Field(0.9, description="The share of the momentum in a step.")
    beta_2: _Decay = Field(0.99, description="The share of the momentum that is kept.")


class Ftrl(Optimizer):
    """Follow the regularized leader, for wide sparse models (McMahan et al. 2013)."""

    learning_rate_power: Annotated[float, Strict(), Field(le=0)] = Field(-0.5, description="How the rate falls; 0 keeps it.")
    initial_accumulator_value: _NonNegative = Field(0.1, description="What the sum of squares starts from.")
    l1_regularization_strength: _NonNegative = Field(0.0, description="The L1 penalty.")
    l2_regularization_strength: _NonNegative = Field(0.0, description="The L2 penalty.")
    l2_shrinkage_regularization_strength: _NonNegative = Field(
        0.0, description="The L2 penalty on the size of the gradient's step."
    )
    beta: _NonNegative = Field(0.0, description="The paper's beta, added to the root of the sum of squares.")


class Muon(Optimizer):
    """Orthogonalized momentum for matrices, Adam for the rest (Jordan et al. 2024)."""

    adam_beta_1: _Decay = Field(0.9, description="Adam's share of the first moment that is kept.")
    adam_beta_2: _Decay = Field(0.999, description="Adam's share of the second moment that is kept.")
    adam_weight_decay: _NonNegative = Field(0.004, description="Weight decay of what Adam trains.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")
    weight_decay: _NonNegative = Field(
        0.004, description="What each step takes off a weight, as a fraction of it times the rate."
    )
    exclude_layers: list[str] | None = Field(
        None, description="Regular expressions: weights whose names match are left to Adam."
    )
    exclude_embeddings: Flag = Field(True, description="Whether embeddings are left to Adam.")
    muon_a: Number = Field(3.4445, description="First coefficient of the Newton–Schulz iteration.")
    muon_b: Number = Field(-4.775, description="Second coefficient.")
    muon_c: Number = Field(2.0315, description="Third coefficient.")
    adam_lr_ratio: PositiveNumber = Field(1.0, description="Adam's rate, as a multiple of `learning_rate`.")
    momentum: _Decay = Field(0.95, description="The share of the last step that is kept.")
    ns_steps: PositiveInt = Field(5, description="Newton–Schulz iterations.")
    nesterov: Flag = Field(True, description="Whether the gradient is taken ahead, where momentum leads.")
    rms_rate: PositiveNumber | None = Field(
        0.2, description="The root mean square steps are scaled to; null: by the matrix's shape."
    )
