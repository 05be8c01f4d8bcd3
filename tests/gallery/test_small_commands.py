"""The networks of the gallery can be made small, by the command in their first lines."""

from __future__ import annotations

import pytest

from nnspec.graph import compile
from nnspec.spec import load
from tests.gallery.commands import SPECS, small_overrides


def test_segnet_has_29_45_million_trainable_parameters():
    assert round(compile(load(SPECS / "segnet.nnspec.yaml")).main.trainable_parameters / 1e6, 2) == 29.45


SMALL = [file for file in sorted(SPECS.glob("*.nnspec.yaml")) if small_overrides(file)]


@pytest.mark.parametrize("file", SMALL, ids=lambda file: file.name.partition(".")[0])
def test_the_command_of_a_published_network_trains_a_small_one(file):
    assert compile(load(file, small_overrides(file))).main.parameters < 2_000_000
