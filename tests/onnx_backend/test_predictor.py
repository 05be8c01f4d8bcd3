"""Exported models, answering."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.exporting.keras_reference import keras_reference
from nnspec.onnx_backend import to_onnx
from nnspec.runtime.predictor import Predictor

from .nets import graph_of, lenet, random_weights, tagger


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("models") / "digits.onnx"
    graph = lenet()
    metadata = {"nnspec.spec.hash": "abc", "nnspec.classes": '{"digit": ["0", "1"]}', "nnspec.parity": '{"cases": 3}'}
    onnx.save(to_onnx(graph, random_weights(graph), metadata=metadata), file)
    return file


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    file = tmp_path_factory.mktemp("models") / "labels.onnx"
    graph = tagger()
    onnx.save(to_onnx(graph, random_weights(graph)), file)
    return Predictor(file)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 28, 28, 1), np.float32)


def test_it_answers_as_keras_does(digits: Path) -> None:
    graph = lenet()
    expected = keras_reference(graph, random_weights(graph))({"image": images(3)})["digit"]
    np.testing.assert_allclose(Predictor(digits).predict({"image": images(3)})["digit"], expected, atol=1e-6)


def test_more_than_a_batch_is_answered_in_parts_all_the_same(digits: Path) -> None:
    whole = Predictor(digits).predict({"image": images(11)})["digit"]
    parts = Predictor(digits, batch_size=4).predict({"image": images(11)})["digit"]
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_it_says_what_it_is(digits: Path) -> None:
    predictor = Predictor(digits)
    assert (predictor.hash, predictor.classes, predictor.parity) == ("abc", {"digit": ["0", "1"]}, {"cases": 3})
    assert str(predictor.inputs["image"]) == "`image` (batch, 28, 28, 1) float32"
    assert predictor.outputs["digit"].shape == ("batch", 10)


@pytest.mark.parametrize("array", [images(2).astype(np.float64), images(2).tolist(), (images(2) > 0.5).astype(np.uint8)])
def test_numbers_of_another_type_are_taken_where_nothing_is_lost(digits: Path, array: object) -> None:
    assert Predictor(digits).predict({"image": array})["digit"].shape == (2, 10)  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"imag": images(1)}, "no input `imag`; did you mean `image`?"),
        ({}, "the input `image` .* is missing"),
        ({"image": images(1)[0, :, :, 0]}, r"has 4 axes, the batch axis first; got the shape \(28, 28\)"),
        ({"image": np.zeros((1, 28, 27, 1), np.float32)}, r"has 28 elements on axis 2; got the shape \(1, 28, 27, 1\)"),
        ({"image": images(0)}, "is empty"),
        ({"image": np.full((1, 28, 28, 1), "7")}, "does not accept <U1 elements"),
        ({"image": [[1.0], [2.0, 3.0]]}, "is not an array"),
    ],
)
def test_what_does_not_fit_is_named(digits: Path, inputs: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(NnspecError, match=message):
        Predictor(digits).predict(inputs)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (np.ones((1, 4), np.float32), "does not accept float32 elements"),
        (np.full((1, 4), 2**40), "has elements outside -2147483648 … 2147483647"),
        (np.full((1, 4), 99), "has 99 in row 0"),
    ],
)
def test_tokens_that_do_not_fit_are_refused(labels: Predictor, tokens: np.ndarray, message: str) -> None:
    with pytest.raises(NnspecError, match=message):
        labels.predict({"tokens": tokens})


def test_one_symbol_has_one_size(tmp_path: Path) -> None:
    graph = graph_of("  - Concatenate:\n    from: [a, b]\n    name: y\n", "{a: [T, 2], b: [T, 3]}")
    onnx.save(to_onnx(graph, {}), tmp_path / "m.onnx")
    predictor = Predictor(tmp_path / "m.onnx")
    assert predictor.predict({"a": np.ones((1, 4, 2)), "b": np.ones((1, 4, 3))})["y"].shape == (1, 4, 5)
    with pytest.raises(NnspecError, match="`T` is 4 in the input `a` and 5 in the input `b`"):
        predictor.predict({"a": np.ones((1, 4, 2)), "b": np.ones((1, 5, 3))})
    with pytest.raises(NnspecError, match="`batch` is 1 in the input `a` and 2"):
        predictor.predict({"a": np.ones((1, 4, 2)), "b": np.ones((2, 4, 3))})


def test_conditions_on_free_sizes_are_checked_before_anything_runs(tmp_path: Path) -> None:
    graph = graph_of("  - Conv1D: {filters: 2, kernel_size: 5}\n    name: y\n", "{x: [T, 3]}")
    onnx.save(to_onnx(graph, random_weights(graph)), tmp_path / "m.onnx")
    with pytest.raises(NnspecError, match="`T` must be at least 5, not 4; the next valid size is 5"):
        Predictor(tmp_path / "m.onnx").predict({"x": np.ones((1, 4, 3))})


def test_a_file_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(NnspecError, match="cannot be loaded by ONNX Runtime"):
        Predictor(tmp_path / "bad.onnx")
    with pytest.raises(NnspecError, match=r"cannot read .*No such file"):
        Predictor(tmp_path / "none.onnx")
    with pytest.raises(NnspecError, match="is a folder"):
        Predictor(tmp_path)


def test_weights_from_other_files_are_refused(digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx.save(onnx.load(digits), tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (tmp_path / "w.bin").exists()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NnspecError, match=r"[Ee]xternal data"):
        Predictor(tmp_path / "m.onnx")


def test_it_needs_neither_onnx_nor_a_training_framework(digits: Path) -> None:
    code = (
        "import sys; sys.modules |= dict.fromkeys(['onnx', 'tensorflow', 'keras', 'pydantic_settings']);"
        "from nnspec.runtime.predictor import Predictor; import numpy as np;"
        f"print(Predictor({str(digits)!r}).predict({{'image': np.zeros((2, 28, 28, 1))}})['digit'].shape)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.strip() == "(2, 10)"


def test_an_output_that_is_called_like_an_input_keeps_its_name_here(tmp_path: Path) -> None:
    graph = graph_of("  - Dense: {units: 4}\n    name: y\n", "{state: [4]}", "{state: y}")
    weights = random_weights(graph)
    model = to_onnx(graph, weights)
    assert [output.name for output in model.graph.output] == ["state_out"]
    onnx.save(model, tmp_path / "m.onnx")
    inputs = {"state": np.ones((1, 4), np.float32)}
    given = Predictor(tmp_path / "m.onnx").predict(inputs)
    np.testing.assert_allclose(given["state"], keras_reference(graph, weights)(inputs)["state"], atol=1e-6)
