"""The most probable classes of predictions, as `nnspec predict` shows them."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.cli.predict_command import _cell, _ranked
from nnspec.data.kinds import DecisionRule
from nnspec.runtime.predicting import Predictions


def table(outputs: dict[str, list], classes: dict[str, list] | None = None, **answers: DecisionRule) -> list[dict[str, str]]:
    found = Predictions({name: np.array(values, np.float32) for name, values in outputs.items()}, classes or {}, answers)
    return [{name: _cell(value) for name, value in _ranked(found, row).items()} for row in found.rows()]


def test_a_class_is_shown_with_its_probability_and_the_next_two():
    shown = table({"pet": [[0.1, 0.2, 0.65, 0.05]]}, {"pet": ["ant", "bee", "cat", "dog"]})
    assert shown == [{"row": "0", "pet": "cat", "probability": "65.0 %", "next": "bee 20.0 %, ant 10.0 %"}]


def test_the_probability_of_yes_or_no_is_that_of_the_predicted_class():
    rule = DecisionRule("yes_or_no")
    shown = table({"spam": [[0.2], [0.9]]}, {"spam": ["ham", "spam"]}, spam=rule)
    assert [(row["spam"], row["probability"]) for row in shown] == [("ham", "80.0 %"), ("spam", "90.0 %")]


@pytest.mark.parametrize("values", [[2.5, -1.0, 0.3], [0.9, 0.8, 0.7]])
def test_scores_that_are_no_probabilities_are_shown_as_numbers(values):
    [row] = table({"pet": [values]}, {"pet": ["ant", "bee", "cat"]})
    assert row["pet_class"] == "ant"
    assert row["pet"] == "[" + ", ".join(f"{value:.4g}" for value in values) + "]"


def test_several_outputs_have_columns_of_their_own():
    [row] = table({"a": [[0.25, 0.75]], "b": [[42.3098]]}, b=DecisionRule("number"))
    assert row == {"row": "0", "a": "1", "a probability": "75.0 %", "b": "42.31"}


def test_the_rows_for_scripts_have_all_numbers():
    found = Predictions({"pet": np.array([[0.25, 0.75]])}, {"pet": ["ant", "bee"]})
    assert list(found.rows()) == [{"row": 0, "pet_class": "bee", "pet": [0.25, 0.75]}]
