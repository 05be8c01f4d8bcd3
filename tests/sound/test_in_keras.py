"""What Keras is asked about refused specs, and not asked because its kernels end the process."""

from __future__ import annotations

from random import Random

import pytest
import yaml

from .in_keras import runs_in_keras


@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize(("shape", "sizes"), [("[T, 2]", {"T": 3}), ("[2, 2]", None), ("[4, 2]", {})])
def test_an_adaptive_pooling_is_not_run_with_more_windows_than_positions(kind, shape, sizes) -> None:
    """TensorFlow's kernel divides by 0, so the test run itself would end."""
    spec = f"inputs: {{x: {shape}}}\nlayers:\n- Adaptive{kind}Pooling1D: {{output_size: 3}}\n"
    assert runs_in_keras(yaml.safe_load(spec), Random(0)) == sizes


def test_nor_is_one_within_a_layer_of_steps() -> None:
    spec = "inputs: {x: [2, 2, 2]}\nlayers:\n- TimeDistributed: {layer: {AdaptiveMaxPooling1D: {output_size: 3}}}\n"
    assert runs_in_keras(yaml.safe_load(spec), Random(0)) is None
