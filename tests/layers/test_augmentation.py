"""Random changes of pictures: something in training, nothing otherwise and nothing in what is exported."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from nnspec.api import validate
from nnspec.keras_backend import to_keras
from nnspec.layers import LAYERS, UNSUPPORTED
from nnspec.layers.augmentation import Augmentation
from nnspec.layers.base import LayerError
from nnspec.layers.image_geometry import RandomCrop
from nnspec.onnx_backend.emit import to_onnx
from nnspec.types import TensorType

from .cases import Case
from .picture_cases import picture_cases

RANDOM = [case for case in picture_cases() if "seed" in case.arguments]


def pictures(case: Case, batch: int = 8) -> np.ndarray:
    shape = [{"H": 12, "W": 10}.get(str(size), size) for size in case.inputs["x"].shape]
    return np.random.default_rng(0).uniform(0.05, 0.95, (batch, *shape)).astype("float32")


def trained_on(case: Case, seed: int = 1, steps: int = 3) -> list[np.ndarray]:
    model = to_keras(case.graph(), seed=seed)
    step = tf.function(lambda x: model({"in_x": x}, training=True)["output"])
    return [step(pictures(case)).numpy() for _ in range(steps)]


@pytest.mark.parametrize("factor", [-1, 1.5, [0.5, 2]])
def test_a_zoom_that_keras_would_not_build_is_refused(factor: Any) -> None:
    with pytest.raises(ValueError, match="height_factor"):
        LAYERS.get("RandomZoom")(height_factor=factor)


@pytest.mark.parametrize("factor", [-1.5, 2.5, [0.5, 2]])
def test_a_turn_that_keras_would_not_build_is_refused(factor: Any) -> None:
    with pytest.raises(ValueError, match="factor"):
        LAYERS.get("RandomRotation")(factor=factor)


def test_every_random_change_of_pictures_has_a_case_with_a_seed() -> None:
    catalogue = {name for name in LAYERS.names() if issubclass(LAYERS.get(name), Augmentation)}
    assert catalogue == {case.op for case in RANDOM}


@pytest.mark.parametrize("case", RANDOM, ids=str)
def test_a_random_layer_changes_its_input_in_training_the_same_way_from_the_same_seed(case: Case) -> None:
    first, again = trained_on(case), trained_on(case, seed=2)
    assert all(np.isfinite(output).all() for output in first)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)  # the layer's own seed, not the build's
    changed = [output.shape != pictures(case).shape or np.abs(output - pictures(case)).max() > 1e-3 for output in first]
    assert any(changed) or case.op == "RandomCrop"


@pytest.mark.parametrize("case", [case for case in RANDOM if case.op != "RandomCrop"], ids=str)
def test_nothing_of_a_random_layer_is_exported(case: Case) -> None:
    model = to_onnx(case.graph(), {})
    assert [node.op_type for node in model.graph.node] == ["Identity"]


def test_two_random_layers_without_a_seed_draw_apart_and_follow_the_seed_of_the_build() -> None:
    case = Case("RandomTranslation", {"height_factor": 0.4, "width_factor": 0.4}, dict(RANDOM[1].inputs))
    first, again, other = trained_on(case, 1), trained_on(case, 1), trained_on(case, 2)
    np.testing.assert_array_equal(first, again)
    assert np.abs(np.array(first) - np.array(other)).max() > 1e-3
    assert np.abs(first[0] - first[1]).max() > 1e-3


def test_a_crop_in_training_is_a_part_of_the_picture_and_all_parts_occur() -> None:
    case = Case("RandomCrop", {"height": 3, "width": 4}, {"x": RANDOM[-1].inputs["x"]})
    x = pictures(case)
    height, width = x.shape[1:3]
    found = set()
    for output in trained_on(case, steps=200):
        places = [
            (i, j) for i in range(height - 2) for j in range(width - 3) if np.array_equal(x[:, i : i + 3, j : j + 4], output)
        ]
        assert len(places) == 1
        found.add(places[0])
    assert {i for i, _ in found} == set(range(height - 2))
    assert {j for _, j in found} == set(range(width - 3))


def test_a_crop_in_inference_is_what_keras_documents_smart_resizing() -> None:
    for size, target in (((8, 12), (4, 4)), ((9, 7), (5, 6)), ((4, 6), (8, 8))):
        case = Case("RandomCrop", {"height": target[0], "width": target[1]}, {"x": _input(*size, 3)})
        x = pictures(case, 2)
        wanted = keras.preprocessing.image.smart_resize(x, target)
        np.testing.assert_allclose(to_keras(case.graph())({"in_x": x})["output"], wanted, atol=1e-6)


def _input(*shape: int) -> Any:
    from .cases import Input

    return Input(shape)


@pytest.mark.parametrize(
    ("op", "arguments", "type", "words"),
    [
        ("RandomHue", {"factor": 0.1}, TensorType((8, 8, 1)), "takes images with 3 channels"),
        ("RandomGrayscale", {}, TensorType((8, 8, 4)), "takes images with 1 or 3 channels"),
        ("RandomFlip", {}, TensorType((8, 8)), "takes (height, width, channels)"),
        ("RandomFlip", {}, TensorType((8, 8, 1), "uint8"), "takes floats, got uint8"),
    ],
)
def test_a_random_layer_says_what_it_takes(op: str, arguments: dict[str, Any], type: TensorType, words: str) -> None:
    with pytest.raises(LayerError, match=words.replace("(", r"\(").replace(")", r"\)")):
        LAYERS.get(op)(**arguments).infer({"x": type})  # type: ignore[attr-defined]


def test_a_crop_needs_to_know_the_size_of_its_pictures() -> None:
    with pytest.raises(LayerError, match="fixed height and width"):
        RandomCrop(height=3, width=3).infer({"x": _case_type()})


def _case_type() -> TensorType:
    return next(picture_cases()).inputs["x"].type


@pytest.mark.parametrize("case", RANDOM, ids=str)
def test_a_random_layer_does_nothing_where_nobody_says_that_it_trains_also_when_it_was_saved(case: Case, tmp_path) -> None:
    model = to_keras(case.graph(), seed=1)
    x = pictures(case)
    wanted = model({"in_x": x}, training=False)["output"]
    np.testing.assert_array_equal(model({"in_x": x})["output"], wanted)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded({"in_x": x})["output"], wanted)


def test_every_random_layer_of_keras_is_in_the_catalogue_or_says_why_it_is_not() -> None:
    from keras.src.layers.preprocessing.image_preprocessing.base_image_preprocessing_layer import BaseImagePreprocessingLayer

    theirs = {
        name
        for name, thing in vars(keras.layers).items()
        if isinstance(thing, type) and issubclass(thing, BaseImagePreprocessingLayer)
    }
    augmenting = theirs - {"CenterCrop", "MaxNumBoundingBoxes", "Resizing"}
    assert augmenting <= set(LAYERS.names()) | set(UNSUPPORTED)
    assert not set(LAYERS.names()) & set(UNSUPPORTED)


def test_a_layer_that_mixes_targets_says_where_it_belongs(tmp_path) -> None:
    path = tmp_path / "net.nnspec.yaml"
    path.write_text("nnspec: 1\nname: net\ninputs: {x: [8, 8, 3]}\nlayers:\n  - MixUp: {alpha: 0.2}\n  - Flatten\n")
    [found] = [diagnostic for diagnostic in validate(str(path)) if diagnostic.is_error]
    assert "augment: [MixUp]" in found.help
