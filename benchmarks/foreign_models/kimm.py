"""The smallest model of each kind of `kimm` (its ``--from`` is the folder that holds the package)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_SIZE = 64
_LARGER = {"InceptionV3": 75, "VGG11": 224, "Xception": 71}

_NAMES = (
    "ConvMixer736D32", "ConvNeXtAtto", "ConvNeXtFemto", "ConvNeXtNano", "ConvNeXtPico", "ConvNeXtTiny", "DenseNet121",
    "EfficientNetB0", "EfficientNetLiteB0", "EfficientNetV2B0", "EfficientNetV2S", "GhostNetV2W100", "GhostNetV3W050",
    "GhostNetW050", "HGNetTiny", "HGNetV2B0", "InceptionNeXtTiny", "InceptionV3", "LCNet035", "MobileNetV2W050",
    "MobileNetV3W050Small", "MobileNetV3W100SmallMinimal", "MobileOneS0", "MobileOneS1", "MobileViTS",
    "MobileViTV2W050", "MobileViTXXS", "RegNetX002", "RegNetY002", "RepVGGA0", "ResNet18", "ResNet50", "TinyNetE", "RegNetX004", "VGG11",
    "VisionTransformerTiny16", "VisionTransformerTiny32", "Xception",
)  # fmt: skip


def models() -> Mapping[str, Callable[[], Any]]:
    """Return what builds each model, by its name."""
    return {name: lambda name=name: _built(name) for name in _NAMES}  # type: ignore[misc]


def _built(name: str) -> Any:
    import kimm

    size = _LARGER.get(name, _SIZE)
    return getattr(kimm.models, name)(weights=None, input_shape=(size, size, 3), classifier_activation=None)
