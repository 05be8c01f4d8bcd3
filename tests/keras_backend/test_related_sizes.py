"""Free sizes that are equal, or computed from each other: the Keras layer keeps their relations."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

import nnspec
from nnspec.graph import Graph
from nnspec.keras_backend.run import keras_run


def _compiled(text: str, folder: Path) -> Graph:
    file = folder / "net.nnspec.yaml"
    file.write_text(text)
    return nnspec.compile(nnspec.load(file, root=folder)).main


def test_a_reshape_to_the_size_of_another_input_builds_and_is_saved(tmp_path):
    text = "nnspec: 1\nname: net\ninputs: {a: [T, 2, 8], b: [T]}\nlayers:\n  - Compute: reshape(a, [b.shape[1], -1])\n"
    model = nnspec.to_keras(_compiled(text, tmp_path))
    model.save(tmp_path / "model.keras")
    inputs = {"a": np.zeros((3, 6, 2, 8), "float32"), "b": np.zeros((3, 6), "float32")}
    for one in (model, keras.models.load_model(tmp_path / "model.keras")):
        assert [given.shape for given in keras_run(one)(inputs).values()] == [(3, 6, 16)]


def test_a_size_computed_from_another_is_known_to_be(tmp_path):
    text = (
        "nnspec: 1\nname: net\ninputs: {b: [T]}\nlayers:\n"
        '  - Compute: "repeat(expand_dims(b, 2), 2, axis=1)"\n    name: twice\n'
        '  - Compute: "reshape(twice, [b.shape[1], -1])"\n'
    )
    model = nnspec.to_keras(_compiled(text, tmp_path))
    assert [given.shape for given in keras_run(model)({"b": np.zeros((3, 6), "float32")}).values()] == [(3, 6, 2)]


def test_a_network_used_at_two_lengths_builds(tmp_path):
    text = (
        "nnspec: 1\nname: net\ninputs: {long: [T, 2], longer: [S, 2]}\n"
        'networks:\n  gram:\n    inputs: {a: [L, 2], b: [L]}\n    layers:\n      - Compute: "reshape(a, [b.shape[1], -1])"\n'
        'layers:\n  - Compute: "long[:, :, 0]"\n    name: first\n  - Compute: "longer[:, :, 0]"\n    name: second\n'
        "  - gram:\n    name: one\n    from: {a: long, b: first}\n  - gram:\n    name: two\n    from: {a: longer, b: second}\n"
        "outputs: {one: one, two: two}\n"
    )
    model = nnspec.to_keras(_compiled(text, tmp_path))
    inputs = {"long": np.zeros((3, 4, 2), "float32"), "longer": np.zeros((3, 5, 2), "float32")}
    assert [given.shape for given in keras_run(model)(inputs).values()] == [(3, 4, 2), (3, 5, 2)]
