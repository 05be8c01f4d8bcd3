"""The garbage collector rests while a spec is checked, and only then."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnspec import api
from nnspec.spec.collector import collector_paused


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    yield
    gc.enable()


def test_the_collector_runs_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="stop"), collector_paused():
        raise ValueError("stop")
    assert gc.isenabled()


def test_the_collector_stays_paused_until_the_outer_block_ends() -> None:
    with collector_paused():
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_the_caller_disabled_stays_disabled() -> None:
    gc.disable()
    with collector_paused():
        pass
    assert not gc.isenabled()


def test_validate_makes_no_collection_of_the_oldest_generation(tmp_path: Path) -> None:
    spec = tmp_path / "net.nnspec.yaml"
    spec.write_text("nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n" + "  - Dense: {units: 4}\n" * 2_000)
    before = gc.get_stats()[2]["collections"]
    assert api.validate(spec) == []
    assert gc.get_stats()[2]["collections"] == before
    assert gc.isenabled()
