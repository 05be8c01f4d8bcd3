"""Every layer alone, with arguments and sizes drawn at random, through the four-way proof."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from nnspec.layers import LAYERS
from nnspec.layers.base import LayerError
from tests.conftest import FULL

from ..layers.cases import Case
from ..layers.drawn import draw_case, drawn
from .judge import Unproven, judge

CASES = 100 if FULL else 2


DRAWN = [name for name in LAYERS.names() if name != "Compute"]  # its functions are proven in tests/functions


@pytest.mark.filterwarnings("ignore:.*softmax over axis -1 of a tensor of shape")
@pytest.mark.parametrize("op", DRAWN)
@settings(
    max_examples=CASES,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
@given(data=st.data())
def test_a_drawn_layer_is_the_same_four_ways(op: str, data: st.DataObject) -> None:
    case = data.draw(drawn(op))
    try:
        graph = case.graph()
    except (LayerError, ValueError):
        assume(False)
    try:
        judge(graph)
    except Unproven:
        assume(False)


@pytest.mark.parametrize("op", DRAWN)
def test_every_argument_of_a_layer_is_drawn(op: str) -> None:
    cases = [draw_case(Random(number), op, fitting=False) for number in range(300)]
    assert {name for case in cases for name in case.arguments} == set(LAYERS.get(op).model_fields)


@pytest.mark.parametrize("op", DRAWN)
def test_most_drawn_cases_of_a_layer_fit(op: str) -> None:
    def fits(case: Case) -> bool:
        try:
            case.graph()
        except (LayerError, ValueError):
            return False
        return True

    assert sum(fits(draw_case(Random(number), op)) for number in range(20)) >= 15
