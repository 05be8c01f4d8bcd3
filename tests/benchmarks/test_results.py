"""What is published is reached by specs of the gallery, whose data can be fetched and which have an example."""

from __future__ import annotations

import pytest

import nnspec
from benchmarks.results import RESULTS, ROOT, Trained, rows
from examples.fetch.__main__ import SETS


@pytest.mark.parametrize("name", RESULTS)
def test_the_spec_of_a_result_is_good_and_its_data_can_be_fetched(name):
    published = RESULTS[name]
    spec = nnspec.load(ROOT / "specs" / f"{published.spec}.nnspec.yaml", published.overrides)
    assert nnspec.compile(spec).main.outputs
    assert published.data in SETS


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_has_an_example_that_fetches_and_trains_it(name):
    scripts = [file.read_text("utf-8") for file in ROOT.glob("examples/*/run.sh")]
    published = RESULTS[name]
    assert any(f"specs/{published.spec}.nnspec.yaml" in text and published.data in text for text in scripts)


def test_a_row_has_the_mean_of_the_seeds():
    runs = [Trained({"": (reached, 0.9)}, 1.0, True) for reached in (0.8, 1.0)]
    [(row, each)] = rows(RESULTS["spam"], runs)
    assert (row.ours, row.peer, each) == (pytest.approx(0.9), pytest.approx(0.9), [0.8, 1.0])
