"""Learning curves of the trainings of tests: a fifth of the time of a short training, and mostly the same drawing again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def curves_drawn_once() -> Iterator[None]:
    """Draws one log of each kind: with the same number of epochs, best epoch, names, and kinds of values."""
    from nnspec.training.run import curves

    draw, drawn = curves.curves, {}

    def draw_once(records: list[dict[str, Any]], title: str, best_epoch: int = 0, **options: Any) -> bytes:
        kind = (
            best_epoch,
            *options.items(),
            *(tuple((name, _kind(value)) for name, value in record.items()) for record in records),
        )
        if kind not in drawn:
            drawn[kind] = draw(records, title, best_epoch, **options)
        return drawn[kind]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "curves", draw_once)
        yield


def _kind(value: Any) -> tuple[type, bool]:
    return type(value), isinstance(value, float) and math.isfinite(value)
