"""What docs/data.md shows is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnspec.data.readers import READERS
from nnspec.data.section import DataSection
from nnspec.data.transforms import TRANSFORMS
from nnspec.spec import check, read_text

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_section_on_the_page_is_good(text):
    problems = []
    tree = read_text(text, "data.md", problems)
    assert check(DataSection, tree.get("data"), problems, name="data") is not None, problems
    assert problems == []


@pytest.mark.parametrize("name", [*READERS.names(), *TRANSFORMS.names()])
def test_every_reader_and_transform_stands_on_the_page(name):
    assert f"`{name}`" in PAGE
