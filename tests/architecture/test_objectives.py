"""What depends on an objective is in the objective's own folder, and each objective is complete."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from nnspec.diagnostics import Diagnostic, Problem
from nnspec.explanations.codes import all_problems
from nnspec.graph import compile
from nnspec.json_schema import schema
from nnspec.spec import load
from nnspec.training.check import check_training
from nnspec.training.objectives import DEFAULT, OBJECTIVES, objective_named
from nnspec.training.objectives.base import Objective
from nnspec.training.objectives.context import Targets
from nnspec.training.plan import TrainingPlan
from tests.architecture.imports import ROOT, package_imports
from tests.architecture.names import uses_of, words_of

PROJECT = Path(__file__).parents[2]
PACKAGE = "nnspec.training.objectives"
FOLDERS = sorted({module.rpartition(".")[2] for module in OBJECTIVES.modules.values()})
NAMES = sorted({*FOLDERS, *OBJECTIVES.names()})
OWN = (*(f"training/objectives/{folder}/" for folder in FOLDERS), "reports/objectives/")

ALLOWED: Mapping[tuple[str, str], str] = {
    ("training/objectives/__init__.py", "*"): "the registry of the objectives",
    ("training/objectives/base.py", "supervised"): "the defaults of an objective are those of supervised training",
    ("data/targets/next_token.py", "next_token"): "a source of targets, which any objective can use",
    ("data/windows.py", "next_token"): "the values of that source",
    ("templates/__init__.py", "autoencoder"): "the name of a template",
    **dict.fromkeys(
        (
            *((f"spec/{name}.py", "program") for name in ("document", "objectives", "program")),
            *(
                (name, "program")
                for name in (
                    "cli/inspect_command.py",
                    "exporting/run_predictions.py",
                    "exporting/connections.py",
                    "graph/exported.py",
                    "json_schema/document.py",
                    "neighbors/check.py",
                    "reference/objectives.py",
                )
            ),
        ),
        "a key of the language: a program is read with the document, and objectives of documents are programs",
    ),
    ("training/catalogue/losses/similarity.py", "contrastive"): "the loss of pairs of Hadsell et al. (2006)",
    ("training/catalogue/own_losses.py", "contrastive"): "the loss of pairs of Hadsell et al. (2006)",
}
"""Uses of an objective's name outside its folder, file and name (``*``: all names), each with its reason."""


@cache
def named_in_core() -> tuple[tuple[str, str, str], ...]:
    """The uses of an objective's name outside the folders of the objectives: file, name, and where it is."""
    return tuple(_named_in_core())


def _named_in_core() -> Iterator[tuple[str, str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        if file.startswith(OWN):
            continue
        for use in uses_of(path):
            for name in NAMES:
                if use.text == name if use.is_literal else f"_{name}_" in words_of(use.text):
                    yield file, name, str(use)
    for each in package_imports():
        target = each.target.removeprefix(f"{PACKAGE}.").removeprefix("nnspec.reports.objectives.").partition(".")[0]
        if target != each.target and target in FOLDERS and not each.file.startswith(OWN):
            yield each.file, target, str(each)


def is_allowed(file: str, name: str) -> bool:
    return (file, name) in ALLOWED or (file, "*") in ALLOWED


def test_no_module_outside_an_objectives_folder_names_or_imports_it():
    assert not [where for file, name, where in named_in_core() if not is_allowed(file, name)]


def test_no_objective_names_or_imports_another_one_but_the_default():
    wrong = [
        str(each)
        for each in package_imports()
        for folder in FOLDERS
        if each.file.startswith(f"training/objectives/{folder}/")
        and any(each.target.startswith(f"{PACKAGE}.{other}") for other in FOLDERS if other not in (folder, DEFAULT))
    ]
    assert not wrong


def test_no_exception_outlives_its_use():
    found = {(file, name) for file, name, _ in named_in_core()}
    unused = [key for key in ALLOWED if not any(file == key[0] and key[1] in (name, "*") for file, name in found)]
    assert not unused


def objective(name: str) -> type[Objective]:
    kind = OBJECTIVES.get(name)
    assert issubclass(kind, Objective)
    return kind


def plan_of(file: Path) -> tuple[TrainingPlan | None, list[Diagnostic]]:
    spec, problems = load(file), list[Diagnostic]()
    return check_training(spec, compile(spec), problems, parts=()), problems


def specs_of(name: str) -> list[Path]:
    """The specs that are trained with an objective."""
    return [file for file, objective in _objectives_of_specs().items() if objective == name]


@cache
def _objectives_of_specs() -> dict[Path, str]:
    files = sorted((PROJECT / "specs").glob("*.nnspec.yaml"))
    return {file: objective_named(train) for file in files if (train := load(file).section("train")) is not None}


def is_documented(name: str) -> bool:
    page = (PROJECT / "docs" / "objectives.md").read_text("utf-8")
    return f"| `{name}` |" in page and (name == DEFAULT or f"\n## `{name}`\n" in page)


def has_report(kind: type[Objective]) -> bool:
    return find_spec(kind.report) is not None and all(
        callable(getattr(import_module(kind.report), function, None)) for function in ("findings", "sections")
    )


def declares_its_problems(name: str) -> bool:
    """Whether the diagnostics of an objective are in its module ``problems``, where `explain` finds them."""
    package = OBJECTIVES.modules[name]
    folder = ROOT.joinpath(*package.split(".")[1:])
    for path in folder.glob("*.py"):
        module = import_module(f"{package}.{path.stem}" if path.stem != "__init__" else package)
        declared = {each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Problem)}
        if any(each.__module__ == module.__name__ and (path.stem != "problems" or all_problems().get(each.code) is not each)
               for each in declared):  # fmt: skip
            return False
    return True


def overridden(kind: type[Objective]) -> Iterator[str]:
    for name, method in inspect.getmembers(Objective, callable):
        if not name.startswith("_") and getattr(method, "__module__", "") == Objective.__module__:
            yield name


def same_signatures(kind: type[Objective]) -> bool:
    """Whether each method takes the parameters of the base class's, and its result is annotated."""
    own = [(inspect.signature(getattr(kind, name)), inspect.signature(getattr(Objective, name))) for name in overridden(kind)]
    return bool(own) and all(a.parameters.keys() == b.parameters.keys() and a.return_annotation for a, b in own)


def lacks(name: str) -> list[str]:
    """What an objective lacks, each with the place to put it."""
    kind, specs = objective(name), specs_of(name)
    definitions = schema()["$defs"]
    has = {
        f"a docstring: {kind.__module__}": bool(kind.__dict__.get("__doc__")),
        "a description of each argument": all(field.description for field in kind.model_fields.values()),
        "a row and a section: docs/objectives.md": is_documented(name),
        "a definition in the JSON Schema: `nnspec schema -o schemas/nnspec-v1.schema.json`": f"objective.{name}" in definitions,
        "methods with the parameters of nnspec/training/objectives/base.py": same_signatures(kind),
        f"a report with `findings` and `sections`: {kind.report}": has_report(kind),
        f"its diagnostics in one module: {OBJECTIVES.modules[name]}.problems": declares_its_problems(name),
        "a spec that is trained with it: specs/": bool(specs),
    }
    return [what for what, there in has.items() if not there]


@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_an_objective_lacks_nothing(name):
    missing = lacks(name)
    assert not missing, f"{name} lacks\n" + "\n".join(f"  - {what}" for what in missing)


@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_its_check_returns_a_plan_of_its_spec_with_known_target_sources(name):
    plan, problems = plan_of(specs_of(name)[0])
    assert isinstance(plan, TrainingPlan), problems
    assert isinstance(plan.objective, objective(name))
    assert Targets(dict(plan.outputs), plan.target_sources).sources.keys() <= plan.outputs.keys()


@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_what_it_says_of_a_run_has_the_right_types(name):
    plan, problems = plan_of(specs_of(name)[0])
    assert plan is not None, problems
    kind, info = objective(name), {key: {"network": next(iter(plan.networks))} for key in ("samples", "program")}
    assert isinstance(kind.exported_network(info), str)
    assert kind.generator_record(info) in (None, info["samples"])


def test_an_objective_that_lacks_everything_is_reported_everything(monkeypatch):
    class hollow(Objective):  # noqa: N801
        report = "nnspec.reports.objectives.hollow"

        def record(self, everything):
            return {}

    monkeypatch.setitem(OBJECTIVES.modules, "hollow", "nnspec.training.objectives.supervised")
    monkeypatch.setattr("tests.architecture.test_objectives.objective", lambda name: hollow)
    monkeypatch.setattr("tests.architecture.test_objectives.schema", lambda: {"$defs": {}})
    assert len([what for what in lacks("hollow") if not re.match("its diagnostics|a description", what)]) == 6
