"""The report of a run and the comparison of two, in a browser."""

from __future__ import annotations

import pytest

from nnspec.reports import write_report
from nnspec.run_comparison import compare_runs
from nnspec.run_comparison.page import write_comparison
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet
from tests.browser.conftest import LOOKS, has_no_overflow

pytest.importorskip("keras")
pytestmark = pytest.mark.full
SPEC = """nnspec: 1
name: digits
description: "<script>alert(1)</script>"
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 4, kernel_size: 3}
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.2, targets: {digit: {column: target}}}
train: {epochs: 2, loss: SparseCategoricalCrossentropy, metrics: [SparseCategoricalAccuracy]}
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    (folder / "nnspec.toml").touch()
    (folder / "net.nnspec.yaml").write_text(SPEC)
    for number in (1, 2):
        train(load(folder / "net.nnspec.yaml", [f"train.epochs={number}"]), out=folder / f"run{number}", progress=Quiet())
    report = write_report(folder / "run1", folder / "report.html")
    compared = write_comparison(compare_runs(folder / "run1", folder / "run2"), folder / "compare.html")
    return {"report": report.path.as_uri(), "compare": compared.as_uri()}


@pytest.mark.parametrize("name", ["report", "compare"])
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_has_no_violations(browser, violations, pages, name, width, scheme):
    with browser.opened(pages[name], width, scheme) as page:
        assert violations(page) == []
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert violations(page) == []
        assert has_no_overflow(page)


@pytest.mark.parametrize("name", ["report", "compare"])
def test_a_print_is_light(browser, pages, name):
    with browser.opened(pages[name], scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
