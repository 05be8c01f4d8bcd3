"""A package that is broken is named, with what is wrong with it; nobody sees a traceback."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from nnspec.cli import main

HEAD = """
from nnspec.layers.base import Layer, LayerError, single
from nnspec.types import Weight

class Base(Layer):
    def infer(self, inputs): return single(inputs["x"].shape)
    def to_keras(self, **arguments): raise RuntimeError("no Keras layer")
"""
SPEC = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Mine\n  - Dense: {units: 2}\n"


def problems_of(checked, text: str = SPEC) -> list[tuple[str, str]]:
    _, problems = checked(text)
    return [(problem.code, problem.message) for problem in problems if problem.code != "NN323"]


@pytest.mark.parametrize(
    ("code", "reported"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("Other = 1", "AttributeError"),
        ("class Mine: pass", "is not a subclass of `nnspec.layers.base.Layer`"),
        ("def Mine(): pass", "is not a subclass of `nnspec.layers.base.Layer`"),
        (HEAD + "class Yours(Base): pass\nMine = Yours", "has a different name than its entry point, `Mine`"),
        (HEAD + "class Mine(Layer):\n    def to_keras(self): return 3", "does not implement `infer`"),
        (HEAD + "class Mine(Layer):\n    def infer(self, inputs): return {}", "does not implement `to_keras`"),
        (HEAD + "class Mine(Base):\n    units: 'Nowhere' = 3", "has fields that pydantic cannot read"),
    ],
)
def test_a_package_that_cannot_be_used_is_named(package, checked, code: str, reported: str) -> None:
    package("broken-layers", ["Mine"], code)
    [(number, message)] = problems_of(checked)
    assert number == "NN320"
    assert "the package broken-layers 1.0" in message
    assert reported in message


@pytest.mark.parametrize(
    ("body", "reported"),
    [
        (
            "def infer(self, inputs): return inputs['y']",
            "`Mine.infer` of the package broken-layers 1.0 fails with KeyError: 'y'",
        ),
        ("def infer(self, inputs): return inputs['x'].shape", "returns tuple, expected outputs by name"),
        ("def infer(self, inputs): return {}", "returns dict, expected outputs by name"),
        ("def mask(self, inputs): return 3", "`Mine.mask` of the package broken-layers 1.0 returns int"),
        ("def weights(self, inputs): return [Weight('kernel', (3,))]", "returns list, expected a tuple of `Weight`"),
        (
            "def macs(self, inputs): return None",
            "`Mine.macs` of the package broken-layers 1.0 returns NoneType, expected a number",
        ),
        ("def receptive_field(self, inputs): return 1 / 0", "fails with ZeroDivisionError"),
    ],
)
def test_a_fact_that_is_none_is_named_with_its_package(package, checked, body: str, reported: str) -> None:
    package("broken-layers", ["Mine"], f"{HEAD}class Mine(Base):\n    {body}\n")
    [(number, message)] = problems_of(checked)
    assert number == "NN321"
    assert reported in message


def test_a_layer_that_says_what_does_not_fit_is_no_broken_one(package, checked) -> None:
    package("strict-layers", ["Mine"], HEAD + "class Mine(Base):\n    def infer(self, inputs): raise LayerError('too small')\n")
    assert problems_of(checked) == [("NN301", "too small")]


def test_a_name_that_two_packages_bring_is_nobodys(package, checked) -> None:
    for name in ("first-layers", "second-layers"):
        package(name, ["Mine"], HEAD + "class Mine(Base): pass")
    [(number, message)] = problems_of(checked)
    assert number == "NN320"
    assert "first-layers 1.0 and second-layers 1.0" in message


def test_a_built_in_name_stays_built_in_and_the_package_is_named(package, checked) -> None:
    package("bold-layers", ["Mine", "Dense"], HEAD + "class Mine(Base): pass\nclass Dense(Base): pass")
    assert problems_of(checked) == [("NN322", "`Dense` is the built-in layer, not the one of the package bold-layers 1.0")]
    assert problems_of(checked, SPEC.replace("  - Mine\n", "")) == []
    done = CliRunner().invoke(main, ["layers"])
    assert done.exit_code == 1
    assert "the package bold-layers 1.0 defines `Dense`, which is built in" in done.stderr


def test_a_broken_layer_inside_a_wrapper_is_reported_there(package, checked) -> None:
    package("broken-layers", ["Mine"], "raise ValueError('no')")
    text = "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - TimeDistributed: {layer: Mine}\n"
    [(number, _)] = problems_of(checked, text)
    assert number == "NN320"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("code", "reported"),
    [
        ("class Mine(Base): pass", "the layer `Mine` of the package broken-layers 1.0: `to_keras` fails with RuntimeError"),
        ("class Mine(Base):\n    def to_keras(self, **a): return 3", "`to_keras` returns int, expected a Keras layer"),
        (
            "class Mine(Base):\n    def to_keras(self, **a):\n        import keras\n        return keras.layers.Dense(7, **a)",
            "`infer` returns (batch, 4), but its Keras layer returns (batch, 7)",
        ),
        (
            "class Mine(Base):\n    def to_keras(self, **a):\n        import keras\n        return keras.layers.Dense(4, **a)",
            "`weights` returns none, but its Keras layer has `kernel` 4 × 4, `bias` 4",
        ),
        (
            "class Mine(Base):\n    def to_keras(self, **a):\n        import keras\n        return keras.layers.Conv2D(4, 3, **a)",
            "its Keras layer fails with ValueError",
        ),
        (
            "class Mine(Base):\n    def to_keras(self, **a):\n        import keras\n        return keras.layers.ReLU(**a)\n"
            "    def to_onnx(self, b, call): return 1 / 0",
            "`to_onnx` fails with ZeroDivisionError",
        ),
    ],
)
def test_a_lowering_that_fails_is_an_error_with_the_package_and_nothing_is_written(
    package, write, tmp_path, code, reported
) -> None:
    package("broken-layers", ["Mine"], HEAD + code)
    done = CliRunner().invoke(main, ["build", str(write(SPEC)), "-o", str(tmp_path / "out")])
    assert done.exit_code == 1, done.stderr
    assert reported in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("*.onnx"))


def test_the_schema_with_a_broken_package_is_an_error_that_names_it(package) -> None:
    package("broken-layers", ["Mine"], "raise ValueError('no')")
    done = CliRunner().invoke(main, ["schema", "--plugins"])
    assert done.exit_code == 1
    assert "broken-layers 1.0" in done.stderr
