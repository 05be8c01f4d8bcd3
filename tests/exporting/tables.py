"""Tables in memory, and what transforms learn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnspec.data.kinds import Column
from nnspec.data.readers.base import Table
from nnspec.data.transforms import Transform


class ArrayTable(Table):
    """Columns that are arrays."""

    def __init__(self, values: Mapping[str, np.ndarray]) -> None:
        self._values = values
        self.columns = {name: Column(array.shape[1:], array.dtype.name) for name, array in values.items()}

    def __len__(self) -> int:
        return len(next(iter(self._values.values())))

    def read(self, column: str, rows: Any) -> np.ndarray:
        return self._values[column][rows]

    def where(self, column: str, row: int) -> str:
        return f"row {row}, column `{column}`"


def learn(transforms: Sequence[Transform], values: np.ndarray) -> tuple[list[dict[str, Any]], np.ndarray]:
    """What a run says of transforms that learned from values, and what they make of them."""
    reported = []
    for transform in transforms:
        learned = transform.fit([values])
        reported.append(
            {"transform": type(transform).__name__, "arguments": transform.model_dump(mode="json"), "learned": learned}
        )
        values = transform.apply(values, learned)
    return reported, values
