"""The table of the gallery."""

from __future__ import annotations

import re

import pytest

import nnspec
from benchmarks.gallery import ROOT, SPECS, TABLE, read_gallery, shown_networks, table_text

ENTRIES = dict(read_gallery().entries())


def test_each_spec_has_one_entry() -> None:
    names = [name for name, _ in read_gallery().entries()]
    assert sorted(names) == sorted(file.name.removesuffix(".nnspec.yaml") for file in SPECS.glob("*.nnspec.yaml"))


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.parameters or entry.trainable])
def test_a_published_number_of_parameters_is_that_of_the_spec(name: str) -> None:
    entry = ENTRIES[name]
    graphs = shown_networks(nnspec.compile(nnspec.load(SPECS / f"{name}.nnspec.yaml")), entry.network).values()
    if entry.parameters is not None:
        assert sum(graph.parameters for graph in graphs) == entry.parameters
    if entry.trainable is not None:
        assert sum(graph.trainable_parameters for graph in graphs) == entry.trainable


def test_the_files_of_commands_exist() -> None:
    files = {file for entry in ENTRIES.values() for file in re.findall(r"\b(?:specs|examples)/[\w./]+", entry.command)}
    assert {file for file in files if not (ROOT / file).exists()} == set()


def test_a_result_has_a_command() -> None:
    assert [name for name, entry in ENTRIES.items() if entry.result and not entry.command] == []


def test_the_table_is_current() -> None:
    assert TABLE.read_text("utf-8") == table_text(read_gallery())
