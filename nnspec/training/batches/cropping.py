"""The middle of a mask: what is compared where convolutions without padding leave the borders out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.data.plan import DataPlan

__all__ = ["cropped", "crops_of", "middle"]


def crops_of(data: DataPlan | None) -> dict[str, int]:
    """How much is cut from each side of a target, by output; those of which nothing is are left out."""
    return {name: need.crop for name, need in data.needs.items() if need.crop} if data is not None else {}


def middle(values: Any, crop: int) -> Any:
    """Masks, arrays or tensors (N, H, W, …), without so many rows and columns at each group_.

    Example:
        >>> import numpy as np
        >>> middle(np.arange(16).reshape(1, 4, 4), 1).tolist()
        [[[5, 6], [9, 10]]]
    """
    return values[:, crop:-crop, crop:-crop] if crop else values


def cropped(group: Mapping[str, Any], crops: Mapping[str, int]) -> dict[str, Any]:
    """The middle of each target, or of each weight of its positions; a weight of a whole example, (N,), stays."""
    return {name: middle(values, crops.get(name, 0)) if len(values.shape) > 1 else values for name, values in group.items()}
