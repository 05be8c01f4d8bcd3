"""Specs that are dicts: the same meaning as a file, and diagnostics that name the path of a key."""

from __future__ import annotations

import numpy as np
import pytest

import nnspec
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.diagnostics.render import render

NET = {"nnspec": 1, "name": "net", "inputs": {"x": [4]}, "layers": ["Flatten", {"Dense": {"units": 3}}]}


def test_a_dict_is_the_same_spec_as_its_file():
    file = nnspec.load("specs/digits.nnspec.yaml")
    again = nnspec.load(file.document.plain())
    assert again.hash == file.hash
    assert nnspec.diff(file, again).is_empty


def test_diagnostics_of_a_dict_name_paths_in_the_order_of_the_document():
    wrong = {**NET, "layers": [{"Dense": {"unitz": 3}}, {"Dense": {"units": -1}}], "params": {"w": 3}}
    assert [str(problem.span) for problem in nnspec.validate(wrong)] == [
        "the spec: layers[0].Dense.unitz",
        "the spec: layers[1].Dense.units",
        "the spec: params.w",
    ]
    with pytest.raises(SpecError, match=r"the spec: layers\[0\]\.Dense\.unitz: error\[NN103\]: unknown key `unitz`"):
        nnspec.load(wrong)
    assert "--> the spec: layers[0].Dense.unitz\n" in render(nnspec.validate(wrong)[0])


def test_a_missing_key_of_a_dict_is_located_at_the_document():
    [problem] = nnspec.validate({"nnspec": 1})
    assert str(problem.span) == "the spec: the document"
    assert problem.message == "a spec requires `name`"


def test_equal_errors_of_a_dict_are_all_reported():
    wrong = {**NET, "layers": [{"Dense": {"units": 0}}, {"Dense": {"units": 0}}]}
    assert len(nnspec.validate(wrong)) == 2


def test_expressions_overrides_and_numbers_of_numpy_are_read():
    document = {**NET, "params": {"width": np.int64(3)}, "layers": [{"Dense": {"units": "$width"}}, {"Dense": {"units": 2}}]}
    assert nnspec.compile(nnspec.load(document, ["params.width=5"])).main.parameters == 5 * 5 + 6 * 2
    assert nnspec.inspect({**NET, "inputs": {"x": (4,)}})["networks"]["main"]["parameters"] == 15


def test_a_string_of_digits_is_no_number():
    [problem] = nnspec.validate({**NET, "layers": [{"Dense": {"units": "3"}}]})
    assert problem.path == "layers[0].Dense.units"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({3}, r"the spec: layers\[0\]\.Dense\.units: a value has the unsupported type `set`"),
        (b"3", "a value has the unsupported type `bytes`"),
        (3j, "a value has the unsupported type `complex`"),
        (np.arange(3), "a value has the unsupported type `ndarray`"),
        ({(1, 2): 3}, "a key has the unsupported type `tuple`"),
        ("x" * 100_000, "a string of 100,000 characters"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_that_no_document_has_is_refused_at_its_path(value, message):
    with pytest.raises(NnspecError, match=message):
        nnspec.load({**NET, "layers": [{"Dense": {"units": value}}]})


def test_a_dict_that_contains_itself_is_refused():
    document = dict(NET)
    document["params"] = document
    with pytest.raises(NnspecError, match="nested more than 100 levels deep"):
        nnspec.load(document)
