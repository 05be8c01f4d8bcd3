"""The section ``train`` of a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, Strict, model_validator

from nnspec.layers.scalars import Number, PositiveInt, PositiveNumber
from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.metrics import METRICS
from nnspec.training.catalogue.metrics.base import SplitMetric
from nnspec.training.catalogue.optimizers import OPTIMIZERS
from nnspec.training.catalogue.schedules import SCHEDULES, Schedule
from nnspec.training.objectives import DEFAULT, OBJECTIVES
from nnspec.training.objectives.base import Objective
from nnspec.types import Config, Named, TensorType

AnyLoss = Annotated[Config, Named(LOSSES, own=True)]
AnyMetric = Annotated[Config, Named(METRICS, own=True)]
AnySchedule = Annotated[Config, Named(SCHEDULES)]
AnyOptimizer = Annotated[Config, Named(OPTIMIZERS)]
_Optimizers = dict[str, AnyOptimizer] | AnyOptimizer
_Metrics = list[AnyMetric] | AnyMetric
_NonNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
_Rate = Annotated[float, Strict(), Field(gt=0, lt=1)]
_ClassName = Annotated[int, Strict()] | Annotated[str, Strict()]


class WeightedLoss(Config):
    """A loss and its weight in the sum of the losses of an output."""

    operation: ClassVar[str | None] = "loss"

    loss: AnyLoss = Field(description="The loss: one of the catalogue, or a block with inputs `target` and `output`.")
    weight: _NonNegative = Field(1.0, description="Its weight in the sum.", examples=[0.5])


_Losses = list[WeightedLoss] | WeightedLoss
_OnlyLoss = Annotated[Config, Named(LOSSES, own="bare")]
_OnlyMetric = Annotated[Config, Named(METRICS, own="bare")]
_LossWeights = dict[str, AnySchedule | _NonNegative]


class Clip(Config):
    """Gradient clipping."""

    norm: PositiveNumber | None = Field(None, description="The largest L2 norm of the gradient of one weight.", examples=[1.0])
    value: PositiveNumber | None = Field(
        None, description="The largest absolute value of an element of a gradient.", examples=[0.5]
    )
    global_norm: PositiveNumber | None = Field(
        None, description="The largest L2 norm of all gradients together.", examples=[1.0]
    )

    @model_validator(mode="after")
    def _one(self) -> Clip:
        if sum(value is not None for value in (self.norm, self.value, self.global_norm)) != 1:
            raise ValueError("`clip` takes one of `norm`, `value` and `global_norm`")
        return self


class EarlyStopping(Config):
    """Stops training when a metric no longer improves; the best weights are kept in any case."""

    unsupported: ClassVar[Mapping[str, str]] = {"restore_best_weights": "remove it: the best weights are always kept"}

    monitor: Annotated[str, Strict()] = Field(
        "val_loss",
        description="The metric, by its name in the log; its best value selects the weights.",
        examples=["val_digit_sparse_categorical_accuracy"],
    )
    min_delta: _NonNegative = Field(0.0, description="The smallest change that counts as an improvement.", examples=[0.001])
    patience: Annotated[int, Strict(), Field(ge=0)] = Field(0, description="Epochs to wait for an improvement.", examples=[5])
    mode: Literal["auto", "min", "max"] = Field(
        "auto", description="Whether to minimize or maximize the metric; `auto`: inferred from it."
    )
    baseline: Number | None = Field(
        None, description="A value that the metric must improve on within `patience` epochs; null: none.", examples=[0.9]
    )
    start_from_epoch: Annotated[int, Strict(), Field(ge=0)] = Field(
        0, description="Epochs before monitoring starts.", examples=[10]
    )


class ReduceOnPlateau(Config):
    """Lowers the learning rate when a metric no longer improves."""

    unsupported: ClassVar[Mapping[str, str]] = {"verbose": "remove it: the learning rate is in the log"}

    monitor: Annotated[str, Strict()] = Field(
        "val_loss", description="The metric, by its name in the log.", examples=["val_digit_sparse_categorical_accuracy"]
    )
    factor: Annotated[float, Strict(), Field(gt=0, lt=1)] = Field(
        0.1, description="The factor by which the learning rate is multiplied.", examples=[0.5]
    )
    patience: PositiveInt = Field(10, description="Epochs to wait for an improvement.", examples=[3])
    mode: Literal["auto", "min", "max"] = Field(
        "auto", description="Whether to minimize or maximize the metric; `auto`: inferred from it."
    )
    min_delta: _NonNegative = Field(1e-4, description="The smallest change that counts as an improvement.", examples=[0.001])
    cooldown: Annotated[int, Strict(), Field(ge=0)] = Field(
        0, description="Epochs to wait after a reduction before counting again.", examples=[2]
    )
    min_lr: _NonNegative = Field(0.0, description="The lowest learning rate.", examples=[1e-6])


def _of_outputs(given: list[Config] | Config) -> list[Config]:
    """The metrics of a list, or a single one, that are not of a whole split."""
    return [metric for metric in (given if isinstance(given, list) else [given]) if not isinstance(metric, SplitMetric)]


_SAME = "write it under `train`: it applies to all phases"


class PhaseSection(Config):
    """A phase of the training; its keys override those of `train`."""

    unsupported: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("objective", "seed", "loss", "metrics", "class_weight", "precision"), _SAME),
        **dict.fromkeys(("input_noise", "label_noise"), _SAME),
        "phases": "phases cannot be nested: list them one after another",
        "learning_rate": "it is an argument of the optimizer: write `optimizer: {Adam: {learning_rate: …}}`",
    }

    freeze: list[Annotated[str, Strict()]] = Field(
        [], description="Replaces `train.freeze` in this phase.", examples=[["backbone"]]
    )
    epochs: PositiveInt | None = Field(None, description="The number of epochs of this phase.", examples=[5])
    steps: PositiveInt | None = Field(None, description="The number of steps of this phase.", examples=[1000])
    batch_size: PositiveInt = Field(32, description="As `train.batch_size`.", examples=[64])
    optimizer: _Optimizers = Field(
        "Adam",
        validate_default=True,
        description="As `train.optimizer`; each phase starts with a new optimizer.",
        examples=[{"SGD": {"learning_rate": 0.01}}],
    )
    loss_weights: _LossWeights = Field({}, description="As `train.loss_weights`.", examples=[{"digit": 0.5}])
    clip: Clip | None = Field(None, description="As `train.clip`.", examples=[{"norm": 1.0}])
    early_stopping: EarlyStopping | None = Field(
        None,
        description="As `train.early_stopping`; the next phase starts from the best weights of this one.",
        examples=[{"patience": 5}],
    )
    reduce_on_plateau: ReduceOnPlateau | None = Field(
        None, description="As `train.reduce_on_plateau`.", examples=[{"patience": 3}]
    )
    ema: Annotated[float, Strict(), Field(gt=0, lt=1)] | None = Field(None, description="As `train.ema`.", examples=[0.999])

    @model_validator(mode="after")
    def _one_end(self) -> PhaseSection:
        if self.epochs is not None and self.steps is not None:
            raise ValueError("only one of `epochs` and `steps` can be given")
        return self


class TrainSection(Config):
    """How the model is trained."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"epochs": 20, "optimizer": {"Adam": {"learning_rate": 1e-3}}, "loss": "MeanSquaredError"}]
        }
    )

    later: ClassVar[Mapping[str, str]] = {}
    """Keys of the language that this release does not support, each with a message."""

    unsupported: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("learning_rate", "lr"), "it is an argument of the optimizer: write `optimizer: {Adam: {learning_rate: …}}`"
        ),
        "callbacks": "write `early_stopping: {…}` or `reduce_on_plateau: {…}`; runs, checkpoints and logs need no callback",
        **dict.fromkeys(("device", "gpu", "gpus"), "remove it: a GPU is used if there is one"),
        **dict.fromkeys(("num_workers", "workers"), "remove it: data are always prefetched"),
        "validation_data": "write `validation: {…}` under `data`",
        "shuffle": "remove it: examples are shuffled in each epoch, by `seed`",
        "validation_split": "write `validation: 0.1` under `data`",
    }

    objective: Annotated[Config, Named(OBJECTIVES, own=True)] = Field(
        DEFAULT, validate_default=True, description="The objective, which determines where the targets come from."
    )
    epochs: PositiveInt | None = Field(None, description="The number of passes over the training data.", examples=[20])
    steps: PositiveInt | None = Field(None, description="The number of batches, instead of `epochs`.", examples=[1000])
    batch_size: PositiveInt = Field(32, description="The number of examples in a batch.", examples=[64])
    seed: Annotated[int, Strict(), Field(ge=0, lt=2**32)] = Field(
        0, description="The seed of the initial weights, the validation split, the order of examples and dropout.", examples=[7]
    )
    optimizer: _Optimizers = Field(
        "Adam",
        validate_default=True,
        description="The optimizer; if several networks are trained, one optimizer or one by network.",
        examples=[{"Adam": {"learning_rate": 0.001}}],
    )
    loss: dict[str, _Losses] | list[WeightedLoss] | _OnlyLoss | None = Field(
        None,
        description="The loss of the only output, or losses by output; a list is a weighted sum. Not used with objectives that "
        "define the losses.",
        examples=[{"digit": "SparseCategoricalCrossentropy"}],
    )
    loss_weights: _LossWeights = Field(
        {},
        description="The weight of each output's loss; 1 by default. A schedule changes it with the training step.",
        examples=[{"digit": 0.5}],
    )
    metrics: dict[str, _Metrics] | list[AnyMetric] | _OnlyMetric = Field(
        [],
        description="The metrics of the only output, or metrics by output. `MeanAveragePrecision` reads several outputs.",
        examples=[{"digit": ["SparseCategoricalAccuracy"]}],
    )
    class_weight: Literal["balanced"] | dict[_ClassName, _NonNegative] | None = Field(
        None,
        description="The weight of each class in the loss; `balanced`: inversely proportional to its frequency.",
        examples=["balanced"],
    )
    clip: Clip | None = Field(None, description="Gradient clipping; null: none.", examples=[{"norm": 1.0}])
    early_stopping: EarlyStopping | None = Field(
        None, description="When to stop before the last epoch; null: never.", examples=[{"patience": 5}]
    )
    reduce_on_plateau: ReduceOnPlateau | None = Field(
        None,
        description="When to lower the learning rate because a metric no longer improves; null: never.",
        examples=[{"patience": 3}],
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32", description="The dtype policy of the layers.", examples=["mixed_bfloat16"]
    )
    ema: Annotated[float, Strict(), Field(gt=0, lt=1)] | None = Field(
        None,
        description="The momentum of a moving average of the weights; the averaged weights are saved. Null: no averaging.",
        examples=[0.999],
    )

    input_noise: PositiveNumber | dict[str, PositiveNumber] | None = Field(
        None,
        description="The standard deviation of Gaussian noise on training inputs: for all float inputs, or by input.",
        examples=[0.1],
    )
    label_noise: _Rate | dict[str, _Rate] | None = Field(
        None,
        description="The share of training labels that are replaced by random ones in each step; binary labels are flipped.",
        examples=[0.05],
    )
    freeze: list[Annotated[str, Strict()]] = Field(
        [], description="Layers to freeze, by their paths, such as `backbone` or `backbone/stage1`.", examples=[["backbone"]]
    )
    phases: list[PhaseSection] = Field(
        [],
        description="Consecutive phases of the training, each overriding keys of `train`; empty: a single phase.",
        examples=[[{"freeze": ["backbone"], "epochs": 5}, {"epochs": 10}]],
    )

    @model_validator(mode="after")
    def _an_end(self) -> TrainSection:
        if self.epochs is not None and self.steps is not None:
            raise ValueError("only one of `epochs` and `steps` can be given")
        # A spec whose objective defines the losses can be built before the length of the training is known.
        if not self.has_length and not self.has_own_losses:
            raise ValueError("`train` must state how long to train: write `epochs: 20`, or `steps`")
        return self

    @property
    def has_length(self) -> bool:
        """Whether the length of the training is given."""
        in_phases = bool(self.phases) and all(phase.epochs or phase.steps for phase in self.phases)
        return self.epochs is not None or self.steps is not None or in_phases

    @property
    def has_own_losses(self) -> bool:
        """Whether the objective defines the losses."""
        return isinstance(self.objective, Objective) and self.objective.has_own_losses

    @property
    def split_metrics(self) -> list[tuple[tuple[str | int, ...], SplitMetric]]:
        """The metrics of whole splits, each with its place in the section."""
        found: list[tuple[tuple[str | int, ...], SplitMetric]] = []
        by_output = self.metrics.items() if isinstance(self.metrics, dict) else [(None, self.metrics)]
        for output, given in by_output:
            place: tuple[str | int, ...] = ("metrics",) if output is None else ("metrics", output)
            for i, metric in enumerate(given if isinstance(given, list) else [given]):
                if isinstance(metric, SplitMetric):
                    found.append(((*place, i) if isinstance(given, list) else place, metric))
        return found

    @property
    def output_metrics(self) -> dict[str, list[Config]] | list[Config]:
        """The other metrics, which compare one output with its target: those of the only output, or by output."""
        if isinstance(self.metrics, dict):
            return {name: _of_outputs(given) for name, given in self.metrics.items()}
        return _of_outputs(self.metrics)

    def optimizer_of(self, network: str) -> Config:
        """The optimizer of a network."""
        return self.optimizer[network] if isinstance(self.optimizer, dict) else self.optimizer

    def weight_of(self, output: str) -> float | Schedule:
        """The weight of an output's losses."""
        weight = self.loss_weights.get(output, 1.0)
        assert isinstance(weight, (float, Schedule))
        return weight

    def input_noise_of(self, inputs: Mapping[str, TensorType]) -> dict[str, float]:
        """The standard deviation of the noise on each noisy input."""
        if isinstance(self.input_noise, dict) or self.input_noise is None:
            return self.input_noise or {}
        return {name: self.input_noise for name, kind in inputs.items() if kind.dtype.startswith("float")}

    def label_noise_of(self, outputs: Iterable[str]) -> dict[str, float]:
        """The share of random labels of each output that has some."""
        if isinstance(self.label_noise, dict) or self.label_noise is None:
            return self.label_noise or {}
        return dict.fromkeys(outputs, self.label_noise)

    def phase_sections(self) -> list[TrainSection]:
        """The section of each phase, with its overrides; a single one if there are no phases."""
        return [self._with(phase) for phase in self.phases] or [self]

    def _with(self, phase: PhaseSection) -> TrainSection:
        given = {name: getattr(phase, name) for name in phase.model_fields_set}
        if phase.epochs or phase.steps:
            given |= {"epochs": phase.epochs, "steps": phase.steps}
        own = self.model_copy(update={**given, "phases": []})
        wrong = (self.wrong_arguments - given.keys() - {"phases"}) | phase.wrong_arguments
        object.__setattr__(own, "wrong_arguments", wrong)
        return own
