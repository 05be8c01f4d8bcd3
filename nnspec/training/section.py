"""The section ``train`` of a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Number, PositiveInt, PositiveNumber
from nnspec.training.losses import LOSSES
from nnspec.training.metrics import METRICS
from nnspec.training.objectives import OBJECTIVES
from nnspec.training.objectives.base import Objective
from nnspec.training.optimizers import OPTIMIZERS
from nnspec.types import Config, Named, TensorType

__all__ = ["AnyLoss", "AnyMetric", "Clip", "EarlyStopping", "PhaseSection", "ReduceOnPlateau", "TrainSection"]

AnyLoss = Annotated[Config, Named(LOSSES)]
AnyMetric = Annotated[Config, Named(METRICS)]
AnyOptimizer = Annotated[Config, Named(OPTIMIZERS)]
_Optimizers = dict[str, AnyOptimizer] | AnyOptimizer
_Metrics = list[AnyMetric] | AnyMetric
_NonNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
_Rate = Annotated[float, Strict(), Field(gt=0, lt=1)]
_ClassName = Annotated[int, Strict()] | Annotated[str, Strict()]


class Clip(Config):
    """How large a gradient may be."""

    norm: PositiveNumber | None = Field(None, description="The longest the gradient of one weight may be.")
    value: PositiveNumber | None = Field(None, description="The largest an element of a gradient may be.")
    global_norm: PositiveNumber | None = Field(None, description="The longest all gradients together may be.")

    @model_validator(mode="after")
    def _one(self) -> Clip:
        if sum(value is not None for value in (self.norm, self.value, self.global_norm)) != 1:
            raise ValueError("`clip` takes one of `norm`, `value` and `global_norm`")
        return self


class EarlyStopping(Config):
    """Ends training when a figure no longer improves; the best weights are kept in any case."""

    unsupported: ClassVar[Mapping[str, str]] = {"restore_best_weights": "take it away: the best weights are always kept"}

    monitor: Annotated[str, Strict()] = Field(
        "val_loss", description="The figure, by its name in the log; the best weights are its best."
    )
    min_delta: _NonNegative = Field(0.0, description="The least that counts as better.")
    patience: Annotated[int, Strict(), Field(ge=0)] = Field(
        0, description="Epochs without a better figure that are waited for."
    )
    mode: Literal["auto", "min", "max"] = Field("auto", description="Which way is better; `auto`: as the figure has it.")
    baseline: Number | None = Field(None, description="What the figure must be better than to count; null: nothing.")
    start_from_epoch: Annotated[int, Strict(), Field(ge=0)] = Field(0, description="Epochs before it begins to watch.")


class ReduceOnPlateau(Config):
    """Lowers the learning rate when a figure no longer improves."""

    unsupported: ClassVar[Mapping[str, str]] = {"verbose": "take it away: the rate is in the log"}

    monitor: Annotated[str, Strict()] = Field("val_loss", description="The figure, by its name in the log.")
    factor: Annotated[float, Strict(), Field(gt=0, lt=1)] = Field(0.1, description="What the rate is multiplied by.")
    patience: PositiveInt = Field(10, description="Epochs without a better figure that are waited for.")
    mode: Literal["auto", "min", "max"] = Field("auto", description="Which way is better; `auto`: as the figure has it.")
    min_delta: _NonNegative = Field(1e-4, description="The least that counts as better.")
    cooldown: Annotated[int, Strict(), Field(ge=0)] = Field(0, description="Epochs that are not counted after it was lowered.")
    min_lr: _NonNegative = Field(0.0, description="The lowest rate.")


_SAME = "write it beside `phases`: it is the same for all of them"


class PhaseSection(Config):
    """A part of the training that overrides keys of `train`; what it does not name is as `train` says."""

    unsupported: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("objective", "seed", "loss", "metrics", "class_weight", "precision"), _SAME),
        **dict.fromkeys(("input_noise", "label_noise"), _SAME),
        "phases": "phases do not nest: write them one after another",
        "learning_rate": "it is the optimizer's: write `optimizer: {Adam: {learning_rate: …}}`",
    }

    freeze: list[Annotated[str, Strict()]] = Field([], description="As `train.freeze`, in its place.")
    epochs: PositiveInt | None = Field(None, description="As `train.epochs`: those of this phase.")
    steps: PositiveInt | None = Field(None, description="As `train.steps`: those of this phase.")
    batch_size: PositiveInt = Field(32, description="As `train.batch_size`.")
    optimizer: _Optimizers = Field(
        "Adam", validate_default=True, description="As `train.optimizer`; each phase begins with a new one."
    )
    loss_weights: dict[str, _NonNegative] = Field({}, description="As `train.loss_weights`.")
    clip: Clip | None = Field(None, description="As `train.clip`.")
    early_stopping: EarlyStopping | None = Field(
        None, description="As `train.early_stopping`; the next phase then begins with this one's best weights."
    )
    reduce_on_plateau: ReduceOnPlateau | None = Field(None, description="As `train.reduce_on_plateau`.")
    ema: Annotated[float, Strict(), Field(gt=0, lt=1)] | None = Field(None, description="As `train.ema`.")

    @model_validator(mode="after")
    def _one_end(self) -> PhaseSection:
        if self.epochs is not None and self.steps is not None:
            raise ValueError("only one of `epochs` and `steps` can be given")
        return self


class TrainSection(Config):
    """How the model is trained."""

    later: ClassVar[Mapping[str, str]] = {}
    """Keys of the language that this release does not know, each with what to say of it."""

    unsupported: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("learning_rate", "lr"), "it is the optimizer's: write `optimizer: {Adam: {learning_rate: …}}`"),
        "callbacks": "write `early_stopping: {…}` or `reduce_on_plateau: {…}`; runs, checkpoints and logs need no callback",
        **dict.fromkeys(("device", "gpu", "gpus"), "leave it out: a graphics card is used where there is one"),
        **dict.fromkeys(("num_workers", "workers"), "leave it out: data are read ahead without it"),
        "validation_data": "write `validation: {…}` under `data`",
        "shuffle": "take it away: each epoch has an order of its own, by `seed`",
        "validation_split": "write `validation: 0.1` under `data`",
    }

    objective: Annotated[Config, Named(OBJECTIVES)] = Field(
        "supervised", validate_default=True, description="What is learned, which says where the targets come from."
    )
    epochs: PositiveInt | None = Field(None, description="How often all examples are gone through.")
    steps: PositiveInt | None = Field(None, description="How many batches are gone through, in place of `epochs`.")
    batch_size: PositiveInt = Field(32, description="Examples between two changes of the weights.")
    seed: Annotated[int, Strict(), Field(ge=0, lt=2**32)] = Field(
        0, description="Makes the first weights, the validation part, the order of examples and dropout repeatable."
    )
    optimizer: _Optimizers = Field(
        "Adam",
        validate_default=True,
        description="How weights follow gradients; where two networks are trained, also by network.",
    )
    loss: dict[str, AnyLoss] | AnyLoss | None = Field(
        None,
        description="What is made small: for one output alone, or by output. An objective with losses of its own takes none.",
    )
    loss_weights: dict[str, _NonNegative] = Field({}, description="How much the loss of each output counts; 1 where not given.")
    metrics: dict[str, _Metrics] | _Metrics = Field(
        [], description="What is watched beside the loss: for one output alone, or by output."
    )
    class_weight: Literal["balanced"] | dict[_ClassName, _NonNegative] | None = Field(
        None, description="How much the examples of each class count in the loss; `balanced`: all classes alike."
    )
    clip: Clip | None = Field(None, description="How large a gradient may be; null: as large as it is.")
    early_stopping: EarlyStopping | None = Field(None, description="When training ends before its last epoch; null: never.")
    reduce_on_plateau: ReduceOnPlateau | None = Field(
        None, description="When the learning rate is lowered because a figure no longer improves; null: never."
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field("float32", description="What layers compute in.")
    ema: Annotated[float, Strict(), Field(gt=0, lt=1)] | None = Field(
        None,
        description="The share a moving average of the weights keeps at each step; the average is what is saved. Null: none.",
    )

    input_noise: PositiveNumber | dict[str, PositiveNumber] | None = Field(
        None, description="The deviation of Gaussian noise that training adds to inputs: to all of floats, or by input."
    )
    label_noise: _Rate | dict[str, _Rate] | None = Field(
        None, description="The share of labels that training draws anew at each step (a probability is turned over)."
    )
    freeze: list[Annotated[str, Strict()]] = Field(
        [], description="Layers, by their paths, whose weights are not trained: `backbone`, `backbone/stage1`."
    )
    phases: list[PhaseSection] = Field(
        [], description="Parts of the training, one after another, each overriding keys of `train`; none: it is one."
    )

    @model_validator(mode="after")
    def _an_end(self) -> TrainSection:
        if self.epochs is not None and self.steps is not None:
            raise ValueError("only one of `epochs` and `steps` can be given")
        # What has losses of its own says enough to be built before it says how long it is trained.
        if not self.says_how_long and not self.has_losses_of_its_own:
            raise ValueError("`train` must say how long: write `epochs: 20`, or `steps`")
        return self

    @property
    def says_how_long(self) -> bool:
        """Whether the training has an end."""
        said_by_all = bool(self.phases) and all(phase.epochs or phase.steps for phase in self.phases)
        return self.epochs is not None or self.steps is not None or said_by_all

    @property
    def has_losses_of_its_own(self) -> bool:
        """Whether the objective says what is made small."""
        return isinstance(self.objective, Objective) and self.objective.losses_of_its_own

    def optimizer_of(self, network: str) -> Config:
        """How the weights of a network follow gradients."""
        return self.optimizer[network] if isinstance(self.optimizer, dict) else self.optimizer

    def input_noise_of(self, inputs: Mapping[str, TensorType]) -> dict[str, float]:
        """The deviation of the noise on each input that has some."""
        if isinstance(self.input_noise, dict) or self.input_noise is None:
            return self.input_noise or {}
        return {name: self.input_noise for name, kind in inputs.items() if kind.dtype.startswith("float")}

    def label_noise_of(self, outputs: Iterable[str]) -> dict[str, float]:
        """The share of each output's labels that are drawn anew, for those that have some."""
        if isinstance(self.label_noise, dict) or self.label_noise is None:
            return self.label_noise or {}
        return dict.fromkeys(outputs, self.label_noise)

    def in_phases(self) -> list[TrainSection]:
        """What holds in each phase; one alone where the section names none."""
        return [self._with(phase) for phase in self.phases] or [self]

    def _with(self, phase: PhaseSection) -> TrainSection:
        given = {name: getattr(phase, name) for name in phase.model_fields_set}
        if phase.epochs or phase.steps:
            given |= {"epochs": phase.epochs, "steps": phase.steps}
        own = self.model_copy(update={**given, "phases": []})
        wrong = (self.wrong_arguments - given.keys() - {"phases"}) | phase.wrong_arguments
        object.__setattr__(own, "wrong_arguments", wrong)
        return own
