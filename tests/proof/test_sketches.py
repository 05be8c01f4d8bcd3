"""Systems of the literature in the language of expressions and cells: each is built, and its ONNX file is proven."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnspec
from tests.proof.judge import judge

SKETCHES = sorted(Path(__file__).with_name("sketches").glob("*.nnspec.yaml"))
TAGGER = Path(__file__).parents[2] / "specs/crf_tagger.nnspec.yaml"


@pytest.mark.parametrize("path", [*SKETCHES, TAGGER], ids=lambda path: path.name.partition(".")[0])
def test_a_sketch_is_the_same_four_ways(path: Path) -> None:
    spec = nnspec.load(path)
    for graph in nnspec.compile(spec).networks.values():
        judge(graph)
