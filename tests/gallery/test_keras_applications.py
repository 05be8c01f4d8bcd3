"""The networks of the gallery compute what those of ``keras.applications`` compute from the same weights."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.imports import disturb
from nnspec.graph import compile
from nnspec.spec import load
from tests.gallery.commands import SPECS

keras = pytest.importorskip("keras")

NETWORKS = {
    "vgg16": ("VGG16", 32),
    "inception_v3": ("InceptionV3", 75),
    "densenet121": ("DenseNet121", 32),
    "mobilenet_v2": ("MobileNetV2", 64),
    "efficientnet_b0": ("EfficientNetB0", 64),
    "convnext_tiny": ("ConvNeXtTiny", 32),
}


def in_our_shape(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A kernel of theirs: a grouped convolution may be ours in depth, and a convolution by 1 × 1 our dense layer."""
    if array.shape != shape and array.shape[:2] == shape[:2]:
        array = array.swapaxes(2, 3)
    return array if array.shape == shape else array.reshape(shape)


@pytest.mark.full
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_computes_what_that_of_keras_does(name):
    from nnspec.keras_backend import to_keras

    application, size = NETWORKS[name]
    overrides = ["params.classes=100", f"params.size={size}"]
    graph = compile(load(SPECS / f"{name}.nnspec.yaml", overrides)).main
    keras.utils.set_random_seed(1)
    theirs = getattr(keras.applications, application)(
        weights=None, input_shape=(size, size, 3), classes=100, classifier_activation=None
    )
    kinds = {type(layer).__name__ for layer in theirs.layers}
    scale = 255 if "Rescaling" in kinds else 1
    images = np.random.default_rng(2).uniform(0, scale, (4, size, size, 3)).astype(np.float32)
    disturb(theirs, images)
    ours = to_keras(graph)
    wanted = [weight.shape for weight in ours.weights]
    ours.set_weights([in_our_shape(weight, shape) for weight, shape in zip(theirs.get_weights(), wanted, strict=True)])
    ours.get_layer("label").activation = keras.activations.linear  # a softmax would hide what differs
    expected = np.asarray(theirs(images, training=False))
    if application == "ConvNeXtTiny":  # it standardizes images first
        [normalization] = [layer for layer in theirs.layers if type(layer).__name__ == "Normalization"]
        images = np.asarray(normalization(images))
    given = np.asarray(ours({"image": images / scale}, training=False)["label"])
    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-3 * np.ptp(expected, axis=0).max())  # how images differ
