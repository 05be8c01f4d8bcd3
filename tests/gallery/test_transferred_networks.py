"""Networks of the gallery compute what those of Keras and torchvision compute whose files of weights they start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.imports import disturb
from nnspec.graph import compile
from nnspec.spec import load
from nnspec.training.run.initial_weights import starting
from tests.gallery.commands import SPECS

pytestmark = pytest.mark.full


def started(text: str, folder: Path, file: str, images: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The outputs of a spec that starts from a file, without the softmax of `label`, and what it left unused."""
    from nnspec.keras_backend import set_weight_arrays, to_keras

    spec_file = folder / "net.nnspec.yaml"
    spec_file.write_text(
        text.partition("\ndata:")[0].partition("\nbudget:")[0].replace("\ninputs:\n", f"\nweights: {file}\ninputs:\n", 1) + "\n"
    )
    spec = load(spec_file)
    graph = compile(spec).main
    found = starting(spec, graph)
    ours = to_keras(graph)
    set_weight_arrays(ours, graph, found.weights)
    ours.get_layer("label").activation = lambda x: x  # a softmax would hide what differs
    return np.asarray(ours({"image": images}, training=False)["label"]), list(found.taken[0].unused)


def assert_equal(given: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-4 * np.ptp(expected, axis=0).max())


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras, with NumPy 2
@pytest.mark.parametrize(("name", "application"), [("resnet50", "ResNet50"), ("mobilenet_v2", "MobileNetV2")])
def test_files_of_keras_applications(name, application, tmp_path):
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(1)
    theirs = getattr(keras.applications, application)(weights=None, classifier_activation=None)
    images = np.random.default_rng(2).uniform(0, 1, (2, 224, 224, 3)).astype(np.float32)
    disturb(theirs, images)
    expected = np.asarray(theirs(images, training=False))
    text = (SPECS / f"{name}.nnspec.yaml").read_text()
    for suffix in (".keras", ".h5", ".weights.h5"):
        (theirs.save_weights if suffix == ".weights.h5" else theirs.save)(tmp_path / f"w{suffix}")
        given, unused = started(text, tmp_path, f"w{suffix}", images)
        assert not unused
        assert_equal(given, expected)


def like_torchvision(name: str) -> str:
    """The spec of a network with the conventions of torchvision."""
    text = (SPECS / f"{name}.nnspec.yaml").read_text()
    if name == "resnet18":
        return text.replace("epsilon: {default: 1e-3", "epsilon: {default: 1e-5")
    if name == "mobilenet_v2":
        text = text.replace("padding: same, use_bias", 'padding: "${(kernel_size - 1) // 2}", use_bias', 1)
        return text.replace("padding: same, use_bias", "padding: 1, use_bias").replace("momentum: $momentum}", "epsilon: 1e-5}")
    text = text.replace("padding: same} # nnspec: ignore[NN241]", 'padding: "${(kernel_size - 1) // 2}", use_bias: false}')
    text = text.replace("padding: 3} # nnspec: ignore[NN241]", "padding: 3, use_bias: false}").replace("1.001e-5", "1e-5")
    # The stride is in the second convolution there, in the first one in He et al. and Keras.
    first = "- conv_bn: {filters: $filters, strides: $strides}\n            - ReLU\n            - conv_bn: {filters: $filters, "
    assert text.count(first) == 1
    return text.replace(first, first.replace(", strides: $strides", "") + "strides: $strides, ")


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "mobilenet_v2"])
def test_state_dicts_of_torchvision(name, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from tests.gallery.torch_networks import MobileNetV2, ResNet, randomized

    made = {"resnet18": lambda: ResNet([2, 2, 2, 2], deep=False), "resnet50": lambda: ResNet([3, 4, 6, 3], deep=True)}
    theirs = randomized(made.get(name, MobileNetV2)())
    images = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(images).numpy()
    save_file({key: tensor.contiguous() for key, tensor in theirs.state_dict().items()}, tmp_path / "w.safetensors")
    given, unused = started(
        like_torchvision(name), tmp_path, "w.safetensors", np.ascontiguousarray(images.numpy().transpose(0, 2, 3, 1))
    )
    assert not unused
    assert_equal(given, expected)


HEAD = "nnspec: 1\nname: net\nweights: w.safetensors\n"
LAYERS = {
    "lstm": (
        "inputs: {x: [7, 3]}\nlayers:\n  - LSTM: {units: 4, return_sequences: true}\n",
        lambda nn: nn.LSTM(3, 4, batch_first=True),
        (7, 3),
    ),
    "gru": (
        "inputs: {x: [7, 3]}\nlayers:\n  - GRU: {units: 4, return_sequences: true}\n",
        lambda nn: nn.GRU(3, 4, batch_first=True),
        (7, 3),
    ),
    "bidirectional": (
        "inputs: {x: [7, 3]}\nlayers:\n  - Bidirectional: {layer: {GRU: {units: 4, return_sequences: true}}}\n",
        lambda nn: nn.GRU(3, 4, batch_first=True, bidirectional=True),
        (7, 3),
    ),
    "encoder": (
        """inputs: {x: [7, 8]}
layers:
  - Residual:
      layers:
        - MultiHeadAttention: {num_heads: 2, key_dim: 4}
  - LayerNormalization: {epsilon: 1e-5}
  - Residual:
      layers:
        - Dense: {units: 16, activation: relu}
        - Dense: {units: 8}
  - LayerNormalization: {epsilon: 1e-5}
""",
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        (7, 8),
    ),
    "image": (
        """inputs: {x: [8, 6, 4]}
layers:
  - DepthwiseConv2D: {kernel_size: 3, depth_multiplier: 2}
  - GroupNormalization: {groups: 2, epsilon: 1e-5}
  - PReLU: {shared_axes: [1, 2]}
  - Conv2D: {filters: 6, kernel_size: 3, groups: 2}
  - Conv2DTranspose: {filters: 3, kernel_size: 2, strides: 2}
  - Flatten
  - Dense: {units: 5}
""",
        lambda nn: nn.Sequential(
            nn.Conv2d(4, 8, 3, groups=4),
            nn.GroupNorm(2, 8),
            nn.PReLU(8),
            nn.Conv2d(8, 6, 3, groups=2),
            nn.ConvTranspose2d(6, 3, 2, 2),
            nn.Flatten(),
            nn.Linear(96, 5),
        ),
        (8, 6, 4),
    ),
    "sequence": (
        "inputs: {x: [8, 4]}\nlayers:\n  - Conv1D: {filters: 6, kernel_size: 3}\n  - Flatten\n  - Dense: {units: 5}\n",
        lambda nn: nn.Sequential(nn.Conv1d(4, 6, 3), nn.Flatten(), nn.Linear(36, 5)),
        (8, 4),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_pytorch(name, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from nnspec.keras_backend import set_weight_arrays, to_keras

    text, make, shape = LAYERS[name]
    torch.manual_seed(0)
    theirs = make(torch.nn).eval()
    x = torch.randn(2, *shape)
    convolved = name in ("image", "sequence")
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
        expected = theirs(x.movedim(-1, 1) if convolved else x)
    expected = (expected[0] if isinstance(expected, tuple) else expected).numpy()
    save_file({key: tensor.contiguous() for key, tensor in theirs.state_dict().items()}, tmp_path / "w.safetensors")
    (tmp_path / "net.nnspec.yaml").write_text(HEAD + text)
    spec = load(tmp_path / "net.nnspec.yaml")
    graph = compile(spec).main
    found = starting(spec, graph)
    assert not found.taken[0].unused
    ours = to_keras(graph)
    set_weight_arrays(ours, graph, found.weights)
    [given] = ours({"x": x.numpy()}, training=False).values()
    np.testing.assert_allclose(np.asarray(given), expected, atol=1e-4)
