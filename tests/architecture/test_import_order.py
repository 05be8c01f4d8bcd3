"""Packages import only what is above them in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.architecture.imports import ROOT, Import, package_imports

ORDER: tuple[tuple[str, ...], ...] = (
    ("printable", "json_words", "colors"),
    ("diagnostics",),
    ("files", "extras", "system", "html_page", "html_elements"),
    ("notebook",),
    ("types",),
    ("expressions",),
    ("functions",),
    ("layers",),
    ("spec",),
    ("sections",),
    ("graph",),
    ("drawing", "keras_backend", "keras_import", "comparison"),
    ("transfer",),
    ("data",),
    ("generation", "neighbors"),
    ("runtime",),
    ("ejecting", "onnx_backend"),
    ("training",),
    ("exporting",),
    ("serving", "testing", "reference", "json_schema", "formatting", "reports", "templates", "drafting", "doctor"),
    ("run_comparison", "sweeping"),
    ("packaging",),
    ("explanations",),
    ("api",),
    ("language_server",),
    ("cli",),
    ("__main__",),
)
"""From the bottom up: a package may import what is in earlier groups, and nothing of its own group."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "training": (
        "processes",
        "detection",
        "problems",
        "catalogue",
        "objectives/__init__",
        "objectives/base",
        "objectives/plugin",
        "section",
        "plan",
        "checks",
        "batches",
        "loop",
        "backends",
        "evaluation/predictions",
        "objectives",
        "check",
        "trackers",
        "run",
        "evaluation",
        "__init__",
    ),
    "reports": (
        "facts",
        "images",
        "plots",
        "tensors",
        "examples",
        "errors",
        "activation_maps",
        "attention_maps",
        "convolutions",
        "results",
        "findings",
        "detections",
        "objectives",
        "page",
        "__init__",
    ),
    "onnx_backend": (
        "float64",
        "ties",
        "index_values",
        "samples",
        "builder",
        "passes",
        "reduced",
        "proto",
        "search",
        "value",
        "preprocessing",
        "interface",
        "layout",
        "activation",
        "call",
        "attention_cache",
        "recurrence",
        "conversion",
        "lower",
        "lowered",
        "emit",
        "decoding_loop",
        "sampling_loop",
        "parity",
        "proof",
        "export",
        "__init__",
    ),
}
"""The parts of some packages from the bottom up: folders and modules. A part may import those before it."""

EXCEPTIONS = {
    ("spec/document.py", "nnspec.graph.notebook"): "a notebook shows the layers of a spec, with their shapes",
    ("explanations/codes.py", "nnspec.api"): "the page of a code shows what `validate` reports of its example",
}
"""Imports against the order, file and imported module, each with its reason."""

_METHOD = "methods of an objective import what they need when they are called, so that reading a spec loads no objective"
PART_EXCEPTIONS = {
    ("training/objectives/__init__.py", "nnspec.training.objectives.base"): "what a plug-in must be, when one is loaded",
    ("training/objectives/base.py", "nnspec.training.objectives.check"): _METHOD,
    ("training/objectives/base.py", "nnspec.training.objectives.context"): _METHOD,
    ("training/objectives/base.py", "nnspec.training.objectives.supervised.task"): _METHOD,
    ("training/objectives/plugin.py", "nnspec.training.objectives.context"): "the type of a result, when it is returned",
    ("training/objectives/plugin.py", "nnspec.training.plan"): "the type of a result, when it is returned",
}
"""Imports against the order of the parts, likewise."""

LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


def is_wrong(each: Import) -> bool:
    source, target = each.source_part, each.target_part
    # `nnspec` itself holds the version and lazy names; anyone may import it.
    if target is None or source == target or "__init__" in (source, target):
        return False
    return LEVEL[target] >= LEVEL[source] and (each.file, each.target) not in EXCEPTIONS


def listed(kind: str) -> str:
    return "\n".join(str(each) for each in package_imports() if each.kind == kind and is_wrong(each))


def test_every_package_and_module_has_its_place_in_the_order():
    found = {path.name.removesuffix(".py") for path in ROOT.iterdir() if path.suffix == ".py" or any(path.glob("*.py"))}
    assert found - {"__init__"} == set(LEVEL)


def test_modules_import_only_from_below_when_they_are_imported():
    assert not listed("module")


def test_functions_import_only_from_below():
    assert not listed("function")


def test_annotations_name_only_types_from_below():
    assert not listed("type")


def part_of(package: str, path: str) -> str | None:
    """The part of a package that a module is in; None if no part is named after it.

    Args:
        package: The package.
        path: The module's path in it, without the ending.
    """
    return max((part for part in PARTS[package] if path == part or path.startswith(f"{part}/")), key=len, default=None)


def inside(package: str) -> Iterator[tuple[Import, str, str]]:
    """The imports of a package from itself, with the paths of both modules; names in annotations only are left out."""
    for each in package_imports():
        target = each.target.removeprefix(f"nnspec.{package}").replace(".", "/").removeprefix("/")
        if each.kind == "type" or not each.file.startswith(f"{package}/") or f"nnspec.{package}" not in each.target:
            continue
        if (ROOT / package / target / "__init__.py").exists():
            target = f"{target}/__init__".removeprefix("/")
        yield each, each.file.removeprefix(f"{package}/").removesuffix(".py"), target


@pytest.mark.parametrize("package", PARTS)
def test_every_module_is_in_a_part_of_its_package(package: str) -> None:
    paths = (path.relative_to(ROOT / package).with_suffix("").as_posix() for path in (ROOT / package).rglob("*.py"))
    assert not [path for path in paths if part_of(package, path) is None]


@pytest.mark.parametrize("package", PARTS)
def test_a_part_of_a_package_imports_only_from_below(package: str) -> None:
    levels = {part: level for level, part in enumerate(PARTS[package])}
    wrong = []
    for each, source, target in inside(package):
        own, other = part_of(package, source), part_of(package, target)
        assert own is not None
        assert other is not None
        if levels[other] > levels[own] and (each.file, each.target) not in PART_EXCEPTIONS:
            wrong.append(str(each))
    assert not wrong


def test_no_exception_outlives_its_import() -> None:
    found = {(each.file, each.target) for each in package_imports()}
    assert {*EXCEPTIONS, *PART_EXCEPTIONS} <= found
