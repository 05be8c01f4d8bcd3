"""Models whose files were changed at random places: read, or refused with a reason, and never anything else."""

from __future__ import annotations

import copy
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nnspec.diagnostics import SpecError
from nnspec.keras_import import import_file

CASES = sorted((Path(__file__).parents[1] / "cases" / "import").glob("*.keras"))
FEW, MANY = 12, 300

JUNK: list[Any] = [
    None, 0, -1, 3, True, 1.5, float("inf"), float("nan"), "", "x", "a/b", "\ud800", "\x00", [], {}, [[]], [None], 10**30, 2**63, "9" * 400,
    {"class_name": "Dense"}, {"class_name": "__keras_tensor__", "config": {}}, {"class_name": "__slice__", "config": {}}, ["dense", 0, 9999],
    {"class_name": "GlorotUniform", "config": None, "module": "keras.initializers"}, [1] * 50, {"a": {"b": {}}},
]  # fmt: skip


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*place, key)
        yield from _places(item, (*place, key))


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def damaged(config: Any, drawn: random.Random) -> Any:
    """The config with something replaced, removed, or copied from elsewhere."""
    config = copy.deepcopy(config)
    for _ in range(drawn.choice([1, 1, 2, 4])):
        places = list(_places(config))
        *above, last = drawn.choice(places)
        holder, kind = _at(config, tuple(above)), drawn.random()
        if kind < 0.15:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(drawn.choice(JUNK) if kind < 0.85 else _at(config, drawn.choice(places)))
    return config


def read_or_refused(file: Path) -> None:
    try:
        import_file(file).text()
    except SpecError as error:
        assert error.diagnostics and all(len(d.message) < 2000 for d in error.diagnostics)


COUNTS = [FEW, pytest.param(MANY, marks=pytest.mark.full)]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_config_that_was_changed_is_read_or_refused(case, count, tmp_path):
    drawn, file = random.Random(case.stem), tmp_path / "model.keras"
    with zipfile.ZipFile(case) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    for _ in range(count):
        members["config.json"] = json.dumps(damaged(config, drawn)).encode()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        read_or_refused(file)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_file_with_changed_bytes_is_read_or_refused(case, count, tmp_path):
    drawn, file = random.Random(case.stem), tmp_path / "model.keras"
    for _ in range(count):
        data = bytearray(case.read_bytes())
        for _ in range(drawn.choice([1, 1, 4])):
            data[drawn.randrange(len(data))] = drawn.randrange(256)
        file.write_bytes(data)
        read_or_refused(file)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_weights_with_changed_bytes_are_read_or_refused(case, count, tmp_path):
    drawn, file = random.Random(case.stem), tmp_path / "model.keras"
    with zipfile.ZipFile(case) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(count):
        weights = bytearray(members["model.weights.h5"])
        for _ in range(drawn.choice([1, 4, 16])):
            weights[drawn.randrange(len(weights))] = drawn.randrange(256)
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in {**members, "model.weights.h5": bytes(weights)}.items():
                archive.writestr(name, content)
        read_or_refused(file)
