"""The corpus: specs with figures that were computed with hand-written Keras models."""

from __future__ import annotations

import json

import pytest

import nnspec
from tests.conftest import CORPUS

EXPECTED = json.loads((CORPUS / "expected.json").read_text())
LATER = {"unet", "sequence_tagger", "forecaster", "seq2seq", "gan", "siamese"}
"""These use layers that this release does not have."""


@pytest.mark.parametrize("name", [name for name in EXPECTED if name not in LATER])
def test_the_figures_of_a_corpus_spec_are_those_of_the_hand_written_model(name):
    networks = nnspec.inspect(CORPUS / f"{name}.nnspec.yaml")["networks"]
    for network, figures in EXPECTED[name].items():
        found = networks[network]
        assert {key: found[key] for key in figures if key != "outputs"} == {k: v for k, v in figures.items() if k != "outputs"}
        assert {output: type_["shape"] for output, type_ in found["outputs"].items()} == figures["outputs"]


@pytest.mark.parametrize("name", sorted(LATER))
def test_a_corpus_spec_of_later_layers_fails_for_these_alone(name):
    codes = {d.code for d in nnspec.validate(CORPUS / f"{name}.nnspec.yaml") if d.is_error}
    assert codes <= {"NN204", "NN103", "NN108"}
