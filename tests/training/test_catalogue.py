"""The catalogue against Keras, name by name and default by default."""

from __future__ import annotations

import importlib
import inspect

import pytest

from nnspec.training.catalogue import losses, metrics, optimizers, schedules
from nnspec.training.catalogue.metrics.base import Metric
from nnspec.types import Config, Family

keras = pytest.importorskip("keras")

_NOT_ARGUMENTS = {"self", "name", "dtype", "reduction", "kwargs"}
_BASES = {"LearningRateSchedule": "the base class"}
_FAMILIES = {
    "optimizers": (optimizers.OPTIMIZERS, "keras.optimizers", optimizers.UNSUPPORTED, {}),
    "schedules": (schedules.SCHEDULES, "keras.optimizers.schedules", _BASES, {}),
    "losses": (losses.LOSSES, "keras.losses", losses.UNSUPPORTED, losses.OURS),
    "metrics": (metrics.METRICS, "keras.metrics", metrics.UNSUPPORTED, metrics.OURS),
}


def _module(name: str) -> object:
    module: object = keras
    for part in name.split(".")[1:]:
        module = getattr(module, part)
    return module


def _cases() -> list[tuple[type[Config], type]]:
    return [
        pytest.param(family.get(name), getattr(_module(module), name), id=f"{kind}-{name}")
        for kind, (family, module, _, ours) in _FAMILIES.items()
        for name in family.names()
        if name not in ours
    ]


@pytest.mark.parametrize(("config", "theirs"), _cases())
def test_a_class_has_the_arguments_and_the_defaults_of_keras(config: type[Config], theirs: type) -> None:
    wanted = {
        name: parameter.default
        for name, parameter in inspect.signature(theirs.__init__).parameters.items()
        if name not in _NOT_ARGUMENTS
    }
    given = {
        name: inspect.Parameter.empty if field.is_required() else field.default for name, field in config.model_fields.items()
    }
    assert given == wanted


@pytest.mark.parametrize("config", [case.values[0] for case in _cases()], ids=[case.id for case in _cases()])
def test_a_class_is_explained_and_so_is_each_of_its_arguments(config: type[Config]) -> None:
    assert "__doc__" in vars(config) and config.__doc__
    assert [name for name, field in config.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("kind", _FAMILIES)
def test_what_keras_has_is_here_or_left_out_for_a_reason(kind: str) -> None:
    family, module, unsupported, ours = _FAMILIES[kind]
    theirs = {name for name, value in vars(_module(module)).items() if inspect.isclass(value)}
    assert theirs - set(family.names()) == set(unsupported)
    assert set(family.names()) - theirs == set(ours)
    assert all({**unsupported, **ours}.values())


def test_an_optimizer_may_be_named_as_keras_names_it() -> None:
    for name, value in importlib.import_module("keras.src.optimizers").ALL_OBJECTS_DICT.items():
        if value.__name__ not in optimizers.UNSUPPORTED:
            assert optimizers.OPTIMIZERS.get(name).__name__ == value.__name__


def test_a_loss_may_be_named_as_keras_names_it() -> None:
    for name, value in importlib.import_module("keras.src.losses").ALL_OBJECTS_DICT.items():
        if name not in {*losses.UNSUPPORTED, "LossFunctionWrapper"}:
            ours = getattr(keras.losses, losses.LOSSES.get(name).__name__)
            assert ours is value or ours().fn is value


def test_a_metric_may_be_named_as_keras_names_it() -> None:
    for name, value in importlib.import_module("keras.src.metrics").ALL_OBJECTS_DICT.items():
        if value.__name__ not in metrics.UNSUPPORTED:
            assert metrics.METRICS.get(name).__name__ == value.__name__


_REQUIRED = {
    "IoU": {"num_classes": 3, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}


@pytest.mark.parametrize("name", [name for name in metrics.METRICS.names() if name not in metrics.OURS])
def test_a_metric_is_called_and_improves_as_keras_says(name: str) -> None:
    config = metrics.METRICS.get(name)
    theirs = getattr(keras.metrics, name)(**_REQUIRED.get(name, {}))
    assert issubclass(config, Metric)
    assert theirs.name.removesuffix("_1") == config(**_REQUIRED.get(name, {})).monitored()
    assert {"up": "max", "down": "min", None: None}[getattr(theirs, "_direction", None)] == config.better


def test_a_suggestion_names_a_member_of_the_family() -> None:
    families: list[Family] = [optimizers.OPTIMIZERS, schedules.SCHEDULES, losses.LOSSES, metrics.METRICS]
    for family in families:
        assert [name for name in dict(family.aliases).values() if name not in family] == []
        for name in family.names():
            assert [other for other in getattr(family.get(name), "instead", ()) if other not in family] == []
