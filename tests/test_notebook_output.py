"""What Python and notebooks show of specs, networks, runs, reports and predictors."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

import nnspec
from nnspec.training.loop.progress import Quiet

HOSTILE = "<script>alert(1)</script>"
SPEC = {
    "nnspec": 1,
    "name": "net",
    "description": HOSTILE,
    "inputs": {"facts": [1]},
    "layers": [{"Dense": {"units": 4}}, {"Dense": {"units": 2, "activation": "softmax"}, "name": "kind"}],
    "data": {
        "validation": 0.25,
        "inputs": {"facts": {"columns": [HOSTILE]}},
        "targets": {"kind": {"column": "kind", "transform": ["label_encode"]}},
    },
    "train": {"epochs": 2, "seed": 1, "loss": "SparseCategoricalCrossentropy"},
}
ROWS = {HOSTILE: [float(i) for i in range(16)], "kind": [HOSTILE, "<b>"] * 8}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("keras")
    return nnspec.train(SPEC, data=ROWS, out=tmp_path_factory.mktemp("shown") / "run", progress=Quiet())


@pytest.fixture(scope="module")
def report(run):
    return nnspec.report(run, run.path.with_name("page.html"))


class Tags(HTMLParser):
    """Collects tags, and checks that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in ("img", "path", "use", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag) -> None:
        if tag not in ("path", "use", "rect"):
            assert self.open.pop() == tag


def tags(markup: str) -> set[str]:
    reading = Tags()
    reading.feed(markup)
    assert reading.open == []
    return reading.tags


def test_a_spec_and_a_network_are_described_in_one_line():
    spec = nnspec.load(SPEC)
    assert repr(spec) == "<Spec net from the spec: 2 steps; data, train>"
    model = nnspec.compile(spec)
    assert repr(model.main) == "<Graph main: facts (1) → kind (2): 2 layers, 18 parameters>"
    assert repr(model) == "<Model net: main: facts (1) → kind (2): 2 layers, 18 parameters>"


def test_a_run_a_report_and_a_predictor_are_described_in_one_line(run, report):
    assert re.fullmatch(r"<Run .*run: net, finished, 2 epochs, val_loss [\d.]+ in epoch \d>", repr(run))
    assert repr(report) == f"<Report {report.path}: net>"
    assert str(report) == str(report.path)
    nnspec.export(run, run.path / "net.onnx")
    predictor = nnspec.Predictor(run.path / "net.onnx")
    assert repr(predictor) == f"<Predictor {predictor.path}: facts (batch, 1) float32 → kind (batch, 2) float32>"
    predictions = nnspec.predict_run(run, ROWS)
    assert repr(predictions) == "<Predictions of 16 rows: kind (2,)>"
    for shown in (run, report, predictor, predictions):
        assert "\n" not in repr(shown)


def test_a_notebook_shows_the_layers_of_a_spec_folded():
    for shown in (nnspec.load(SPEC), nnspec.compile(nnspec.load(SPEC)), nnspec.compile(nnspec.load(SPEC)).main):
        markup = shown._repr_html_()
        assert "<summary>main: facts (1) → kind (2): 2 layers, 18 parameters</summary>" in markup
        assert re.search(r"<td>kind</td><td>Dense</td><td>2</td><td>float32</td><td class=\"n\">10</td>", markup)
        assert "script" not in tags(markup)


def test_a_notebook_shows_the_errors_of_a_spec_that_does_not_compile():
    wrong = {**SPEC, "layers": [{"Reshape": {"target_shape": [7]}}, {"Dense": {"units": 2}, "name": "kind"}]}
    markup = nnspec.load(wrong)._repr_html_()
    assert "the spec: layers[0].Reshape" in markup
    assert "error[NN" in markup


def test_a_notebook_shows_metrics_and_curves_of_a_run(run):
    markup = run._repr_html_()
    assert "learning curves" in markup
    assert re.search(r"<td>loss</td><td class=\"n\"[^>]*>[\d.]+</td><td class=\"n\"[^>]*>[\d.]+</td>", markup)
    assert "script" not in tags(markup)


def test_a_notebook_shows_findings_and_results_of_a_report(report):
    markup = report._repr_html_()
    assert "<h2>Findings</h2>" in markup
    assert "baseline: most frequent class" in markup
    assert str(report.path) in markup
    assert not tags(markup) & {"script", "b"}
    assert report.path.read_text("utf-8").startswith("<!doctype html>")
