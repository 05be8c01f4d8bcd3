"""Runs in a list and beside each other."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.run_comparison import compare_runs
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet
from nnspec.training.run.listing import find_runs
from tests.training.test_resume import SMALL, table

pytest.importorskip("keras")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs of one spec that differ in width, epochs and seed, and the link to the newest."""
    folder = tmp_path_factory.mktemp("project")
    table(folder)
    spec = folder / "net.nnspec.yaml"
    spec.write_text(SMALL)
    train(load(spec, ["train.epochs=2"]), out=folder / "runs" / "small" / "first", progress=Quiet())
    wider = SMALL.replace("units: 12", "units: 16")
    spec.write_text(wider)
    train(load(spec, ["train.epochs=3", "train.seed=4"]), out=folder / "runs" / "small" / "second", progress=Quiet())
    (folder / "runs" / "small" / "latest").symlink_to("second", target_is_directory=True)
    return folder / "runs"


def ran(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_runs_of_a_folder_are_listed_once_newest_first(folder):
    shown = ran("runs", folder)
    assert [line.split()[0].rpartition("/")[2] for line in shown.splitlines()[2:]] == ["second", "first"]
    assert "val_loss" in shown


def test_a_damaged_run_is_listed_as_damaged(folder, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text("{")
    [found] = json.loads(ran("runs", tmp_path, "--format", "json"))
    assert (found["status"], "not valid JSON" in found["reason"]) == ("damaged", True)


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(NnspecError, match="there is no folder"):
        find_runs(tmp_path / "nowhere")


def test_metrics_are_those_of_the_epoch_whose_weights_are_kept(folder):
    compared = compare_runs(folder / "small" / "first", folder / "small" / "second")
    for place, run in enumerate(compared.runs):
        record = run.metrics()[compared.metrics["epoch"][place] - 1]
        assert compared.metrics["val_loss"][place] == record["val_loss"]


def test_what_differs_is_listed_and_what_is_equal_is_not(folder):
    compared = compare_runs(folder / "small" / "first", folder / "small" / "second")
    assert compared.conditions == {"seed": (3, 4)}
    text = ran("compare", folder / "small" / "first", folder / "small" / "second")
    assert "units: 12 → 16" in text
    assert "epochs: 2 → 3" in text


def test_the_page_has_a_curve_of_each_metric_with_both_runs_and_requests_nothing(folder, tmp_path):
    ran("compare", folder / "small" / "first", folder / "small" / "latest", "-o", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "loss of each run over the epochs" in page
    assert {"first, validation", "second, validation"} <= set(re.findall(r">([^<>]+, validation)<", page))
    assert not re.search(r'(?:src|href)="http', page)


def test_one_run_cannot_be_compared(folder):
    result = CliRunner().invoke(main, ["compare", str(folder / "small" / "first")])
    assert (result.exit_code, "two or more runs" in result.output) == (1, True)
