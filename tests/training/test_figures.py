"""The figures of an output: against scikit-learn, and where they are known by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.training.evaluation.class_metrics import areas, calibration, curves_of
from nnspec.training.evaluation.predictions import ClassPredictions, NumberPredictions, predictions_from
from nnspec.training.evaluation.report import NUMBER_METRICS, report_of, reports_text


def answers(count: int = 300, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    true = random.integers(0, classes, count)
    logits = random.normal(size=(count, classes)) + 2 * np.eye(classes)[true]
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return true, shares.astype(np.float32)


def test_areas_and_overlap_are_those_of_scikit_learn():
    from sklearn.metrics import jaccard_score, roc_auc_score

    true, shares = answers()
    pixels = report_of(predictions_from("class", true.reshape(3, 10, 10), shares.reshape(3, 10, 10, 4)))
    whole = report_of(predictions_from("class", true, shares))
    assert whole["auc"] == pytest.approx(roc_auc_score(true, shares, multi_class="ovr"), abs=1e-6)
    assert pixels["iou"] == pytest.approx(jaccard_score(true, shares.argmax(-1), average="macro"))
    assert "iou" not in whole
    assert pixels["auc"] == whole["auc"]


def test_logits_and_probabilities_and_one_hot_targets_give_the_same_figures():
    true, shares = answers()
    expected = report_of(predictions_from("class", true, shares))
    for found in (
        predictions_from("class", true, np.log(shares), logits=True),
        predictions_from("distribution", np.eye(4)[true], shares),
        predictions_from("class", true, shares.T[None].transpose(2, 1, 0)[..., 0]),
    ):
        assert report_of(found)["confusion"] == expected["confusion"]
        assert report_of(found)["calibration"]["expected_error"] == pytest.approx(
            expected["calibration"]["expected_error"], abs=1e-5
        )


def test_yes_and_no_are_two_classes_of_which_the_second_has_the_curve():
    true = np.array([[0], [0], [1], [1]])
    logits = np.array([[-800.0], [0.5], [-0.5], [800.0]], np.float32)
    found = predictions_from("probability", true, logits, logits=True)
    report = report_of(found, curves=True)
    assert report["confusion"] == [[1, 1], [1, 1]]
    assert [curve["class"] for curve in report["curves"]] == [1]
    assert report["classes"][1]["auc"] == 0.75
    json.dumps(report, allow_nan=False)


def test_calibration_is_zero_for_answers_that_keep_their_word_and_a_half_for_one_that_never_doubts():
    true = np.array([0, 0, 0, 1] * 10)
    honest = np.tile([0.75, 0.25], (40, 1))
    sure = np.tile([1.0, 0.0], (40, 1))

    def of(scores):
        return calibration(ClassPredictions([0, 1], true, scores.argmax(-1), scores, True, np.arange(40), 1))

    assert of(honest)["expected_error"] == pytest.approx(0)
    assert (of(sure)["expected_error"], of(sure)["gap"]) == (0.25, 0.25)
    [one] = of(honest)["bins"]
    assert one["from"] < 0.75 < one["to"]
    assert one["rows"] == 40


def test_a_class_that_does_not_occur_has_no_area_and_no_curve_and_is_left_out_of_the_means():
    true, shares = answers(classes=3)
    more = np.concatenate([shares * 0.9, np.full((300, 1), 0.1)], 1).astype(np.float32)
    report = report_of(predictions_from("class", true, more), curves=True)
    assert report["classes"][3]["auc"] is None
    assert len(report["curves"]) == 3
    assert report["recall"] == pytest.approx(np.mean([row["recall"] for row in report["classes"][:3]]))
    json.dumps(report, allow_nan=False)
    assert "–" in "\n".join(reports_text({"kind": report}))


def test_a_curve_has_a_hundred_points_and_keeps_its_ends():
    random = np.random.default_rng(1)
    true = random.integers(0, 2, 5_000)
    yes = np.clip(true * 0.3 + random.random(5_000) * 0.7, 0, 1)
    found = predictions_from("probability", true, yes.astype(np.float32))
    [curve] = curves_of(found)
    for name, ends in (("roc", ([0.0, 0.0], [1.0, 1.0])), ("precision_recall", (None, None))):
        assert 50 < len(curve[name]) <= 101
        assert ends[0] is None or (curve[name][0], curve[name][-1]) == (list(ends[0]), list(ends[1]))
    x, y = np.array(curve["roc"]).T
    assert np.trapezoid(y, x) == pytest.approx(report_of(found)["classes"][1]["auc"], abs=5e-3)


def test_classes_that_are_ignored_do_not_count():
    true, shares = answers()
    report = report_of(predictions_from("class", np.where(true == 2, 255, true), shares, ignore=255))
    assert np.sum(report["confusion"]) == (true != 2).sum()


def test_scores_that_are_no_probabilities_have_areas_and_no_calibration():
    true, shares = answers()
    report = report_of(predictions_from("distribution", np.eye(4)[true], 10 * shares - 5))
    assert report["calibration"] is None
    assert report["auc"] == pytest.approx(report_of(predictions_from("class", true, shares))["auc"], abs=1e-4)


def test_numbers_have_their_errors_and_residuals():
    true = np.array([[1.0], [2.0], [3.0], [4.0]])
    report = report_of(NumberPredictions(true, true + 0.5))
    assert (report["mean_absolute_error"], report["root_mean_squared_error"], report["r2"]) == (0.5, 0.5, 0.8)
    assert report["residuals"]["mean"] == 0.5
    assert report["residuals"]["quantiles"]["50"] == 0.5
    assert report_of(NumberPredictions(np.ones((3, 1)), np.ones((3, 1))))["r2"] is None
    assert "residuals" in "\n".join(reports_text({"width": report}))


def test_several_outputs_of_numbers_are_put_side_by_side():
    same = np.arange(4.0)
    reports = {name: report_of(NumberPredictions(same, same + shift)) for name, shift in (("near", 0.5), ("far_away", 2.0))}
    blank, header, near, far = reports_text(reports)
    assert not blank
    assert header.split() == [*NUMBER_METRICS, "residual_mean"]
    assert near.split() == ["near", "0.5", "0.5", "0.8", "0.5"]
    assert far.split()[:3] == ["far_away", "2", "2"]
    assert len(near) == len(far) == len(header)


def test_a_row_answered_with_an_unnamed_unit_is_counted():
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]], np.float32)
    report = report_of(predictions_from("class", np.zeros(3, int), shares, classes=["r"]))
    assert report["confusion"] == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert [row["class"] for row in report["classes"]] == ["r", "unit 1", "unit 2"]
    assert {"class": "r", "predicted": "unit 2", "rows": 1} in report["confused"]
    assert report["accuracy"] == pytest.approx(1 / 3)
    yes = report_of(predictions_from("probability", np.zeros((2, 1)), np.array([[0.2], [0.7]], np.float32), classes=["no"]))
    assert yes["confusion"] == [[1, 1], [0, 0]]


@given(st.integers(2, 60), st.integers(2, 5), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_areas_with_and_without_ties_are_those_of_scikit_learn(rows, classes, levels, seed):
    from sklearn.metrics import average_precision_score, roc_auc_score

    random = np.random.default_rng(seed)
    true = random.integers(0, classes, rows)
    scores = random.integers(0, levels, (rows, classes)) / levels
    for label, (auc, precision) in enumerate(areas(true, scores)):
        own = true == label
        if own.all() or not own.any():
            assert (auc, precision) == (None, None)
        else:
            assert auc == pytest.approx(roc_auc_score(own, scores[:, label]))
            assert precision == pytest.approx(average_precision_score(own, scores[:, label]))


def test_of_thousands_of_classes_the_most_confused_are_printed():
    random = np.random.default_rng(0)
    true = random.integers(0, 2_000, 3_000)
    reported = np.where(random.random(3_000) < 0.5, true, random.integers(0, 2_000, 3_000))
    reported[:40], true[:40] = 8, 7
    report = report_of(predictions_from("class", true, np.eye(2_000, dtype=np.float32)[reported]))
    assert report["confusion"] is None
    assert report["confused"][0] == {"class": 7, "predicted": 8, "rows": 40}
    assert sum(pair["rows"] for pair in report["confused"]) == (true != reported).sum()
    lines = reports_text({"kind": report})
    assert len(lines) < 20
    assert any("7 as 8" in line for line in lines)
    assert len(json.dumps(report)) < 1_000_000
