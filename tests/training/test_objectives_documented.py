"""What docs/objectives.md shows is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnspec.spec import check, read_text
from nnspec.training.objectives import OBJECTIVES
from nnspec.training.section import TrainSection

PAGE = (Path(__file__).parents[2] / "docs" / "objectives.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_section_on_the_page_is_good(text):
    problems = []
    tree = read_text(text, "objectives.md", problems)
    assert check(TrainSection, tree.get("train"), problems, name="train") is not None, problems


@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_every_objective_and_each_of_its_arguments_stands_on_the_page(name):
    assert f"| `{name}` |" in PAGE
    assert [argument for argument in OBJECTIVES.get(name).model_fields if f"`{argument}" not in PAGE] == []


@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_every_objective_and_each_of_its_arguments_is_explained(name):
    config = OBJECTIVES.get(name)
    assert config.__doc__
    assert [argument for argument, field in config.model_fields.items() if not field.description] == []
