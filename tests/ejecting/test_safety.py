"""Text of a spec never becomes code, and what cannot be written is an error that names the layer."""

from __future__ import annotations

import ast

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.diagnostics import NnspecError
from nnspec.ejecting import ejected
from nnspec.ejecting.compute import _docstring
from nnspec.ejecting.layout import flat, literal, statement, text
from nnspec.ejecting.names import Names, class_name, identifier
from nnspec.ejecting.objects import Objects
from nnspec.ejecting.own_layers import OwnLayers
from nnspec.graph.model import Graph
from nnspec.keras_backend import layers as own

from ..onnx_backend.nets import graph_of_text
from .documents import SHARED

HOSTILE = 'a"""\nimport os\nos.system("touch /tmp/x")\n"""\\'


@given(st.text())
def test_a_text_is_one_literal(value: str) -> None:
    code = text(value)
    assert ast.literal_eval(code) == value
    assert code.isascii()
    assert "\n" not in code


@given(st.text())
def test_a_name_is_an_identifier(value: str) -> None:
    for name in (identifier(value), class_name(value)):
        assert name.isidentifier()
        assert name.isascii()
        ast.parse(f"{name} = 1")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda each: st.lists(each) | st.lists(each).map(tuple) | st.dictionaries(st.text(), each)))  # fmt: skip
def test_a_value_is_its_literal_on_one_line_and_on_several(value: object) -> None:
    code = literal(value)
    assert ast.literal_eval(flat(code)) == value
    assert ast.literal_eval(statement("", code, 0)) == value


def test_names_are_distinct() -> None:
    names = Names({"x"})
    assert [names.new("x"), names.new("x"), names.new("y"), names.numbered("y")] == ["x_2", "x_3", "y", "y_1"]


def _statements(code: str) -> set[str]:
    """The kinds of the statements of a module, and the functions that it calls."""
    kinds = {type(node).__name__ for node in ast.parse(code).body}
    calls = {
        node.func.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return kinds | calls


def test_the_name_of_a_spec_is_no_code() -> None:
    graph = graph_of_text(SHARED)
    assert _statements(ejected({"main": graph}, HOSTILE)) == _statements(ejected({"main": graph}, "shared"))


def test_the_names_of_networks_and_their_layers_are_no_code() -> None:
    graph = graph_of_text(SHARED)
    nodes = {name.replace("one", "o'\\n\"ne"): node for name, node in graph.nodes.items()}
    renamed = Graph(f"ma{HOSTILE.replace('/', '')}in", graph.inputs, nodes, graph.outputs)
    code = ejected({HOSTILE: renamed}, "shared")
    assert "os.system" not in {ast.unparse(node.func) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)}


def test_an_expression_in_a_docstring_is_no_code() -> None:
    for expression in ('cast(at, \'float32\') + """\n', "x\\"):
        layer = own.Compute({"output": expression}, ["x"], name="c")
        lines = _docstring(layer)
        [body] = ast.parse("class C:\n" + "\n".join(lines) + "\n").body
        assert isinstance(body, ast.ClassDef)
        assert [type(node).__name__ for node in body.body] == ["Expr"]


@pytest.mark.parametrize("name", sorted(set(own.__all__) - {"CELLS", "DEFAULTS", "DILATED", "Compute"}))
def test_the_source_of_every_layer_stands_alone(name: str) -> None:
    found = OwnLayers()
    found.add(getattr(own, name))
    code = "\n".join([found.future, *found.imports, "import keras", "from keras import ops", *found.sources])
    assert "nnspec" not in {line.split()[1].partition(".")[0] for line in found.imports}
    module: dict[str, object] = {}
    custom = dict(keras.saving.get_custom_objects())
    exec(compile(code, "model.py", "exec", dont_inherit=True), module)  # its names are defined
    keras.saving.get_custom_objects().clear()
    keras.saving.get_custom_objects().update(custom)
    assert isinstance(module[name], type)


def test_the_sources_of_all_layers_fit_into_one_file() -> None:
    found = OwnLayers()
    for kind in [*own.DEFAULTS.values(), *own.CELLS.values(), *own.DILATED.values(), own.Recurrence, own.GatedLSTMCell]:
        found.add(kind)
    assert len(found.sources) > 20


def test_a_layer_of_another_package_is_an_error_that_names_it() -> None:
    class Foreign(keras.layers.Layer):  # type: ignore[misc]
        pass

    objects = Objects(OwnLayers(), lambda model: "")
    with pytest.raises(NnspecError, match="cannot eject the layer `odd`: `Foreign` is a class of the package `tests`"):
        objects.code(Foreign(name="odd"))


def test_a_layer_that_needs_the_rest_of_this_package_is_an_error() -> None:
    with pytest.raises(NnspecError, match=r"cannot eject the layer `Compute`: its code needs `nnspec\.functions"):
        OwnLayers().add(own.Compute)
