"""Cells of papers, written with tensor expressions: both lowerings agree, and decoders decode alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generation.documents import models_of, tokens_by

from .specs import proven

PAPERS = {file.name.partition(".")[0]: file.read_text("utf-8") for file in sorted((Path(__file__).parent / "papers").iterdir())}


@pytest.mark.parametrize("name", PAPERS)
def test_a_cell_of_a_paper_agrees_in_shapes_masks_weights_and_values(name: str) -> None:
    proven(PAPERS[name])


def test_a_decoder_with_input_feeding_decodes_alike_in_the_graph_step_by_step_and_in_keras() -> None:
    found = tokens_by(models_of(PAPERS["input_feeding"]), 6)
    assert found["in graph"] == found["in Keras"]
    assert found["stepped"] == found["in Keras"]
    assert len({tuple(row) for row in found["in Keras"]}) > 1
