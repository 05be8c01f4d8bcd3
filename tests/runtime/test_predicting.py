"""What predictions say of each row."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.kinds import DecisionRule
from nnspec.runtime.predicting import Predictions


def reported(values, answer=None, classes=None):
    known = {"out": answer} if answer else {}
    rows = Predictions({"out": np.array(values, np.float32)}, {"out": classes} if classes else {}, known).rows()
    return [row.get("out_class") for row in rows]


def test_of_several_classes_the_likeliest_is_named():
    assert reported([[0.1, 0.9], [0.8, 0.2]], DecisionRule("class"), ["ham", "spam"]) == ["spam", "ham"]


@pytest.mark.parametrize(("values", "above"), [([[0.4], [0.6]], 0.5), ([[-0.1], [0.1]], 0.0)])
def test_a_single_unit_names_the_second_class_above_its_threshold(values, above):
    assert reported(values, DecisionRule("yes_or_no", above), ["ham", "spam"]) == ["ham", "spam"]
    assert reported(values, DecisionRule("yes_or_no", above)) == [0, 1]


def test_several_units_of_yes_or_no_have_no_one_class():
    assert reported([[0.9, 0.8]], DecisionRule("yes_or_no")) == [None]


def test_numbers_have_no_class():
    assert reported([[3.0, 1.0, 2.0]], DecisionRule("number")) == [None]


def test_a_file_that_does_not_say_what_it_answers_is_taken_for_one_of_classes():
    assert reported([[0.1, 0.9]]) == [1]
