"""Rotations of real digits are predicted better than by chance after a few epochs."""

from __future__ import annotations

from pathlib import Path

from nnspec.spec import load
from nnspec.training import train

SPEC = Path(__file__).parents[1] / "rotation.nnspec.yaml"


def test_rotations_of_digits_are_predicted_after_a_few_epochs(tmp_path):
    run = train(load(SPEC, ("train.epochs=4",)), out=tmp_path / "run")
    assert run.metrics()[-1]["val_rotation_accuracy"] > 0.7
