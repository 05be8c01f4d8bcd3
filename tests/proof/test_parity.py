"""Parity on trial: correct files pass by either bound, also where ONNX Runtime rounds otherwise; files with a mistake by none.

``python -m benchmarks parity`` runs hundreds.
"""

from __future__ import annotations

import pytest

from benchmarks.parity import AROUND, correct, mistaken
from tests.conftest import FULL

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*softmax over axis -1 of a tensor of shape", "ignore:.*invalid value encountered"
)
COUNT = 60 if FULL else 3


def test_a_correct_file_passes_by_either_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert correct(COUNT, seed=7) == 0, capsys.readouterr().out


@pytest.mark.parametrize("kind", AROUND)
def test_a_file_with_a_mistake_passes_by_neither_bound(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mistaken(COUNT - 1, 7, kind) == 0, capsys.readouterr().out
