"""Cases of the layers that change pictures; those that do so at random have values from 0 to 1 in their tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .cases import Case, Input

__all__ = ["picture_cases"]

_UNIT = {"value_range": [0, 1]}
_FILLED = {"fill_mode": "constant", "fill_value": 0.5, "interpolation": "nearest"}


def _picture(op: str, channels: int = 3, **arguments: Any) -> Case:
    return Case(op, arguments, {"x": Input(("H", "W", channels))})


def picture_cases() -> Iterator[Case]:
    yield from _geometry()
    yield from _values()
    yield from _colours()
    yield _picture("AutoContrast", value_range=[-1, 1])
    yield _picture("AutoContrast", 1)
    for height, width, size in ((5, 6, (8, 9)), (8, 8, (8, 12)), (4, 4, (8, 13)), (7, 5, (6, 9)), (8, 9, (8, 9))):
        yield Case("RandomCrop", {"height": height, "width": width, "seed": 1}, {"x": Input((*size, 2))})


def _geometry() -> Iterator[Case]:
    yield _picture("RandomFlip", 1)
    yield _picture("RandomFlip", mode="horizontal", seed=3)
    yield _picture("RandomRotation", factor=0.2, seed=3, **_FILLED)
    yield _picture("RandomRotation", factor=[-0.1, 0.3])
    yield _picture("RandomZoom", height_factor=0.3, width_factor=[0.1, 0.2], seed=3, **_FILLED)
    yield _picture("RandomTranslation", height_factor=0.3, width_factor=[-0.2, 0.2], seed=3, **_FILLED)
    yield _picture("RandomShear", x_factor=0.5, y_factor=[0.1, 0.2], seed=3, **_FILLED)
    yield _picture("RandomPerspective", factor=[1, 1], scale=0.5, interpolation="nearest", fill_value=0.5, seed=3)
    yield _picture("RandomElasticTransform", factor=[1, 1], scale=[0.5, 1], seed=3, **_FILLED, **_UNIT)


def _values() -> Iterator[Case]:
    yield _picture("RandomBrightness", factor=[0.2, 0.4], seed=3, **_UNIT)
    yield _picture("RandomContrast", 1, factor=[0.2, 0.4], seed=3, **_UNIT)
    yield _picture("RandomSharpness", factor=[0.8, 1], seed=3, **_UNIT)
    yield _picture("RandomPosterization", factor=2, seed=3, **_UNIT)
    yield _picture("RandomInvert", 2, factor=[1, 1], seed=3, **_UNIT)
    yield _picture("Solarization", addition_factor=0.2, threshold_factor=[0.1, 0.4], seed=3, **_UNIT)
    yield _picture("RandomErasing", factor=[1, 1], scale=[0.2, 0.3], fill_value=0.5, seed=3, **_UNIT)
    yield _picture("RandomErasing", fill_value=[0, 0.5, 1])
    yield _picture("RandomGaussianBlur", 1, factor=[1, 1], kernel_size=[3, 5], sigma=[0.5, 1], seed=3, **_UNIT)


def _colours() -> Iterator[Case]:
    yield _picture("RandomGrayscale", 1)
    yield _picture("RandomGrayscale", factor=1.0, seed=3)
    yield _picture("RandomSaturation", factor=[0.7, 0.9], seed=3, **_UNIT)
    yield _picture("RandomHue", factor=[0.3, 0.5], seed=3, **_UNIT)
    yield _picture("RandomColorDegeneration", factor=[0.5, 0.7], seed=3, **_UNIT)
    yield _picture(
        "RandomColorJitter",
        brightness_factor=0.2,
        contrast_factor=0.2,
        saturation_factor=[0.2, 0.4],
        hue_factor=0.2,
        seed=3,
        **_UNIT,
    )
    yield _picture("RandAugment", num_ops=3, factor=0.7, interpolation="nearest", seed=3, **_UNIT)
    yield _picture("RandAugment", 1)
