"""Each layer is what it says, in Keras and in ONNX Runtime alike."""

from __future__ import annotations

import pytest
from nnspec_example_layers.gated import GatedLinearUnit
from nnspec_example_layers.response import LocalResponseNormalization

from nnspec.testing import Input, prove


@pytest.mark.parametrize("opset", [17, 23, 25])
@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (GatedLinearUnit(units=3), Input((4,))),
        (GatedLinearUnit(units=3, activation="silu", use_bias=False), Input(("T", 4), masked=True)),
        (
            GatedLinearUnit(units=2, activation="gelu", kernel_initializer="he_normal", kernel_regularizer="L2"),
            Input((5, "W", 4)),
        ),
        (LocalResponseNormalization(), Input(("H", "W", 6))),
        (LocalResponseNormalization(size=3, k=1.0, alpha=0.5, beta=0.5), Input(("T", 4), masked=True)),
    ],
    ids=str,
)
def test_a_layer_is_what_it_says(layer, inputs, opset):
    assert prove(layer, inputs, opset=opset).agrees
