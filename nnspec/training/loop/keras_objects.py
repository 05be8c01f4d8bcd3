"""Keras objects of configured optimizers, losses and metrics."""

from __future__ import annotations

from typing import Any

import keras

from nnspec.training.catalogue import own_metrics
from nnspec.training.catalogue.blocks import BlockMetric
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.metrics.base import Metric
from nnspec.training.catalogue.optimizers.base import Optimizer
from nnspec.training.catalogue.schedules import Schedule
from nnspec.training.section import TrainSection
from nnspec.types import Config


def keras_optimizer(
    section: TrainSection, network: str = "main", *, averages: bool = True, config: Optimizer | None = None
) -> Any:
    """Builds the optimizer of a network, with clipping, averaging and, for float16, loss scaling.

    Args:
        section: The section ``train``.
        network: The network.
        averages: Whether `ema` applies to this network.
        config: The optimizer as written; by default that of the section.
    """
    config = config or section.optimizer_of(network)  # type: ignore[assignment]
    assert isinstance(config, Optimizer)
    arguments = _arguments(config)
    if section.clip is not None:
        clip = section.clip
        arguments |= {"clipnorm": clip.norm, "clipvalue": clip.value, "global_clipnorm": clip.global_norm}
    if section.ema is not None and averages:
        arguments |= {"use_ema": True, "ema_momentum": section.ema}
    optimizer = getattr(keras.optimizers, type(config).__name__)(**arguments)
    if section.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def keras_loss(loss: Config) -> Any:
    """Builds a Keras loss; None for `Value`, where the output is the loss; or the values of a block."""
    assert isinstance(loss, Loss)
    return loss.to_keras(**_arguments(loss))


def keras_metric(metric: Metric, name: str) -> Any:
    """Builds a Keras metric with its name in the log."""
    if isinstance(metric, BlockMetric):
        return metric.to_keras(name)
    kind = type(metric).__name__
    made = getattr(own_metrics, kind, None) or getattr(keras.metrics, kind)
    return made(**_arguments(metric), name=name)


def keras_weight(weight: float | Schedule) -> Any:
    """Builds a loss weight: a number, or a function of the step."""
    return _schedule(weight) if isinstance(weight, Schedule) else weight


def _arguments(config: Optimizer | Schedule | Loss | Metric) -> dict[str, Any]:
    values = {name: getattr(config, name) for name in type(config).model_fields}
    return {name: keras_weight(value) for name, value in values.items()}


def _schedule(schedule: Schedule) -> Any:
    return getattr(keras.optimizers.schedules, type(schedule).__name__)(**_arguments(schedule))
