"""What white is in the pictures that a model was trained on."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.kinds import Column
from nnspec.data.readers.base import Table
from nnspec.exporting.output_metadata import with_white_levels


class Pictures(Table):
    def __init__(self, values):
        self.columns = {"image": Column(values.shape[1:], values.dtype.name)}
        self._values = values

    def read(self, column, rows):
        return self._values[rows]


@pytest.mark.parametrize(
    ("values", "white"),
    [
        (np.zeros((2, 4, 4, 3), np.uint8), 255),
        (np.full((2, 4, 4, 1), 0.7), 1),
        (np.full((2, 4, 4), 200.0), 255),
        (np.full((2, 4, 4), -0.1), None),
        (np.full((2, 4, 4), 300.0), None),
        (np.zeros((2, 4, 4, 7), np.uint8), None),
        (np.zeros((2, 4)), None),
    ],
)
def test_white_is_known_of_what_can_be_a_picture(values, white):
    recipe = {"inputs": {"x": {"columns": ["image"], "stacked": False, "transforms": []}}}
    assert with_white_levels(recipe, Pictures(values))["inputs"]["x"].get("white") == white


def test_what_no_data_feed_stays_as_it_is():
    assert with_white_levels({}, Pictures(np.zeros((1, 2, 2)))) == {}
