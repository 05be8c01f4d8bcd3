"""An installed package's layers work everywhere where the built-in ones do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
import onnx
import pytest
import yaml
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.json_schema import schema
from nnspec.layers import LAYERS
from nnspec.training import Run

DIGITS = "examples/plugin/digits.nnspec.yaml"


def run(*arguments: str) -> str:
    done = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_pip_installs_it_and_a_fresh_process_finds_it_and_loads_no_framework(site: Path) -> None:
    program = (
        "import sys; from nnspec.api import validate;"
        f"print([d.code for d in validate({DIGITS!r})]);"
        "print([m for m in ('keras', 'tensorflow', 'onnx', 'numpy') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{Path(nnspec.__file__).parents[1]}"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split("\n")[:2] == ["['NN323']", "[]"]


def test_installed_packages_are_not_looked_for_where_no_name_is_unknown() -> None:
    program = (
        "import sys, importlib.metadata\n"
        "importlib.metadata.entry_points = lambda **_: print('looked') or []\n"
        "from nnspec.cli import main\n"
        "sys.argv = ['nnspec', 'validate', sys.argv[1]]\n"
        "main()"
    )
    reported = {}
    for name, steps in {"known": "  - Dense: {units: 2}\n", "unknown": "  - Denze: {units: 2}\n"}.items():
        with TemporaryDirectory() as folder:
            file = Path(folder) / "net.nnspec.yaml"
            file.write_text(f"nnspec: 1\nname: net\ninputs: {{x: [4]}}\nlayers:\n{steps}", encoding="utf-8")
            done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False)
        reported[name] = done.stdout.split("\n")[0]
    assert reported == {"known": "1 spec OK", "unknown": "looked"}


def test_validate_says_which_layers_are_converted_and_does_not_fail_for_it(example: Path) -> None:
    done = CliRunner().invoke(main, ["validate", str(example), "--strict"])
    assert (done.exit_code, done.stdout) == (0, "1 spec OK\n")
    assert re.findall(r"(\w+)\[(NN\d+)\]: `(\w+)` of the package (\S+)", done.stderr) == [
        ("note", "NN323", "LocalResponseNormalization", "nnspec-example-layers")
    ]


@pytest.mark.parametrize(
    ("form", "found"), [("sarif", '"level": "note"'), ("github", "::notice "), ("json", '"severity": "note"')]
)
def test_a_note_is_a_note_in_every_format(example: Path, form: str, found: str) -> None:
    assert found in run("validate", str(example), "--strict", "--format", form)


def test_inspect_says_where_a_layer_comes_from_and_how_it_is_exported(example: Path) -> None:
    layers = {layer["op"]: layer.get("plugin") for layer in nnspec.inspect(example)["networks"]["main"]["layers"]}
    package = "nnspec-example-layers 0.1.0"
    assert layers["GatedLinearUnit"] == {"package": package, "export": "to_onnx"}
    assert layers["LocalResponseNormalization"] == {"package": package, "export": "tf2onnx"}
    assert layers["Dense"] is None
    assert f"GatedLinearUnit is from the package {package}, exported with to_onnx" in " ".join(
        run("inspect", str(example)).split()
    )


def test_explain_and_diff_know_its_arguments(example: Path, tmp_path: Path) -> None:
    assert "= silu" in run("explain", str(example), "gated_linear_unit.activation")
    assert "the default of `GatedLinearUnit`" in run("explain", str(example), "gated_linear_unit.use_bias")
    wider = tmp_path / "wider.nnspec.yaml"
    wider.write_text(example.read_text("utf-8").replace("units: 32", "units: 64"), encoding="utf-8")
    assert "gated_linear_unit" in run("diff", str(example), str(wider))
    assert run("layers", "GatedLinearUnit").startswith("## GatedLinearUnit\n")
    assert "nnspec-example-layers 0.1.0" in run("layers")


def test_the_schema_knows_it_where_that_is_asked_for(example: Path) -> None:
    document = yaml.safe_load(example.read_text("utf-8").replace("2e-3", "0.002"))
    jsonschema.validate(document, schema(plugins=True))
    assert "layer.GatedLinearUnit" not in schema()["$defs"]
    assert "layer.GatedLinearUnit" in json.loads(run("schema", "--plugins"))["$defs"]
    document["layers"][6] = {"GatedLinearUnit": {"unit": 3}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema(plugins=True))


def test_a_wrong_argument_a_misfit_and_a_misspelt_name_are_reported_as_of_a_built_in_layer(example: Path, checked) -> None:
    del example
    head = "nnspec: 1\nname: net\ninputs: {x: [T]}\nlayers:\n"
    for step, code, help in (
        ("GatedLinearUnit: {unit: 3}", "NN103", "did you mean `units`?"),
        ("GatedLinearUnit: {units: 3}", "NN301", "declare the size as a number"),
        ("GatedLinearUnits: {units: 3}", "NN204", "did you mean `GatedLinearUnit`?"),
        ("LocalResponseNormalization: {size: 4}", "NN105", ""),
    ):
        _, problems = checked(f"{head}  - {step}\n")
        assert [(d.code, help in d.help) for d in problems if d.is_error] == [(code, True)], step


def test_it_stands_in_wrappers_blocks_and_repeats_is_shared_and_frozen(example: Path, checked) -> None:
    del example
    model, problems = checked(
        "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nblocks:\n  gated:\n    layers:\n      - GatedLinearUnit: {units: 4}\n"
        "layers:\n  - gated\n  - TimeDistributed: {layer: {GatedLinearUnit: {units: 4}}}\n    freeze: true\n"
        "  - GatedLinearUnit: 4\n    name: again\n  - share: again\n  - Dense: {units: 2}\n    repeat: 2\n"
    )
    assert problems == []
    from nnspec.exporting.keras_reference import keras_reference
    from nnspec.onnx_backend.proof import verify
    from tests.onnx_backend.nets import random_weights

    weights = random_weights(model.main)
    onnx_model = nnspec.to_onnx(model.main, weights)
    assert verify(model.main, weights, onnx_model, keras_reference(model.main, weights)).agrees


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_it_is_trained_exported_and_proven(example: Path, tmp_path: Path) -> None:
    folder, file = tmp_path / "run", tmp_path / "digits.onnx"
    run("train", str(example), "--out", str(folder), "--set", "train.epochs=4", "--set", "data.validation=0.1")
    assert Run.open(folder).info["versions"]["nnspec-example-layers"] == "0.1.0"
    run("export", str(folder), "-o", str(file))
    model = onnx.load(file)
    names = {constant.name for constant in model.graph.initializer}
    assert {"gated_linear_unit/kernel", "gated_linear_unit/bias", "conv2d/kernel"} <= names
    assert any(node.name == "local_response_normalization/Pow" for node in model.graph.node)
    figures = json.loads(next(entry.value for entry in model.metadata_props if entry.key == "nnspec.parity"))
    assert figures["outputs"]["digit"]["error"] <= figures["outputs"]["digit"]["tolerance"]
    assert "digit" in run("predict", str(file), "--data", "builtin: digits", "--limit", "2")


def test_nothing_is_left_of_it_when_it_is_gone(checked) -> None:
    assert LAYERS.plugins is not None
    assert "GatedLinearUnit" not in LAYERS.plugins.found
    _, problems = checked("nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - GatedLinearUnit: {units: 3}\n")
    assert [d.code for d in problems] == ["NN204"]
