"""An autoencoder's report: what it gives back, and what lies among its codes."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.encoder_split import split_encoder
from nnspec.reports import to_page
from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

VARIATIONAL = """nnspec: 1
name: digits
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 16, activation: relu}
    name: hidden
  - Dense: {units: 3}
    name: mean
  - Dense: {units: 3}
    name: log_variance
    from: hidden
  - Sampling: {return_divergence: true}
    name: code
    from: {mean: mean, log_variance: log_variance}
  - Dense: {units: 64, activation: sigmoid}
    from: code.output
  - Reshape: {target_shape: [8, 8, 1]}
    name: restored
outputs: {restored: restored, divergence: code.divergence}
data: {train: {builtin: digits}, validation: 0.2, inputs: {image: {column: image}}}
train:
  objective: autoencoder
  epochs: 1
  seed: 3
  optimizer: Adam
  loss: {restored: BinaryCrossentropy, divergence: Value}
"""

CHAIN = "nnspec: 1\nname: net\ninputs: {{x: [8]}}\nlayers:\n{layers}"


@pytest.fixture(scope="module")
def variational(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("variational")
    file = folder / "net.nnspec.yaml"
    file.write_text(VARIATIONAL, encoding="utf-8")
    return train(load(file), out=folder / "run", progress=Quiet())


def test_the_codes_of_an_autoencoder_are_shown_coloured_by_what_the_data_say(variational):
    page = to_page(variational)
    assert "code: 3 numbers for 64" in page
    assert "codes of examples" in page
    assert ">target<" in page


def test_pictures_given_back_between_codes_and_drawn_are_shown(variational):
    page = to_page(variational)
    for label in ("restored", "between codes", "drawn codes"):
        assert f'alt="{label}"' in page


def test_codes_of_a_network_that_draws_none_are_not_drawn(tmp_path):
    plain = VARIATIONAL[: VARIATIONAL.index("    name: mean")] + "    name: code\n"
    text = plain + VARIATIONAL[VARIATIONAL.index("  - Dense: {units: 64") :].replace("code.output", "code")
    text = text.replace(", divergence: code.divergence", "").replace(", divergence: Value", "")
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(text, encoding="utf-8")
    page = to_page(train(load(file), out=tmp_path / "run", progress=Quiet()))
    assert 'alt="between codes"' in page
    assert 'alt="drawn codes"' not in page


def test_both_halves_one_after_the_other_are_the_whole(variational):
    graph, weights = variational.main, variational.weights()
    cut = split_encoder(graph, "image", "restored")
    images = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)
    [name] = cut.after.inputs
    given = keras_reference(cut.after, weights)({name: keras_reference(cut.before, weights)({"image": images})["code"]})
    np.testing.assert_allclose(given["restored"], keras_reference(graph, weights)({"image": images})["restored"], atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        ("  - Dense: {units: 3}\n  - ReLU\n  - Dense: {units: 8}\n", "relu"),
        ("  - Dense: {units: 9}\n  - Dense: {units: 8}\n", None),
        ("  - Residual: {layers: [Dense: {units: 3}, Dense: {units: 8}]}\n", None),
        ("  - Dense: {units: 8}\n", None),
    ],
)
def test_a_network_is_cut_where_it_is_narrowest_and_everything_passes(checked, layers, code):
    model, problems = checked(CHAIN.format(layers=layers))
    assert not problems
    [output] = model.main.outputs
    cut = split_encoder(model.main, "x", output)
    assert (cut.code.source if cut else None) == code
