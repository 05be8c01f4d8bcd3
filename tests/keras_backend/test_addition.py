"""Sums of tensors that broadcast, in training: batches then have a fixed size, which can equal the size of another axis."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from nnspec.graph import compile
from nnspec.keras_backend import to_keras
from nnspec.keras_backend.layers.addition import add
from nnspec.spec import load

SHAPES = [
    ((1, 4), (4, 1)),
    ((4, 4), (4, 1)),
    ((4, 4, 4), (1, 4, 1)),
    ((1, 4, 4), (4, 1, 1)),
    ((4, 1), (1, 4)),
    ((2, 4), (4,)),
    ((4,), (4, 1)),
    ((2, 4, 1), (4,)),
    ((4, 4, 1), (4,)),
    ((2, 4, 1, 1), (4,)),
    ((2, 4, 1), (1,)),
]


@pytest.mark.parametrize(("one", "other"), SHAPES)
def test_a_sum_broadcasts_as_in_numpy(one, other):
    a, b = (np.random.default_rng(seed).normal(size=shape).astype("float32") for seed, shape in enumerate((one, other)))
    np.testing.assert_array_equal(np.asarray(add(keras.ops.array(a), keras.ops.array(b))), a + b)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [("Add", lambda a, b: a + b), ("Average", lambda a, b: (a + b) / 2), ("Compute: a + b", lambda a, b: a + b)],
)
@pytest.mark.parametrize(("wide", "narrow"), [([4], [1]), ([4, 4], [1, 4]), ([4, 4], [4, 1])])
def test_inputs_that_broadcast_add_up_in_batches_of_any_fixed_size(tmp_path, layer, expected, wide, narrow):
    step = f"{layer}\n    from: [a, b]" if layer != "Compute: a + b" else layer
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(
        f"nnspec: 1\nname: net\ninputs: {{a: {wide}, b: {narrow}}}\nlayers:\n  - {step.replace('Add', 'Add: {}').replace('Average', 'Average: {}')}\n"
    )
    model = to_keras(compile(load(file)).main, seed=0)
    for batch in (1, 4, 5):
        a, b = (
            np.random.default_rng(s).normal(size=(batch, *sizes)).astype("float32") for s, sizes in enumerate((wide, narrow))
        )
        [found] = model({"a": keras.ops.array(a), "b": keras.ops.array(b)}).values()
        np.testing.assert_allclose(np.asarray(found), expected(a, b), rtol=1e-6)
