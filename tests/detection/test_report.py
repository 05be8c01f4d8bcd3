"""The report of a detector: its numbers, its images with boxes, and what to look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnspec.reports import to_page
from nnspec.reports.detections import detection_findings, detections
from nnspec.training.detection.average_precision import AveragePrecisions
from nnspec.training.detection.details import DetectionDetails
from nnspec.training.detection.errors import detection_errors
from nnspec.training.evaluation.split_details import SplitDetails, split_details

pytest.importorskip("keras")


def test_the_page_of_a_detector_has_its_numbers_and_images(run):
    page = to_page(run)
    assert '<section id="detections">' in page
    assert "COCO&#x27;s twelve numbers" in page or "COCO's twelve numbers" in page
    assert page.count('class="scene"') == 12
    assert "precision at an overlap of 0.5" in page
    assert "<td>red</td>" in page


def test_a_detector_without_the_metric_has_them_too(run, monkeypatch):
    from nnspec.training.evaluation import split_details as module

    [wanted] = split_details(run)
    own = module.plan_and_examples

    def without(run, part):
        plan, part, examples = own(run, part)
        return replace(plan, split_metrics=()), part, examples

    monkeypatch.setattr(module, "plan_and_examples", without)
    [found] = split_details(run)
    assert found.details.average.numbers["mean_average_precision"] == wanted.details.average.numbers["mean_average_precision"]
    assert found.classes == wanted.classes == {"class": ["red", "green"]}


def evaluation(boxes, scores, classes, true_boxes, true_classes, names=("cat", "dog", "cow")) -> SplitDetails:
    given = [np.asarray(values, float)[None] for values in (boxes, scores)]
    given += [np.asarray(classes)[None], np.asarray(true_boxes, float)[None], np.asarray(true_classes)[None]]
    average = AveragePrecisions()
    average.add(*given)
    from nnspec.data.examples import Examples

    examples = Examples({"image": np.zeros((1, 200, 200, 3), np.float32)}, {}, {}, np.arange(1))
    details = DetectionDetails(average.result(), detection_errors(*given), in_stored_pixels=False)
    return SplitDetails("test", examples, "image", {"class": list(names)}, {}, {}, details)


GRID = [[x, y, x + 40, y + 40] for x in range(0, 200, 50) for y in range(0, 200, 50)]


def test_a_class_that_is_never_found_is_named():
    found = evaluation(GRID[:4], [0.9] * 4, [0] * 4, GRID[:6], [0] * 4 + [1] * 2)
    assert texts(found) == ["bad: Classes that are never found: `dog` (2 boxes)."]


def test_classes_that_are_confused_are_named_with_their_number():
    found = evaluation(GRID[:8], [0.9] * 8, [0] * 5 + [1] * 3, GRID[:8], [0] * 8)
    assert "look: Classes are confused: `cat` as `dog` (3 of 8)." in texts(found)


def test_small_boxes_that_are_missed_are_reported():
    small = [[x, 180, x + 6, 186] for x in range(0, 200, 20)]
    found = evaluation(GRID[:4], [0.9] * 4, [0] * 4, GRID[:4] + small, [0] * 14)
    assert any(text.startswith("look: Small boxes are missed: their recall is 0.00") for text in texts(found))


def test_boxes_that_are_imprecise_and_repeated_are_reported():
    moved = (np.array(GRID[:8], float) + 6).tolist()
    found = evaluation(moved + moved[:4], [0.9] * 8 + [0.89] * 4, [0] * 12, GRID[:8], [0] * 8)
    assert any(text.startswith("look: Boxes are imprecise") for text in texts(found))
    found = evaluation(GRID[:8] + GRID[:4], [0.9] * 12, [0] * 12, GRID[:8], [0] * 8)
    assert any("further boxes of an object that is found" in text for text in texts(found))


def test_a_detector_that_finds_nothing_is_bad_and_one_that_finds_all_has_no_finding():
    assert texts(evaluation(GRID[:4], [0.9] * 4, [1] * 4, GRID[4:8], [0] * 4))[0].startswith("bad: The detector finds almost")
    assert texts(evaluation(GRID[:4], [0.9] * 4, [1] * 4, GRID[:4], [1] * 4)) == []


def test_data_without_boxes_are_reported():
    [text] = texts(evaluation(GRID[:1], [0.9], [0], [[-1] * 4], [-1]))
    assert "no annotated boxes" in text


def test_each_kind_of_error_is_counted():
    boxes = [GRID[0], GRID[1], GRID[2], (np.array(GRID[3]) + 18).tolist(), GRID[0], [160, 160, 199, 199]]
    found = evaluation(boxes, [0.9] * 6, [0, 0, 1, 0, 0, 0], GRID[:4], [0] * 4)
    assert dict(found.details.errors.counts) == {"found": 2, "class": 1, "place": 1, "twice": 1, "nothing": 1}
    assert found.details.errors.confused == [(0, 1, 1)]
    assert found.details.errors.missed.tolist() == [False, False, True, True]
    assert found.details.errors.by_image(1).tolist() == [6]


def test_the_threshold_is_the_one_with_the_best_balance_of_precision_and_recall():
    found = evaluation(GRID[:6], [0.9, 0.8, 0.7, 0.3, 0.2, 0.1], [0] * 6, GRID[:3], [0] * 3)
    assert found.details.errors.threshold == pytest.approx(0.7)


def test_names_of_classes_are_escaped():
    found = evaluation(GRID[:2], [0.9] * 2, [0] * 2, GRID[:2], [0] * 2, names=("<script>",))
    text = "".join(detections(found))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def texts(found: SplitDetails) -> list[str]:
    return [f"{finding.level}: {finding.text}" for finding in detection_findings(found)]
