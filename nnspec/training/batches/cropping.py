"""Center crops of masks, for networks whose unpadded convolutions shrink the output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.data.plan import DataPlan


def crops_of(data: DataPlan | None) -> dict[str, int]:
    """The number of pixels to crop from each edge of a target, by output; only those that are cropped."""
    return {name: need.crop for name, need in data.needs.items() if need.crop} if data is not None else {}


def middle(values: Any, crop: int) -> Any:
    """Crops masks, arrays or tensors (N, H, W, …), by a number of rows and columns at each edge.

    Example:
        >>> import numpy as np
        >>> middle(np.arange(16).reshape(1, 4, 4), 1).tolist()
        [[[5, 6], [9, 10]]]
    """
    return values[:, crop:-crop, crop:-crop] if crop else values


def cropped(group: Mapping[str, Any], crops: Mapping[str, int]) -> dict[str, Any]:
    """Crops each target, or its weights by position; weights by example, (N,), are unchanged."""
    return {name: middle(values, crops.get(name, 0)) if len(values.shape) > 1 else values for name, values in group.items()}
