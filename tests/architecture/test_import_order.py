"""Packages import only what is above them in one list."""

from __future__ import annotations

from tests.architecture.imports import ROOT, Import, package_imports

ORDER: tuple[tuple[str, ...], ...] = (
    ("printable", "json_words"),
    ("diagnostics",),
    ("files", "extras", "html_page"),
    ("types",),
    ("expressions",),
    ("functions",),
    ("layers",),
    ("spec",),
    ("sections",),
    ("graph",),
    ("drawing", "keras_backend", "keras_import", "comparison"),
    ("data",),
    ("generation",),
    ("runtime",),
    ("onnx_backend",),
    ("training",),
    ("exporting",),
    ("serving", "sweeping", "testing", "reference", "json_schema", "formatting", "reports", "templates", "doctor"),
    ("packaging",),
    ("explanations",),
    ("api",),
    ("cli",),
    ("__main__",),
)
"""From the bottom up: a package may import what is in earlier groups, and nothing of its own group."""

EXCEPTIONS = {
    ("explanations/codes.py", "nnspec.api"): "the page of a code shows what `validate` reports of its example",
}
"""Imports against the order, file and imported module, each with its reason."""

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


def test_no_exception_outlives_its_import():
    found = {(each.file, each.target) for each in package_imports()}
    assert EXCEPTIONS.keys() <= found
