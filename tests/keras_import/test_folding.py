"""Imported specs with blocks and `repeat`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import layers as L  # noqa: N812

import nnspec
from nnspec import from_keras
from nnspec.cli import main
from nnspec.exporting.keras_reference import keras_run
from nnspec.keras_backend import set_weight_arrays
from nnspec.keras_import.imported import _compiled
from nnspec.keras_import.pairing import paired

# Keras writes a variable by `np.array`, which NumPy 2 warns of where TensorFlow holds it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def tower(*filters: int) -> keras.Model:
    """Residual units, and a convolution before each that changes the number of channels."""
    x = image = keras.Input((8, 8, 3), name="image")
    for number, width in enumerate(filters):
        if x.shape[-1] != width:
            x = L.Conv2D(width, 1, name=f"widen {number}")(x)
        y = L.BatchNormalization(name=f"norm_{number}a")(
            L.Conv2D(width, 3, padding="same", use_bias=False, name=f"conv_{number}a")(x)
        )
        y = L.Conv2D(width, 3, padding="same", use_bias=False, name=f"conv_{number}b")(L.ReLU(name=f"relu_{number}")(y))
        x = L.Add(name=f"sum_{number}")([x, L.BatchNormalization(name=f"norm_{number}b")(y)])
    return keras.Model(image, L.Dense(2, name="answer")(L.GlobalAveragePooling2D()(x)))


def test_equal_steps_in_a_row_become_a_block_that_repeats():
    text = from_keras(tower(4, 4, 4)).folded().text()
    assert "  - residual:\n    repeat: 3\n" in text and text.count("Conv2D") == 3


def test_what_differs_becomes_a_param():
    text = from_keras(tower(4, 4, 8, 8)).folded().text()
    assert "params: {filters: int}" in text or "params: {filters: 4}" in text
    assert "{filters: 8}" in text and "filters: $filters" in text


def test_outputs_keep_their_names():
    compiled = _compiled(from_keras(tower(4, 4, 4)).folded().text())
    assert compiled is not None and list(compiled.main.outputs) == ["answer"]


def test_a_spec_without_repetition_stays_as_it_is():
    imported = from_keras(tower(4))
    assert imported.folded() is imported


def test_the_folded_spec_computes_the_same_with_its_weights(tmp_path):
    model = tower(4, 4, 8, 8)
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    folded = from_keras(model).folded()
    folded.write(tmp_path / "net.nnspec.yaml")
    graph = nnspec.compile(nnspec.load(tmp_path / "net.nnspec.yaml", root=tmp_path)).main
    ours = nnspec.to_keras(graph)
    set_weight_arrays(ours, graph, folded.weights)
    [given] = keras_run(ours)({"image": x}).values()
    np.testing.assert_allclose(given, np.asarray(model(x, training=False)), atol=1e-5)
    assert folded.renamed["widen 0"] == "conv2d"


def test_graphs_that_differ_in_an_argument_are_no_pair():
    text = from_keras(tower(4, 4)).text()
    one, other = (
        _compiled(text),
        _compiled(text.replace("padding: same", "padding: valid", 1).replace("padding: valid", "padding: 1", 1)),
    )
    assert one is not None and other is not None and paired(one, one) and paired(one, other) is None


def test_the_command_folds_unless_it_is_reported_not_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tower(4, 4, 4).save("net.keras")
    run = CliRunner().invoke(main, ["import", "net.keras"])
    assert run.exit_code == 0 and "in 1 blocks; `--flat` keeps Keras's" in run.stdout
    assert CliRunner().invoke(main, ["validate", "net.nnspec.yaml"]).exit_code == 0
    assert CliRunner().invoke(main, ["import", "net.keras", "--flat", "--force"]).exit_code == 0
    assert "blocks:" not in (tmp_path / "net.nnspec.yaml").read_text()


def test_rates_in_proportion_to_the_depth_are_an_expression_of_the_counter():
    x = image = keras.Input((4,), name="image")
    for number in range(6):
        x = L.Add()([x, L.Dropout(0.2 * (number + 3) / 79)(L.Dense(4, use_bias=False)(L.LayerNormalization()(x)))])
    text = from_keras(keras.Model(image, L.Dense(2, name="answer")(x))).folded().text()
    assert 'residual: {rate: "${0.2 * (i + 3) / 79}"}\n    repeat: 6\n    as: i\n' in text
