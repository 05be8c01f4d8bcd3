"""Every optimizer, schedule, loss and metric of the catalogue, built by Keras and used once."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.metrics import METRICS
from nnspec.training.catalogue.metrics.accuracy import Accuracy
from nnspec.training.catalogue.metrics.base import Metric, SplitMetric
from nnspec.training.catalogue.optimizers import OPTIMIZERS
from nnspec.training.catalogue.schedules import SCHEDULES
from nnspec.training.section import TrainSection

keras = pytest.importorskip("keras")

REQUIRED = {
    "CosineDecay": {"decay_steps": 10},
    "CosineDecayRestarts": {"first_decay_steps": 10},
    "ExponentialDecay": {"decay_steps": 10, "decay_rate": 0.9},
    "InverseTimeDecay": {"decay_steps": 10, "decay_rate": 0.9},
    "PiecewiseConstantDecay": {"boundaries": [1, 2], "values": [0.1, 0.2, 0.3]},
    "PolynomialDecay": {"decay_steps": 10},
    "IoU": {"num_classes": 3, "target_class_ids": [0], "sparse_y_pred": False},
    "MeanIoU": {"num_classes": 3, "sparse_y_pred": False},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "Quantile": {"quantiles": [0.1, 0.5, 0.9]},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}
ANSWER = np.float32([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.3, 0.4, 0.3]])
TARGETS = {
    "class": np.array([0, 1, 2, 0]),
    "label": np.array([0, 1, 2, 0]),
    "distribution": np.eye(3, dtype="float32")[[0, 1, 2, 0]],
    "probability": np.eye(3, dtype="float32")[[0, 1, 2, 0]],
    "sign": np.float32([[1, -1, 1]] * 4),
    "number": np.float32([[0.5, 0.1, 0.2]] * 4),
    "non_negative": np.float32([[0.5, 0.1, 0.2]] * 4),
    "sequence": np.array([[1, 2], [2, 0], [1, 0], [1, 1]]),
}


def section(**changed) -> TrainSection:
    return TrainSection(**{"epochs": 1, "loss": "MeanSquaredError", **changed})


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_an_optimizer_moves_a_weight(name):
    from nnspec.training.loop.keras_objects import keras_optimizer

    optimizer = keras_optimizer(section(optimizer=name, clip={"norm": 1.0}))
    assert type(optimizer).__name__ == name
    weight = keras.Variable(np.ones((2, 2), "float32"), name="kernel")
    optimizer.build([weight])
    optimizer.apply([keras.ops.convert_to_tensor(np.eye(2, dtype="float32"))], [weight])
    assert (weight.numpy() != 1).any()
    assert optimizer.clipnorm == 1.0


@pytest.mark.parametrize("name", SCHEDULES.names())
def test_a_schedule_gives_the_rate_of_keras(name):
    from nnspec.training.loop.keras_objects import keras_optimizer

    arguments = dict(REQUIRED[name])
    if name != "PiecewiseConstantDecay":
        arguments["initial_learning_rate"] = 0.1
    optimizer = keras_optimizer(section(optimizer={"SGD": {"learning_rate": {name: arguments}}}))
    theirs = getattr(keras.optimizers.schedules, name)(**arguments)
    rates = []
    weight = keras.Variable(np.zeros(1, "float32"))
    optimizer.build([weight])
    for _ in range(4):
        before = weight.numpy().copy()
        optimizer.apply([keras.ops.convert_to_tensor(np.ones(1, "float32"))], [weight])
        rates.append(float((before - weight.numpy())[0]))
    np.testing.assert_allclose(rates, [float(theirs(step)) for step in range(4)], rtol=1e-4)


@pytest.mark.parametrize("name", [name for name in LOSSES.names() if name != "Value"])
def test_a_loss_takes_the_target_that_it_says(name):
    from nnspec.training.loop.keras_objects import keras_loss

    config = LOSSES.get(name)(**({} if name == "IoU" else REQUIRED.get(name, {})))
    target = TARGETS[config.target_kind()]
    answer = np.repeat(ANSWER[:, None], 4, 1) if name == "CTC" else ANSWER
    if name in ("GaussianNegativeLogLikelihood", "NegativeBinomial"):  # two values for each of the target
        answer = np.concatenate([ANSWER, ANSWER], -1)
    if name.endswith("IoU"):
        target, answer = np.float32([[0, 0, 4, 4]] * 4), np.float32([[1, 1, 3, 5]] * 4)
    assert np.isfinite(float(keras_loss(config)(target, answer)))


@pytest.mark.parametrize(
    "name",
    [name for name in METRICS.names() if METRICS.get(name) is not Accuracy and not issubclass(METRICS.get(name), SplitMetric)],
)
def test_a_metric_takes_the_target_that_it_says(name):
    from nnspec.training.loop.keras_objects import keras_metric

    config = METRICS.get(name)(**REQUIRED.get(name, {}))
    assert isinstance(config, Metric)
    metric = keras_metric(config, "y_figure")
    answer = np.repeat(ANSWER[:, None], 4, 1) if name == "LabelErrorRate" else ANSWER
    metric.update_state(TARGETS[config.target_kind()], answer)
    assert np.isfinite(np.asarray(metric.result())).all()
    assert metric.name == "y_figure"


def test_the_loss_is_scaled_for_float16():
    from nnspec.training.loop.keras_objects import keras_optimizer

    optimizer = keras_optimizer(section(precision="mixed_float16", ema=0.9))
    assert type(optimizer).__name__ == "LossScaleOptimizer"
    assert optimizer.inner_optimizer.use_ema
