"""Ejected files build the same models as nnspec where nnspec cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.exporting import ejected
from nnspec.onnx_backend.samples import draw

from .documents import DOCUMENTS, SHARED

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves

_SCRIPT = """
import importlib.util, json, sys
sys.modules["nnspec"] = None  # importing it raises ImportError
import keras, numpy as np

found = {}
for name, folder in json.loads(sys.argv[1]).items():
    spec = importlib.util.spec_from_file_location(name, f"{folder}/model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.build_model()
    module.load_weights(model, f"{folder}/weights.safetensors")
    outputs = model(dict(np.load(f"{folder}/inputs.npz")), training=False)
    np.savez(f"{folder}/outputs.npz", **{key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()})
    model(dict(np.load(f"{folder}/inputs.npz")), training=True)
    if name != "cells":  # Keras does not load a file in which two models share layers
        model.save(f"{folder}/again.keras")
        keras.saving.load_model(f"{folder}/again.keras")
    found[name] = sorted(layer.name for layer in model.layers)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The folder of each document, with its files and inputs."""
    found = {}
    for name, text in DOCUMENTS.items():
        found[name] = folder = tmp_path_factory.mktemp(name)
        (folder / "net.nnspec.yaml").write_text(text)
        spec = nnspec.load(folder / "net.nnspec.yaml")
        nnspec.build(spec, folder, seed=3, eject=True)
        *_, inputs = draw(nnspec.compile(spec).main, seed=5, empty_rows=False)
        np.savez(folder / "inputs.npz", **inputs)
    return found


@pytest.fixture(scope="module")
def layers(built: Mapping[str, Path]) -> Mapping[str, list[str]]:
    """The names of the layers of each model that a Python without nnspec has built; its outputs are beside the files."""
    folders = json.dumps({name: str(folder) for name, folder in built.items()})
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, folders], capture_output=True, text=True, check=False, timeout=300, cwd=built["shared"]
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_file_computes_what_the_exported_model_computes(
    name: str, built: Mapping[str, Path], layers: Mapping[str, list[str]]
) -> None:
    inputs, found = (dict(np.load(built[name] / f"{file}.npz")) for file in ("inputs", "outputs"))
    wanted = nnspec.Predictor(built[name] / "model.onnx").predict(inputs)
    assert found.keys() == wanted.keys()
    for output, array in wanted.items():
        np.testing.assert_allclose(found[output], array, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_file_keeps_the_names_of_the_layers(name: str, built: Mapping[str, Path], layers: Mapping[str, list[str]]) -> None:
    model = nnspec.to_keras(nnspec.compile(nnspec.load(built[name] / "net.nnspec.yaml")).main)
    assert layers[name] == sorted(layer.name for layer in model.layers)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_file_needs_keras_alone_and_fits_on_the_screen(name: str, built: Mapping[str, Path]) -> None:
    text = (built[name] / "model.py").read_text()
    imports = {line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imports <= {"__future__", "keras", "typing", "collections", "math"}
    assert "Lambda" not in text
    assert max(map(len, text.splitlines())) <= 128


def test_expressions_are_code_of_keras_ops(built: Mapping[str, Path]) -> None:
    text = (built["expressions"] / "model.py").read_text()
    assert "memory * sigmoid(scale * memory)" in text
    assert "return ops.multiply(memory, keras.activations.sigmoid(ops.multiply(1.702, memory)))" in text
    assert "shape(noisy)[1]" in text


def test_an_expression_of_tensors_of_two_sizes_reads_the_size(built: Mapping[str, Path]) -> None:
    text = (built["sizes"] / "model.py").read_text()
    assert "ops.shape(" in text
    assert text.count("class ") == 1


def test_a_block_that_is_used_several_times_is_a_function_of_what_differs(built: Mapping[str, Path]) -> None:
    text = (built["convolutional"] / "model.py").read_text()
    assert "def stage_block(x, name, filters):" in text
    assert 'name=f"{name}.conv2d"' in text
    assert 'stage_0 = stage_block(image, "stage.0", filters=4)' in text
    assert 'wide = stage_block(stage_1, "wide", filters=8)' in text


def test_a_network_that_is_used_twice_is_constructed_once(built: Mapping[str, Path]) -> None:
    text = (built["shared"] / "model.py").read_text()
    main = text[text.index("def build_model") :]
    assert main.count("keras.layers.Dense(") == 1
    assert "def build_tower()" in text


def test_a_loop_shares_layers_with_the_rest_of_the_network(built: Mapping[str, Path]) -> None:
    text = (built["cells"] / "model.py").read_text()
    main = text[text.index("def build_model") :]
    assert main.count("keras.layers.Dense(") == 1
    assert "cell=build_one(step_mixed_layer, step_new_h_layer)" in main
    assert "cell=build_two(step_mixed_layer, step_new_h_layer)" in main


def test_a_difference_is_an_error_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.nnspec.yaml").write_text(SHARED)
    right = ejected.ejected
    monkeypatch.setattr(ejected, "ejected", lambda *given: right(*given).replace('activation="relu"', 'activation="elu"'))
    with pytest.raises(NnspecError, match="cannot eject the network `tower`: its code computes other outputs"):
        nnspec.build(tmp_path / "net.nnspec.yaml", tmp_path / "build", seed=1, eject=True)
    assert not list((tmp_path / "build").glob("model.py"))
    assert not list((tmp_path / "build").glob("*.part*"))


def test_code_that_imports_this_package_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.nnspec.yaml").write_text(SHARED)
    right = ejected.ejected
    monkeypatch.setattr(ejected, "ejected", lambda *given: right(*given) + "\n\ndef f():\n    import nnspec\n")
    with pytest.raises(NnspecError, match="the code imports `nnspec`"):
        nnspec.build(tmp_path / "net.nnspec.yaml", tmp_path / "build", seed=1, eject=True)


def test_without_the_option_no_code_is_written(tmp_path: Path) -> None:
    (tmp_path / "net.nnspec.yaml").write_text(SHARED)
    files, _ = nnspec.build(tmp_path / "net.nnspec.yaml", tmp_path / "build", seed=1)
    assert not [file for file in files if file.suffix in (".py", ".safetensors")]


def test_the_command_names_the_files(tmp_path: Path) -> None:
    (tmp_path / "net.nnspec.yaml").write_text(SHARED)
    done = CliRunner().invoke(main, ["build", str(tmp_path / "net.nnspec.yaml"), "-o", str(tmp_path / "build"), "--eject"])
    assert done.exit_code == 0, done.output
    assert {"model.py", "weights.safetensors"} <= {Path(line).name for line in done.output.splitlines()}
