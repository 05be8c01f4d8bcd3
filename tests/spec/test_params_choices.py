"""Params that choose a definition."""

from __future__ import annotations

CHOICE = """nnspec: 1
name: net
params: {score: {default: one, one_of: [one, two]}}
blocks:
  one:
    layers: [ReLU]
  two:
    layers: [Dense: {units: 3}]
  three:
    layers: [ReLU]
inputs: {x: [4]}
layers:
  - $score:
  - Dense: {units: 2}
"""


def test_blocks_that_a_param_chooses_between_are_not_unused(checked):
    for override in ("params.score=one", "params.score=two"):
        model, problems = checked(CHOICE, override)
        assert model is not None
        assert [problem.message for problem in problems] == ["unused block `three`"]
