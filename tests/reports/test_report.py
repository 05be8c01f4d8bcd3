"""The report of a run: one page that needs nothing but itself, and says what is so."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from nnspec.data.examples import Examples
from nnspec.diagnostics import NnspecError
from nnspec.graph.activation_maps import NoMapError, head_of, with_activation_maps
from nnspec.html_elements import table
from nnspec.reports import to_page, write_report
from nnspec.reports.findings import Finding, findings
from nnspec.reports.plots import bin_edges
from nnspec.reports.results import results
from nnspec.reports.tensors import tensors_of
from nnspec.spec import load
from nnspec.training import Run, evaluate, train
from nnspec.training.evaluation.evaluate import Evaluation, run_evaluation
from nnspec.training.evaluation.predictions import ClassPredictions, NumberPredictions
from nnspec.training.evaluation.report import report_of
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

DIGITS = """nnspec: 1
name: digits
description: Digits <b>& more</b> {{style}}
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 6, kernel_size: 3, activation: relu}
  - GlobalAveragePooling2D
  - Dropout: {rate: 0.1}
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.2}
train: {epochs: 3, seed: 3, optimizer: {Adam: {learning_rate: 0.01}}, loss: SparseCategoricalCrossentropy, metrics: [accuracy]}
"""

IRIS = """nnspec: 1
name: iris
inputs: {flower: [4]}
layers:
  - Dense: {units: 1}
    name: width
data:
  train: {csv: iris.csv}
  validation: 0.3
  inputs: {flower: {columns: [a, b, c, kind], transform: [standardize]}}
  targets: {width: {column: d}}
train: {epochs: 5, seed: 3, optimizer: {Adam: {learning_rate: 0.1}}, loss: mse}
"""


def trained(folder: Path, text: str) -> Run:
    file = folder / "net.nnspec.yaml"
    file.write_text(text, encoding="utf-8")
    return train(load(file), out=folder / "run", progress=Quiet())


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Run:
    return trained(tmp_path_factory.mktemp("digits"), DIGITS)


@pytest.fixture(scope="module")
def page(digits) -> str:
    return to_page(digits)


@pytest.fixture(scope="module")
def iris(tmp_path_factory) -> Run:
    from sklearn.datasets import load_iris

    folder = tmp_path_factory.mktemp("iris")
    found = load_iris()
    rows = "\n".join(",".join(map(str, [*row, kind])) for row, kind in zip(found.data, found.target, strict=True))
    (folder / "iris.csv").write_text(f"a,b,c,d,kind\n{rows}\n")
    return trained(folder, IRIS)


class Reading(HTMLParser):
    """Sees to it that what is opened is closed, and collects what a browser would fetch or run."""

    EMPTY = frozenset({"meta", "img", "br", "link", "input", "path", "use", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.add(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "action", "srcset", "data"):
                self.targets.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_startendtag(self, tag, attrs) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_endtag(self, tag) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.words.append(data)


def read(page: str) -> Reading:
    reading = Reading()
    reading.feed(page)
    reading.close()
    assert reading.open == []
    return reading


def titles(page: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", page)


def test_the_page_is_whole_and_refers_to_nothing_outside(page):
    reading = read(page)
    assert not reading.tags & {"script", "link", "iframe", "object", "base"}
    assert all(target.startswith(("data:image/", "#")) for target in reading.targets)
    assert {target[1:] for target in reading.targets if target.startswith("#")} <= set(reading.ids)
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert len(page) < 2_000_000


def test_what_a_spec_says_does_not_become_markup(page):
    assert "Digits &lt;b&gt;&amp; more&lt;/b&gt; {{style}}" in page


def test_a_net_of_convolutions_has_all_parts(page):
    assert titles(page) == [
        "Summary",
        "Findings",
        "Learning curves",
        "Results",
        "Examples of errors",
        "Filters and feature maps",
        "Class activation maps",
        "Graph",
        "Provenance",
    ]


def test_the_page_has_the_figures_of_the_evaluation(digits, page):
    figures = evaluate(digits)
    report = figures["outputs"]["digit"]
    words = read(page).words
    assert f"digit: accuracy {report['accuracy']:.2%}" in words
    assert {f"{row['recall']:.4f}" for row in report["classes"]} <= set(words)
    assert (
        f"{sum(map(sum, report['confusion'])) - sum(r[i] for i, r in enumerate(report['confusion']))} of 360 are wrong" in page
    )


def test_a_table_of_numbers_shows_the_rows_it_is_farthest_off_as_they_stand_in_the_file(iris):
    page = to_page(iris)
    assert titles(page) == [
        "Summary",
        "Findings",
        "Learning curves",
        "Results",
        "Examples of errors",
        "Graph",
        "Provenance",
    ]
    found = run_evaluation(iris).predictions["width"]
    [header, first] = re.search(r"the largest errors.*?<tr>(.*?)</tr>.*?<tr>(.*?)</tr>", page, re.DOTALL).groups()
    assert re.findall(r">([^<]+)</th>", header) == ["row", "predicted", "actual", "error", "a", "b", "c", "kind"]
    cells = re.findall(r">([^<]+)</td>", first)
    line = (iris.path.parent / "iris.csv").read_text().splitlines()[1 + int(cells[0])].split(",")
    assert [float(cell) for cell in cells[4:]] == pytest.approx([float(line[i]) for i in (0, 1, 2, 4)])
    assert float(cells[2]) == pytest.approx(float(line[3]))
    assert float(cells[3]) == pytest.approx(np.abs(found.predicted - found.true).max(), rel=1e-3)


def test_the_report_changes_nothing_in_the_run(digits, tmp_path):
    def state():
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in digits.path.rglob("*") if path.is_file()}

    before = state()
    assert write_report(digits.path, tmp_path / "page.html").path.read_text("utf-8").startswith("<!doctype html>")
    assert state() == before


def test_a_run_whose_data_are_gone_has_a_report_of_what_is_left(iris):
    file = iris.path.parent / "iris.csv"
    content = file.read_bytes()
    file.unlink()
    try:
        page = to_page(Run.open(iris.path))
        with pytest.raises(NnspecError):
            to_page(Run.open(iris.path), part="validation")
    finally:
        file.write_bytes(content)
    assert "The data cannot be read" in page
    assert "Learning curves" in titles(page)
    read(page)


def test_a_damaged_run_has_no_report(iris):
    file = iris.path / "transforms.json"
    content = file.read_bytes()
    file.write_bytes(content.replace(b'"', b"'", 1))
    try:
        with pytest.raises(NnspecError, match=r"transforms\.json"):
            to_page(Run.open(iris.path))
    finally:
        file.write_bytes(content)


def test_a_class_activation_map_averaged_is_the_logit(digits):
    graph, weights = digits.model.main, digits.weights()
    mapped = with_activation_maps(graph, ["digit"])
    found = run_evaluation(digits)
    inputs = dict(found.examples.batch(slice(0, 8)).inputs)
    logits = tensors_of(mapped, weights, {"map": mapped.outputs["digit_map"]}, inputs)["map"].mean((1, 2))
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    np.testing.assert_allclose(shares / shares.sum(-1, keepdims=True), found.outputs["digit"][:8], rtol=1e-3, atol=1e-6)


def test_a_class_activation_map_of_a_series_stands_behind_it(tmp_path):
    series = np.random.default_rng(0).normal(size=(12, 30)).astype("float32")
    np.savez(tmp_path / "a.npz", series=series, kind=np.arange(12) % 2)
    run = trained(
        tmp_path,
        """nnspec: 1
name: series
inputs: {series: [T, 1]}
layers:
  - Conv1D: {filters: 3, kernel_size: 3}
  - GlobalAveragePooling1D
  - Dense: {units: 2, activation: softmax}
    name: kind
data: {train: {npz: a.npz}}
train: {epochs: 1, loss: SparseCategoricalCrossentropy}
""",
    )
    page = to_page(run)
    read(page)
    assert "Class activation maps" in titles(page)
    assert "<image" in page.partition("Class activation maps</h2>")[2]


WITHOUT_DATA = SimpleNamespace(data=None)
"""A training plan without data."""


def of_numbers(*errors: float) -> str:
    """The results of an output for each error."""
    same = np.arange(4.0)
    judged = {f"output_{i}": NumberPredictions(same, same + error) for i, error in enumerate(errors)}
    found = Evaluation(WITHOUT_DATA, None, "test", Examples({}, {}, {}, np.arange(4)), {}, {}, judged)
    return results(found, {name: report_of(each) for name, each in judged.items()}, None)


def test_several_outputs_of_numbers_stand_side_by_side():
    page = of_numbers(1, 9)
    assert re.search(r"<td>output_0</td><td class=\"n\">1</td>", page)
    assert "<h3>errors</h3>" in page
    assert "<details>" not in page
    assert "<h3>errors</h3>" not in of_numbers(1)


def test_the_details_of_many_outputs_are_folded_under_their_errors():
    page = of_numbers(*range(1, 10))
    assert re.findall(r"<summary>(output_\d: mean absolute error \d), R² [-\d.]+</summary>", page) == [
        f"output_{i}: mean absolute error {i + 1}" for i in range(9)
    ]
    assert page.index("<h3>errors</h3>") < page.index("<details>")
    outside = re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    assert "<svg" not in outside
    read(page)


def test_numbers_of_a_column_are_aligned_at_the_decimal_point():
    page = table(["", "error"], [["a", "193.3"], ["b", "70.45"], ["c", "7"], ["d", "–"]], numbers=None)
    assert page.count("--pad") == 0  # a dash is no number, so the column has words
    page = table(["", "error"], [["a", "193.3"], ["b", "70.45"], ["c", "7"]], numbers=None)
    assert re.findall(r'<td class="n"( style="--pad:[^"]*")?>([^<]*)', page) == [
        (' style="--pad:1ch"', "193.3"),
        ("", "70.45"),
        (' style="--pad:2.5ch"', "7"),
    ]


def test_the_bins_of_a_histogram_have_round_edges_and_one_is_zero():
    values = np.random.default_rng(0).normal(3, 50, 500)
    edges = bin_edges(values)
    assert 0 in edges
    assert edges[0] <= values.min()
    assert values.max() <= edges[-1]
    width = edges[1] - edges[0]
    assert width in (10, 20, 25)
    far = bin_edges(np.concatenate([values, [1e6]]))
    assert far[-1] < 1000
    for few in ([], [2.0], [0.0, 0.0], [np.nan, 1.0]):
        assert np.isfinite(bin_edges(np.array(few))).all()
        assert (np.diff(bin_edges(np.array(few))) > 0).all()


def test_a_confusion_is_in_percent_of_the_actual_class_and_its_counts_are_folded():
    true = np.array([0] * 8 + [1] * 2)
    predicted = np.array([0] * 6 + [1] * 2 + [1] * 2)
    judged = ClassPredictions(["<a>", "b"], true, predicted, np.eye(2)[predicted], True, np.arange(10), 1)
    found = Evaluation(WITHOUT_DATA, None, "test", Examples({}, {}, {}, np.arange(10)), {}, {}, {"kind": judged})
    page = results(found, {"kind": report_of(judged, curves=True)}, None)
    matrix, counts = re.findall(r'<table class="confusion">(.*?)</table>', page)
    assert re.findall(r"<td[^>]*>([^<]*)</td>", matrix) == ["", "75", "25", "8", "·", "100", "2"]
    assert 'title="&lt;a&gt; predicted as b: 2 of 8, 25.0%"' in matrix
    assert re.findall(r"<td[^>]*>([^<]*)</td>", counts) == ["", "6", "2", "8", "0", "2", "2"]
    assert "<summary>Counts</summary>" in page
    read(page)


def test_a_long_text_of_a_row_is_folded():
    page = table(["text"], [["short"], ["long " * 20]])
    assert page.count('class="long"') == 1


def test_a_net_of_another_form_has_no_class_activation_map(iris):
    with pytest.raises(NoMapError, match="it does not depend on a mean over all positions"):
        head_of(iris.model.main, "width")


def test_figures_of_validation_data_and_a_training_cut_short_are_reported(digits):
    found = run_evaluation(digits)
    reported = findings(digits, found, None, {name: report_of(judged) for name, judged in found.predictions.items()})
    assert any("validation data that also selected the weights" in finding.text for finding in reported)
    cut = Run(digits.path, {**digits.info, "status": "interrupted"})
    assert findings(cut, None, None, {})[0].level == "bad"


MASKS = """nnspec: 1
name: masks
inputs: {image: [12, 10, 3]}
layers:
  - Conv2D: {filters: 1, kernel_size: 1, activation: sigmoid}
    name: mask
data: {train: {npz: a.npz}, inputs: {image: image}, targets: {mask: {column: mask}}}
train: {epochs: 1, loss: BinaryCrossentropy}
"""


def picture_of(page: str, label: str) -> np.ndarray:
    content = re.search(rf'<img src="data:image/png;base64,([^"]+)" alt="{label}"', page)
    assert content is not None
    return np.asarray(Image.open(io.BytesIO(b64decode(content[1]))).convert("RGB"))


def test_a_mask_is_shown_beside_its_picture_and_the_true_one(tmp_path):
    images = np.random.default_rng(0).random((8, 12, 10, 3)).astype("float32")
    np.savez(tmp_path / "a.npz", image=images, mask=(images.mean(-1, keepdims=True) > 0.5).astype("float32"))
    run = trained(tmp_path, MASKS)
    page = to_page(run)
    read(page)
    assert "the actual and the predicted mask" in page
    judged = run_evaluation(run).predictions["mask"]
    for row in range(8):
        own = judged.examples == row
        true, reported = judged.true[own], judged.predicted[own]
        dice = 2 * (true & reported).sum() / (true.sum() + reported.sum())
        assert f"row {row}: {(true == reported).mean():.1%} correct, Dice {dice:.3f}" in page
        red = (picture_of(page, f"row {row}: differences") == (230, 26, 26)).all(-1)
        np.testing.assert_array_equal(red.ravel(), true != reported)
    assert len(re.findall(r'alt="row \d+: actual"', page)) == len(re.findall(r'alt="row \d+: predicted"', page)) == 8
    assert ">iou<" in page


def test_the_names_of_classes_and_columns_do_not_become_markup(tmp_path):
    kinds = ["<script>alert(1)</script>", "$x_{"]
    rows = [f"{i % 7},{kinds[i % 2]}" for i in range(40)]
    (tmp_path / "a.csv").write_text("<b>,kind\n" + "\n".join(rows) + "\n")
    text = """nnspec: 1
name: hostile
inputs: {x: [1]}
layers:
  - Dense: {units: 2, activation: softmax}
    name: kind
data: {train: {csv: a.csv}, inputs: {x: {column: <b>}}, targets: {kind: {column: kind, transform: [label_encode]}}}
train: {epochs: 1, loss: SparseCategoricalCrossentropy}
"""
    reading = read(to_page(trained(tmp_path, text)))
    assert not reading.tags & {"script", "b>"}
    assert {"<script>alert(1)</script>", "$x_{"} <= set(reading.words)


def test_a_gap_while_validation_still_improves_is_one_finding_without_advice_to_stop(digits):
    found, train_ = run_evaluation(digits), run_evaluation(digits, part="train")
    found, train_ = (replace(each, metrics={**each.metrics, "loss": loss}) for each, loss in ((found, 0.3), (train_, 0.1)))
    last = Finding("look", "`val_loss` was best in the last epoch, 3: more epochs may do better.", "improving")
    texts = [finding.text for finding in findings(digits, found, train_, {}, [last])]
    [gap] = [text for text in texts if "3.0 times as much" in text]
    assert "it still improves. Train longer first" in gap
    assert last.text not in texts
    assert not any("Use more data" in text for text in texts)
    early = Finding("look", "`val_loss` was best in epoch 1 of 3.", "peaked")
    texts = [finding.text for finding in findings(digits, found, train_, {}, [early])]
    assert any("3.0 times as much: the model overfits" in text for text in texts)
    assert early.text in texts
    assert not any("onger" in text for text in texts)


def test_several_biased_outputs_are_one_finding(digits):
    reports = {name: report_of(NumberPredictions(np.zeros(4), np.array([1.0, 2, 1, 1]))) for name in ("a", "b")}
    found = replace(run_evaluation(digits), predictions={name: NumberPredictions(*[np.arange(4.0)] * 2) for name in reports})
    [bias] = [f.text for f in findings(digits, found, None, reports) if "biased" in f.text]
    assert bias == "2 outputs are biased, on average: `a` 1.25 too high, `b` 1.25 too high."


SERIES = """nnspec: 1
name: forecast
inputs: {past: [6, 1]}
layers:
  - Flatten
  - Dense: {units: 2}
  - Reshape: {target_shape: [2, 1]}
    name: next
data:
  train: {series: {csv: a.csv, window: 6, horizon: 2}}
  validation: 0.3
  inputs: {past: {columns: [y], transform: [standardize]}}
  targets: {next: {columns: [y], transform: [standardize]}}
train: {epochs: 1, loss: mse}
"""


def test_a_forecast_is_drawn_with_its_past_and_compared_with_the_last_value(tmp_path):
    values = 100 + np.arange(60.0) + np.random.default_rng(0).normal(size=60)
    (tmp_path / "a.csv").write_text("y\n" + "\n".join(map(str, values)) + "\n")
    run = trained(tmp_path, SERIES)
    page = to_page(run)
    read(page)
    assert 'aria-label="actual and predicted values of y, one step ahead"' in page
    assert len(re.findall(r"<figcaption>row \d+: error ", page)) == 12
    found = run_evaluation(run)
    last = evaluate(run)["outputs"]["next"]["baselines"]["last_value"]["mean_absolute_error"]
    rows = found.examples.rows
    future = np.stack([values[rows + 6], values[rows + 7]], 1)
    assert last == pytest.approx(np.abs(future - values[rows + 5][:, None]).mean(), rel=1e-5)
    assert "<td>baseline: last value</td>" in page


def test_errors_of_images_are_images(tmp_path):
    images = np.random.default_rng(0).random((16, 6, 6, 1)).astype("float32")
    np.savez(tmp_path / "a.npz", image=images)
    run = trained(
        tmp_path,
        """nnspec: 1
name: auto
inputs: {image: [6, 6, 1]}
layers:
  - Conv2D: {filters: 1, kernel_size: 3, padding: same}
    name: restored
data: {train: {npz: a.npz}}
train: {objective: autoencoder, epochs: 1, loss: mse}
""",
    )
    page = to_page(run)
    read(page)
    found = run_evaluation(run)
    error = np.abs(found.predictions["restored"].predicted - images).mean((1, 2, 3))
    worst = int(error.argmax())
    caption = f"row {worst}: error {error[worst]:.4g}"
    assert picture_of(page, f"{caption}: output").shape == (6, 6, 3)
    red, _, blue = picture_of(page, f"{caption}: difference").reshape(-1, 3).T.astype(int)
    high = (found.predictions["restored"].predicted[worst] - images[worst]).ravel()
    clear = np.abs(high) > 0.05
    np.testing.assert_array_equal((red > blue)[clear], (high > 0)[clear])
    assert "the actual image" not in page  # the input is the actual image
