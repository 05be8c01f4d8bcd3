"""An objective of an installed package is trained, resumed and reported; a broken one is an error that names the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.api import validate
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.json_schema import schema
from nnspec.reports import to_page
from nnspec.spec import load
from nnspec.training import Run, evaluate, resume, train
from nnspec.training.loop.progress import Quiet
from tests.plugins.conftest import EXAMPLE, on_the_path

ROTATION = EXAMPLE / "rotation.nnspec.yaml"
SPEC = """nnspec: 1
name: net
inputs: {x: [4]}
layers:
  - Dense: {units: 2}
data: {train: {npz: a.npz}, validation: 0.25}
train: {objective: mine, epochs: 2, loss: MeanSquaredError}
"""
HEAD = "from nnspec.training.objectives.base import Objective\n"


@pytest.fixture(scope="module")
def trained(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    with on_the_path(site):
        return train(load(ROTATION, ("train.epochs=4",)), out=tmp_path_factory.mktemp("rotation") / "run", progress=Quiet())


def test_its_spec_is_valid_and_its_arguments_are_in_the_schema(example: Path) -> None:
    del example
    assert validate(ROTATION) == []
    assert "objective.rotation_prediction" in schema(plugins=True)["$defs"]
    assert "objective.rotation_prediction" not in schema()["$defs"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("units: 4", "units: 5", "NN531"),
        ("[8, 8, 1]", "[8, 6, 1]", "NN531"),
        ("objective: rotation_prediction", "objective: {rotation_prediction: {input: imag}}", "NN406"),
        ("objective: rotation_prediction", "objective: {rotation_prediction: {inptu: image}}", "NN103"),
        ("objective: rotation_prediction", "objective: rotation_predict", "NN109"),
        ("  epochs: 10", "  loss: MeanSquaredError\n  epochs: 10", "NN563"),
    ],
)
def test_errors_in_a_spec_are_reported_as_for_a_built_in_objective(example, write, old: str, new: str, code: str) -> None:
    del example
    found = validate(write(ROTATION.read_text("utf-8").replace(old, new)))
    assert code in [problem.code for problem in found if problem.is_error]


def test_it_is_trained_and_its_package_is_in_the_versions(trained: Run) -> None:
    assert trained.metrics()[-1]["val_rotation_accuracy"] > 0.7
    assert trained.info["objective"] == "rotation_prediction"
    assert trained.info["versions"]["nnspec-example-layers"] == "0.1.0"


def test_its_report_has_its_own_findings(example, trained: Run) -> None:
    del example
    assert "chance is 25%" in to_page(trained)


def test_its_run_has_no_targets_to_evaluate(example, trained: Run) -> None:
    del example
    with pytest.raises(NnspecError, match="rotation_prediction"):
        evaluate(trained)


def test_a_stopped_training_resumes_bit_for_bit(example, trained: Run, tmp_path: Path) -> None:
    del example
    left = iter([False] * 7 + [True] * 100)
    run = train(
        load(ROTATION, ("train.epochs=4",)), out=tmp_path / "run", progress=Quiet(), stop=lambda: next(left)
    )  # fmt: skip
    assert run.status == "interrupted"
    ended = resume(run.path, progress=Quiet())
    assert ended.status == "finished"
    assert all(np.array_equal(a, trained.weights()[name]) for name, a in ended.weights().items())


@pytest.mark.parametrize("command", [["report"], ["train", "--resume"], ["evaluate"], ["export", "-o", "x.onnx"]])
def test_a_run_whose_package_is_not_installed_says_what_to_install(trained: Run, command: list[str]) -> None:
    done = CliRunner().invoke(main, [*command, str(trained.path)])
    assert done.exit_code == 1
    assert "the objective `rotation_prediction` is not installed\n  = help: install nnspec-example-layers 0.1.0" in done.stderr


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError"),
        ("class mine: pass", "is not a subclass of `nnspec.training.objectives.base.Objective`"),
        (HEAD + "class other(Objective): pass\nmine = other", "is called `other`, not `mine`"),
        (HEAD + "class mine(Objective):\n    report = 3", "`report` that is not the name of a module"),
        (HEAD + "class mine(Objective):\n    predicts = 'no'", "`predicts` that is not a bool"),
        (HEAD + "class mine(Objective):\n    units: 'Nowhere' = 3", "fields that pydantic cannot read"),
    ],
)
def test_a_package_that_cannot_be_used_is_named(package, write, code: str, reason: str) -> None:
    package("broken-objectives", ["mine"], code, "nnspec.objectives")
    [problem] = [problem for problem in validate(write(SPEC)) if problem.code == "NN320"]
    assert problem.message.startswith("the objective `mine` cannot be used: ")
    assert "the package broken-objectives 1.0" in problem.message
    assert reason in problem.message
    assert problem.path == "train.objective"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("def check(self, check): return 1 / 0", "`check` fails with ZeroDivisionError"),
        ("def check(self, check): return 3", "`check` fails with TypeError: it returns int, not a `TrainingPlan`, or None"),
        ("def targets(self, context): return {}['x']", "`targets` fails with KeyError"),
        ("def targets(self, context): return {}", "it returns dict, not `Targets`, or None"),
    ],
)
def test_a_check_that_fails_is_reported_with_its_package(package, write, body: str, reason: str) -> None:
    package("broken-objectives", ["mine"], f"{HEAD}class mine(Objective):\n    {body}\n", "nnspec.objectives")
    [problem] = [problem for problem in validate(write(SPEC)) if problem.code == "NN321"]
    assert "the objective `mine` of the package broken-objectives 1.0" in problem.message
    assert reason in problem.message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("def task(self, networks, plan, prepared, augmenter): return 1 / 0", "`task` fails with ZeroDivisionError"),
        ("def task(self, networks, plan, prepared, augmenter): return 3", "it returns int, not a `Task`"),
        ("def batch_transforms(self, plan, model): return None", "it returns NoneType, not a list"),
        (
            "def batch_transforms(self, plan, model):\n"
            "        class Broken:\n"
            "            variables = []\n"
            "            def restart(self): pass\n"
            "            def __call__(self, inputs, targets, *, training): return inputs['no'], targets\n"
            "        return [Broken()]",
            "the training fails with KeyError",
        ),
        ("def record(self, plan, prepared): return 3", "`record` fails with TypeError: it returns int, not a dict"),
    ],
)
def test_a_training_that_fails_is_an_error_that_names_the_package(package, write, body: str, reason: str) -> None:
    package("broken-objectives", ["mine"], f"{HEAD}class mine(Objective):\n    {body}\n", "nnspec.objectives")
    done = _train(write(SPEC))
    assert done.exit_code == 1, done.output
    assert "the objective `mine` of the package broken-objectives 1.0" in done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("class mine(Objective):\n    report = 'no_such_report'", "its report `no_such_report` fails with ModuleNotFoundError"),
        ("class mine(Objective):\n    report = 'json'", "it has no function `findings`"),
        (
            "class mine(Objective):\n    report = __name__\ndef findings(run): yield 1 / 0\ndef sections(run, found): return []",
            "`findings` of its report fails with ZeroDivisionError",
        ),
    ],
)
def test_a_report_that_fails_is_an_error_that_names_the_package(package, write, code: str, reason: str) -> None:
    package("broken-objectives", ["mine"], HEAD + code, "nnspec.objectives")
    file = write(SPEC)
    assert _train(file).exit_code == 0
    done = CliRunner().invoke(main, ["report", str(file.parent / "run")])
    assert done.exit_code == 1
    assert "the objective `mine` of the package broken-objectives 1.0" in done.stderr
    assert reason in done.stderr


def test_a_built_in_objective_is_never_taken_from_a_package(package, write) -> None:
    package("bold-objectives", ["supervised"], HEAD + "class supervised(Objective): pass", "nnspec.objectives")
    from nnspec.training.objectives import OBJECTIVES

    assert OBJECTIVES.get("supervised").__module__.startswith("nnspec.")


def _train(file: Path):
    generator = np.random.default_rng(0)
    arrays = {name: generator.normal(size=(32, size)).astype(np.float32) for name, size in (("x", 4), ("dense", 2))}
    np.savez(file.parent / "a.npz", **arrays)
    return CliRunner().invoke(main, ["train", str(file), "--out", str(file.parent / "run")])
