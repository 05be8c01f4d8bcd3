"""The corpus: specs with figures that were computed with hand-written Keras models."""

from __future__ import annotations

import json

import pytest

import nnspec
from tests.conftest import CORPUS

EXPECTED = json.loads((CORPUS / "expected.json").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_the_figures_of_a_corpus_spec_are_those_of_the_hand_written_model(name):
    networks = nnspec.inspect(CORPUS / f"{name}.nnspec.yaml")["networks"]
    for network, figures in EXPECTED[name].items():
        found = networks[network]
        assert {key: found[key] for key in figures if key != "outputs"} == {k: v for k, v in figures.items() if k != "outputs"}
        assert {output: type_["shape"] for output, type_ in found["outputs"].items()} == figures["outputs"]
