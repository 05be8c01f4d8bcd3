"""The page of a sweep."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nnspec.sweeping.page import sweep_page
from nnspec.sweeping.section import Range
from nnspec.sweeping.trials import Sweep, Trial, sweep_text
from nnspec.training.plan import Monitor

OVER = {
    "params.width": Range(int=[2, 64], log=True),
    "params.<b>": Range(choice=["$a$ <i>", None]),
    "train.rate": Range(float=[1e-4, 1e-1], log=True),
}


def trial(number, value, state="finished", **others):
    values = {"params.width": 2 + number, "params.<b>": "$a$ <i>" if number % 2 else None, "train.rate": 1e-3 * number}
    metrics = {} if value is None else {1: value * 2, 2: value}
    return Trial(number, values, state, value, len(metrics), run=f"trial-{number:03}", metrics=metrics, **others)


def sweep_of(*trials, mode="min", shares=None):
    return Sweep(Path("s"), Monitor("val_loss", mode), 9, trials, "journal:j", "1", shares or {})


@pytest.fixture(scope="module")
def page():
    trials = [trial(1, 0.5), trial(2, 0.25, host="a"), trial(3, 90.0, "pruned", host="b", attempts=2)]
    trials.append(trial(4, None, "failed", reason="the loss is <not> finite"))
    return sweep_page(sweep_of(*trials, shares={"train.rate": 0.75, "params.width": 0.25}), "net", OVER)


def headings(page):
    return re.findall(r"<h2>(.*?)</h2>", page)


def test_the_page_has_a_section_for_each_view(page):
    views = ["Best trial", "Importance", "Parallel coordinates", "Learning curves", "Metric by value", "Trials"]
    assert headings(page) == views


def test_the_page_makes_no_requests_and_escapes_what_comes_from_the_spec(page):
    assert not re.search(
        r"""(?:src|href)=|url\((?!#)|@import|<script""", page.replace('xmlns:xlink="http', "").replace('href="#', "")
    )
    assert "<i>" not in page
    assert "<not>" not in page
    assert "params.&lt;b&gt;" in page


def test_each_trial_with_a_metric_is_a_line_whose_better_end_is_at_the_top(page):
    drawn = page[page.index("parallel coordinates of") :]
    svg = ElementTree.fromstring(
        page[page.rindex("<svg", 0, page.index("parallel coordinates of")) :].partition("</svg>")[0] + "</svg>"
    )
    lines = svg.findall(".//polyline")
    assert [line[0].text.partition(":")[0] for line in lines] == ["trial 3", "trial 1", "trial 2"]
    ends = [float(line.get("points").rpartition(",")[2]) for line in lines]
    assert ends == sorted(ends, reverse=True)
    assert lines[0].get("stroke-dasharray")
    assert "val_loss" in drawn


def test_the_machines_are_listed_if_there_are_several(page):
    assert "<th>machine</th>" in page
    assert "<th>machine</th>" not in sweep_page(sweep_of(trial(1, 0.5), trial(2, 0.2)), "net", OVER)


def test_a_sweep_without_ended_trials_has_a_page():
    assert headings(sweep_page(sweep_of(), "net", OVER)) == []


def test_a_sweep_of_failed_trials_has_a_page():
    failed = Trial(1, {}, "failed", None, 0, "its worker was killed")
    page = sweep_page(sweep_of(failed, failed), "net", OVER)
    assert headings(page) == ["Best trial", "Trials"]
    assert "its worker was killed" in page


def test_equal_metrics_and_metrics_of_any_sign_are_drawn():
    for values in ((1.0, 1.0), (-3.0, 2.0), (0.0, 500.0)):
        page = sweep_page(sweep_of(*(trial(i, value) for i, value in enumerate(values, 1)), mode="max"), "net", OVER)
        assert "Parallel coordinates" in headings(page)
        assert "nan" not in page.partition("</style>")[2].lower()


def test_the_text_names_the_machine_of_the_best_trial_if_it_is_not_here():
    assert "best trial: s/trial-002 on far" in sweep_text(sweep_of(trial(1, 0.5), trial(2, 0.2, host="far")))
