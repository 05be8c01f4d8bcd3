"""A layer is all there, or this says what it lacks: its facts, both lowerings, cases for its proof, its page."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import keras
import pytest

from nnspec.json_schema import schema
from nnspec.keras_backend import lower as keras_lower
from nnspec.keras_backend.layers import DEFAULTS
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.onnx_backend import lower as onnx_lower
from nnspec.reference.examples import examples
from nnspec.reference.pages import families

from .cases import CASES

DOCS = Path(__file__).parents[2] / "docs" / "layers"
DEFINED = schema()["$defs"]


def lacks(name: str) -> list[str]:
    """What a layer lacks, each with the place to put it."""
    kind = LAYERS.get(name)
    assert issubclass(kind, Layer)
    family = next(family for family, names in families().items() if name in names)
    page = DOCS / f"{family}.md"
    cases = [case for case in CASES if case.op == name]
    has = {
        f"`infer`: nnspec/layers/{family}.py": kind.infer is not Layer.infer,
        f"a docstring of its own: nnspec/layers/{family}.py": bool(kind.__dict__.get("__doc__")),
        f"a description of each argument: nnspec/layers/{family}.py": all(f.description for f in kind.model_fields.values()),
        f"an ONNX form: TABLE of nnspec/onnx_backend/lower/{family}.py": onnx_lower.has_lowering(kind),
        f"a Keras form: TABLE of nnspec/keras_backend/lower/{family}.py": keras_lower.has_lowering(kind),
        "a case: tests/layers/cases.py": bool(cases),
        "a case with each argument: tests/layers/cases.py": {a for c in cases for a in c.arguments} == set(kind.arguments()),
        "a page: `nnspec layers --write docs`": page.exists() and f"\n## {name}\n" in page.read_text("utf-8"),
        "an example on its page: _GIVEN of nnspec/reference/examples.py, or other sizes there": kind.infer is not Layer.infer
        and bool(examples(kind)),
        "a place in the JSON Schema: `nnspec schema -o schemas/nnspec-v1.schema.json`": f"layer.{name}" in DEFINED,
    }
    return [what for what, there in has.items() if not there]


@pytest.mark.parametrize("name", LAYERS.names())
def test_a_layer_lacks_nothing(name: str) -> None:
    missing = lacks(name)
    assert not missing, f"{name} lacks\n" + "\n".join(f"  - {what}" for what in missing)


def test_no_case_is_of_a_layer_that_is_not_there() -> None:
    assert {case.op for case in CASES} <= set(LAYERS.names())


def test_a_layer_that_lacks_everything_is_reported_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hollow(Layer):
        pass

    monkeypatch.setitem(LAYERS.modules, "Hollow", "nnspec.layers.hollow")
    monkeypatch.setattr(type(LAYERS), "get", lambda self, name: Hollow)
    assert len(lacks("Hollow")) == 8  # it has no argument to describe or to try


def test_a_layer_without_a_family_module_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hollow(Layer):
        pass

    assert not onnx_lower.has_lowering(Hollow)
    assert not keras_lower.has_lowering(Hollow)


def tables(package: ModuleType) -> dict[str, Mapping[type[Layer], Any]]:
    """The lowering tables of a backend, by module."""
    modules = {module.name: import_module(f"{package.__name__}.{module.name}") for module in iter_modules(package.__path__)}
    return {name: module.TABLE for name, module in modules.items() if hasattr(module, "TABLE")}


@pytest.mark.parametrize("package", [keras_lower, onnx_lower])
def test_each_lowering_table_has_layers_of_the_family_of_its_name_alone(package: ModuleType) -> None:
    for family, table in tables(package).items():
        assert {kind.__module__ for kind in table} == {f"nnspec.layers.{family}"}


@pytest.mark.parametrize("name", LAYERS.names())
def test_a_layer_has_one_keras_form_a_lowering_or_a_class_of_ours_or_a_class_of_keras(name: str) -> None:
    kind = LAYERS.get(name)
    lowerings = [kind] if any(base in table for table in tables(keras_lower).values() for base in kind.__mro__) else []
    ours = ["default"] if name in DEFAULTS else []
    assert len(lowerings + ours) == 1 or (not lowerings + ours and hasattr(keras.layers, name))
