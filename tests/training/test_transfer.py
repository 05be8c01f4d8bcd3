"""Initial weights from files of Keras and state dicts of PyTorch: found by structure, equal in what they compute."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from nnspec.api import validate
from nnspec.diagnostics import SpecError
from nnspec.graph import compile
from nnspec.spec import load
from nnspec.training.run.initial_weights import initial_weights, starting
from nnspec.transfer.assignment import assign
from nnspec.transfer.layouts import torch_layouts
from nnspec.transfer.state_dict import is_state_dict, modules_of
from tests.gallery.commands import SPECS

RESIDUAL = """nnspec: 1
name: net
{weights}
blocks:
  conv_bn:
    params: {{filters: int, kernel_size: 3, strides: 1, padding: 1}}
    layers:
      - Conv2D:
          filters: $filters
          kernel_size: $kernel_size
          strides: $strides
          padding: $padding
          use_bias: false
      - BatchNormalization: {{epsilon: 1e-5}}
  unit:
    params: {{filters: int, strides: 1}}
    layers:
      - Residual:
          layers:
            - conv_bn: {{filters: $filters, strides: $strides}}
            - ReLU
            - conv_bn: {{filters: $filters}}
          shortcut:
            - conv_bn: {{filters: $filters, kernel_size: {shortcut}, strides: $strides, padding: {padding}}}
      - ReLU
inputs: {{image: [16, 16, 3]}}
layers:
  - conv_bn: {{filters: 8}}
    name: stem
  - unit: {{filters: 8}}
    name: first
  - unit: {{filters: 16, strides: 2}}
    name: second
  - GlobalAveragePooling2D
  - Dense: {{units: 5}}
    name: label
"""


def residual(weights: str, *, shortcut: int = 1) -> str:
    return RESIDUAL.format(weights=weights, shortcut=shortcut, padding=(shortcut - 1) // 2)


def state_dict(*, shortcut: int = 1) -> dict[str, np.ndarray]:
    """The arrays of a small ResNet, with names as in torchvision's."""
    random = np.random.default_rng(0)
    found: dict[str, np.ndarray] = {}

    def conv(name, inputs, outputs, size):
        found[f"{name}.weight"] = random.normal(0, (inputs * size * size) ** -0.5, (outputs, inputs, size, size))

    def bn(name, size):
        for array, low in (("weight", 0.5), ("bias", -0.1), ("running_mean", -0.1), ("running_var", 0.5)):
            found[f"{name}.{array}"] = random.uniform(low, low + 1, size)
        found[f"{name}.num_batches_tracked"] = np.array(7)

    conv("conv1", 3, 8, 3), bn("bn1", 8)
    for stage, (inputs, outputs) in enumerate(((8, 8), (8, 16)), 1):
        at = f"layer{stage}.0"
        conv(f"{at}.conv1", inputs, outputs, 3), bn(f"{at}.bn1", outputs)
        conv(f"{at}.conv2", outputs, outputs, 3), bn(f"{at}.bn2", outputs)
        conv(f"{at}.downsample.0", inputs, outputs, shortcut), bn(f"{at}.downsample.1", outputs)
    found["fc.weight"], found["fc.bias"] = random.normal(0, 0.3, (5, 16)), random.normal(0, 0.1, 5)
    return {name: array.astype(np.int64 if array.ndim == 0 else np.float32) for name, array in found.items()}


@pytest.fixture
def mapped(write, tmp_path):
    """The initial weights of a spec from a state dict."""

    def start(text: str, arrays: dict[str, np.ndarray]):
        save_file(arrays, tmp_path / "w.safetensors")
        spec = load(write(text))
        return starting(spec, compile(spec).main)

    return start


def test_a_state_dict_is_told_from_weights_by_the_names_of_a_spec():
    assert is_state_dict(["layer1.0.conv1.weight"])
    assert not is_state_dict(["block.1/kernel", "dense/bias"])


def test_modules_are_found_by_structure_and_kernels_transposed(mapped):
    arrays = state_dict()
    found = mapped(residual("weights: w.safetensors"), arrays)
    [taken] = found.taken
    assert taken.layers["second/residual/shortcut/conv_bn/conv2d"] == "layer2.0.downsample.0"
    assert taken.layers["second/residual/conv_bn_1/batch_normalization"] == "layer2.0.bn2"
    np.testing.assert_array_equal(found.weights["stem/conv2d/kernel"], arrays["conv1.weight"].transpose(2, 3, 1, 0))
    np.testing.assert_array_equal(found.weights["label/kernel"], arrays["fc.weight"].T)
    np.testing.assert_array_equal(
        found.weights["first/residual/conv_bn/batch_normalization/moving_variance"], arrays["layer1.0.bn1.running_var"]
    )
    assert taken.text() == "initial weights: 37 of 37 arrays of w.safetensors"


def test_numbered_modules_that_feed_each_other_go_before_a_shortcut_of_the_same_shape(mapped):
    found = mapped(residual("weights: w.safetensors", shortcut=3), state_dict(shortcut=3))
    layers = found.taken[0].layers
    assert layers["first/residual/conv_bn_1/conv2d"] == "layer1.0.conv2"
    assert layers["first/residual/shortcut/conv_bn/conv2d"] == "layer1.0.downsample.0"


def test_blocks_are_counted_and_not_sorted_as_text(mapped):
    text = "nnspec: 1\nname: net\nweights: w.safetensors\ninputs: {x: [4]}\nlayers:\n  - repeat: 12\n    layers: [Dense: {units: 4}]\n"
    arrays = {f"layers.{i}.weight": np.full((4, 4), i, np.float32) for i in range(12)}
    arrays |= {f"layers.{i}.bias": np.full(4, i, np.float32) for i in range(12)}
    found = mapped(text, arrays)
    assert [found.weights[f"dense{f'_{i}' if i else ''}/bias"][0] for i in range(12)] == list(range(12))


TWO_BRANCHES = """nnspec: 1
name: net
inputs: {{x: [4]}}
weights: {{file: w.safetensors{more}}}
layers:
  - Parallel: {{branches: {{left: [Dense: {{units: 4}}], right: [Dense: {{units: 4}}]}}, merge: Add}}
    name: both
"""


def branches() -> dict[str, np.ndarray]:
    return {
        f"{name}.{array}": np.full(shape, value, np.float32)
        for name, value in (("query", 1), ("key", 2))
        for array, shape in (("weight", (4, 4)), ("bias", (4,)))
    }


def test_two_assignments_that_agree_as_well_are_an_error_that_names_the_candidates(mapped):
    with pytest.raises(SpecError, match=r"may be `(query|key)` or `(query|key)`: order and shapes fit both") as error:
        mapped(TWO_BRANCHES.format(more=""), branches())
    assert "write" in error.value.diagnostics[0].help or "names: {both/left/dense" in error.value.diagnostics[0].help


def test_names_decide_between_candidates(mapped):
    found = mapped(TWO_BRANCHES.format(more=", names: {both/right: query}"), branches())
    assert found.weights["both/right/dense/bias"].tolist() == [1, 1, 1, 1]
    assert found.weights["both/left/dense/bias"].tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (", names: {both/rigth: query}", "no layer with weights is there"),
        (", names: {both/right: quary}", "has no `quary`"),
        (", prefix: quary", "has no names in `quary`"),
        (", skip: [bot]", "`skip` has `bot`"),
    ],
)
def test_a_name_that_matches_nothing_is_an_error_with_a_suggestion(mapped, more, message):
    with pytest.raises(SpecError, match=message) as error:
        mapped(TWO_BRANCHES.format(more=more), branches())
    assert "did you mean" in error.value.diagnostics[0].help


def test_a_layer_of_another_shape_must_be_skipped(mapped):
    text = residual("weights: w.safetensors").replace("units: 5", "units: 7")
    with pytest.raises(SpecError, match=r"no weights for `label` \(Dense: kernel 16×7, bias 7\)") as error:
        mapped(text, state_dict())
    help = error.value.diagnostics[0].help
    assert "skip: [label]" in help
    assert "`fc` (5×16, 5)" in help
    found = mapped(text.replace("weights: w.safetensors", "weights: {file: w.safetensors, skip: [label]}"), state_dict())
    assert not any(name.startswith("label/") for name in found.weights)
    assert {"fc.weight", "fc.bias"} <= set(found.taken[0].unused)


def test_a_skipped_layer_keeps_its_place_in_the_order(mapped):
    text = "nnspec: 1\nname: net\nweights: {file: w.safetensors, skip: [dense_1]}\ninputs: {x: [4]}\nlayers:\n"
    text += "  - Dense: {units: 4}\n" * 3
    arrays = {f"{i}.weight": np.full((4, 4), i, np.float32) for i in range(3)}
    arrays |= {f"{i}.bias": np.full(4, i, np.float32) for i in range(3)}
    found = mapped(text, arrays)
    assert sorted(found.weights) == ["dense/bias", "dense/kernel", "dense_2/bias", "dense_2/kernel"]
    assert found.weights["dense_2/bias"].tolist() == [2, 2, 2, 2]


def test_a_step_may_start_from_a_part_of_a_state_dict(mapped):
    text = residual("").replace(
        "  - unit: {filters: 8}\n", "  - unit: {filters: 8}\n    weights: {file: w.safetensors, prefix: layer1}\n"
    )
    found = mapped(text, state_dict())
    assert {name.partition("/")[0] for name in found.weights} == {"first"}
    assert found.taken[0].count == 15


def test_a_dense_layer_behind_flatten_takes_its_rows_in_the_order_of_the_channels(mapped):
    text = """nnspec: 1
name: net
weights: w.safetensors
inputs: {image: [3, 2, 2]}
layers:
  - Conv2D: {filters: 4, kernel_size: 1}
  - Flatten
  - Dropout: 0.5
  - Dense: {units: 5}
"""
    random = np.random.default_rng(1)
    arrays = {
        "features.0.weight": random.normal(size=(4, 2, 1, 1)),
        "features.0.bias": random.normal(size=4),
        "classifier.weight": random.normal(size=(5, 24)),
        "classifier.bias": random.normal(size=5),
    }
    found = mapped(text, {name: array.astype(np.float32) for name, array in arrays.items()}).weights
    x = random.normal(size=(3, 2, 4))  # height, width, channels
    theirs = arrays["classifier.weight"] @ x.transpose(2, 0, 1).ravel()
    np.testing.assert_allclose(x.ravel() @ found["dense/kernel"], theirs, rtol=1e-5)


def test_validate_warns_where_pytorch_computes_in_another_way_by_default(write, tmp_path):
    save_file(state_dict(), tmp_path / "w.safetensors")
    text = residual("weights: w.safetensors")
    assert validate(write(text)) == []
    other = (
        text.replace("{epsilon: 1e-5}", "")
        .replace("BatchNormalization: ", "BatchNormalization")
        .replace("padding: 1}", "padding: same}")
    )
    found = validate(write(other))
    assert {problem.code for problem in found} == {"NN254"}
    assert any("epsilon" in problem.message for problem in found)
    assert any("equally on both sides" in problem.message for problem in found)


def test_half_precision_becomes_float32(write, tmp_path):
    header = {
        "fc.weight": {"dtype": "BF16", "shape": [2, 4], "data_offsets": [0, 16]},
        "fc.bias": {"dtype": "F16", "shape": [2], "data_offsets": [16, 20]},
    }
    weight, bias = np.arange(8, dtype=np.float32), np.array([0.5, -2], np.float16)
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + (weight.view(np.uint32) >> 16).astype("<u2").tobytes() + bias.tobytes()
    (tmp_path / "w.safetensors").write_bytes(content)
    spec = load(write("nnspec: 1\nname: net\nweights: w.safetensors\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n"))
    found = initial_weights(spec, compile(spec).main)
    assert found["dense/kernel"].T.ravel().tolist() == weight.tolist()
    assert found["dense/bias"].tolist() == [0.5, -2]


# --- names of torchvision and timm ----------------------------------------------------------------------------------------


def resnet18() -> list[str]:
    names = ["conv1", "bn1"]
    for stage in range(1, 5):
        for block in range(2):
            names += [f"layer{stage}.{block}.{name}" for name in ("conv1", "bn1", "conv2", "bn2")]
            names += [f"layer{stage}.{block}.downsample.{i}" for i in range(2)] if stage > 1 and not block else []
    return [*names, "fc"]


def mobilenet_v2_of_torchvision() -> list[str]:
    names = ["features.0.0", "features.0.1"]
    for block in range(1, 18):
        parts = ["0.0", "0.1", "1", "2"] if block == 1 else ["0.0", "0.1", "1.0", "1.1", "2", "3"]
        names += [f"features.{block}.conv.{part}" for part in parts]
    return [*names, "features.18.0", "features.18.1", "classifier.1"]


def mobilenet_v2_of_timm() -> list[str]:
    names = ["conv_stem", "bn1"]
    for stage, count in enumerate((1, 2, 3, 4, 3, 3, 1)):
        wide = ["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"]
        for block in range(count):
            names += [f"blocks.{stage}.{block}.{part}" for part in (wide if stage else ["conv_dw", "bn1", "conv_pw", "bn2"])]
    return [*names, "conv_head", "bn2", "classifier"]


def vit_of_timm() -> list[str]:
    names = ["patch_embed.proj", "cls_token", "pos_embed"]
    for block in range(12):
        names += [f"blocks.{block}.{part}" for part in ("norm1", "attn", "norm2", "mlp.fc1", "mlp.fc2")]
    return [*names, "norm", "head"]


@pytest.mark.parametrize(
    ("network", "names"),
    [
        ("resnet18", resnet18),
        ("mobilenet_v2", mobilenet_v2_of_torchvision),
        ("mobilenet_v2", mobilenet_v2_of_timm),
        ("vit_b16", vit_of_timm),
    ],
)
def test_names_of_torchvision_and_timm_are_mapped_to_the_gallery(write, network, names):
    text = (SPECS / f"{network}.nnspec.yaml").read_text().partition("\ndata:")[0] + "\n"
    spec = load(write(text.replace("\ninputs:\n", "\nweights: w.safetensors\ninputs:\n", 1)))
    graph = compile(spec).main
    nodes = list(dict.fromkeys(node.weights_at for node in graph.nodes.values() if node.weights))
    by_place = {node.weights_at: node for node in graph.nodes.values()}
    shapes: dict[str, tuple[int, ...]] = {}
    for place, name in zip(nodes, names(), strict=True):
        for key, shape in next(iter(torch_layouts(by_place[place], graph))).arrays.items():
            whole = f"{name}.{key}" if key else name
            shapes[whole.replace(".out.", ".proj.")] = shape
    source = SimpleNamespace(framework="PyTorch", modules=modules_of(dict(sorted(shapes.items()))))
    start = next(node.start for node in graph.nodes.values() if node.start)
    found = assign(source, graph, start)
    assert [each.module.name for each in found.assigned] == names()
    assert not found.unused


# --- runs and files by name -----------------------------------------------------------------------------------------------

BY_NAME = "nnspec: 1\nname: net\nweights: {{file: w.safetensors{more}}}\ninputs: {{x: [4]}}\nlayers:\n  - Dense: {{units: 3}}\n  - Dense: {{units: 2}}\n    name: head\n"


def by_name() -> dict[str, np.ndarray]:
    return {
        "dense/kernel": np.ones((4, 3), np.float32),
        "dense/bias": np.ones(3, np.float32),
        "old/bias": np.ones(9, np.float32),
    }


@pytest.mark.parametrize("pattern", ["head", "he*", "head/*"])
def test_skip_leaves_out_layers_of_files_by_name_too(mapped, pattern):
    found = mapped(BY_NAME.format(more=f", skip: ['{pattern}']"), by_name())
    assert sorted(found.weights) == ["dense/bias", "dense/kernel"]
    assert found.taken[0].text() == "initial weights: 2 of 3 arrays of w.safetensors; unused: old/bias"


def test_names_of_a_file_by_name_are_an_error(mapped):
    with pytest.raises(SpecError, match="has the names of a run"):
        mapped(BY_NAME.format(more=", names: {dense: old}, skip: [head]"), by_name())


# --- files of Keras -------------------------------------------------------------------------------------------------------


def keras_network(keras, *, named: bool):
    """A small residual network whose shortcut comes first in Keras."""

    def conv_bn(x, filters, name, strides=1, size=3):
        x = keras.layers.ZeroPadding2D((size - 1) // 2)(x)
        x = keras.layers.Conv2D(filters, size, strides, use_bias=False, name=name and f"{name}_conv")(x)
        return keras.layers.BatchNormalization(epsilon=1e-5, name=name and f"{name}_bn")(x)

    def unit(x, filters, name, strides):
        shortcut = conv_bn(x, filters, name and f"{name}_0", strides, 1)
        x = keras.layers.ReLU()(conv_bn(x, filters, name and f"{name}_1", strides))
        return keras.layers.ReLU()(keras.layers.Add()([shortcut, conv_bn(x, filters, name and f"{name}_2")]))

    image = keras.Input((16, 16, 3))
    x = conv_bn(image, 8, "stem" if named else None)
    x = unit(x, 8, "unit1" if named else None, 1)
    x = unit(x, 16, "unit2" if named else None, 2)
    x = keras.layers.Dense(5, name="scores")(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, x)
    random = np.random.default_rng(0)
    for variable in model.variables:
        if "float" in variable.dtype:
            variable.assign(random.uniform(0.2, 1, variable.shape) * (1 if len(variable.shape) == 1 else 0.1))
    return model


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras, with NumPy 2
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_files_of_keras_are_mapped_by_structure_and_compute_the_same(write, tmp_path, suffix, named):
    keras = pytest.importorskip("keras")
    from nnspec.keras_backend import set_weight_arrays, to_keras

    theirs = keras_network(keras, named=named)
    (theirs.save_weights if suffix == ".weights.h5" else theirs.save)(tmp_path / f"w{suffix}")
    spec = load(write(residual(f"weights: w{suffix}")))
    graph = compile(spec).main
    found = starting(spec, graph)
    assert not found.taken[0].unused
    ours = to_keras(graph)
    set_weight_arrays(ours, graph, found.weights)
    image = np.random.default_rng(1).normal(size=(2, 16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(
        np.asarray(ours({"image": image}, training=False)["label"]), np.asarray(theirs(image, training=False)), atol=1e-4
    )


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"", "is not an HDF5 file"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "is not an HDF5 file"),
        (b"PK\3\4", "is not an HDF5 file"),
    ],
)
def test_a_file_that_is_not_hdf5_is_an_error_of_validate(write, tmp_path, content, reported):
    (tmp_path / "w.h5").write_bytes(content)
    [problem] = validate(write(residual("weights: w.h5")))
    assert (problem.code, problem.severity) == ("NN235", "error")
    assert reported in problem.message


def test_a_damaged_keras_file_is_an_error_of_validate(write, tmp_path):
    (tmp_path / "w.keras").write_bytes(b"PK\3\4" + b"\0" * 50)
    [problem] = validate(write(residual("weights: w.keras")))
    assert "`w.keras` is not a .keras file" in problem.message


def test_links_and_declared_sizes_of_a_hostile_file_are_refused(write, tmp_path):
    h5py = pytest.importorskip("h5py")
    for name in ("link", "size"):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file.attrs["layer_names"] = ["dense"]
            group = file.create_group("dense")
            group.attrs["weight_names"] = ["dense/kernel", "dense/bias"]
            if name == "link":
                group["dense/kernel"] = h5py.ExternalLink("/etc/hostname", "/x")
            else:
                group.create_dataset("dense/kernel", (2**20, 2**12), "f4")
            group["dense/bias"] = np.zeros(2)
        text = "nnspec: 1\nname: net\nweights: w.h5\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n"
        [problem] = validate(write(text))
        assert "is damaged" in problem.message
        assert ("hard link" if name == "link" else "declares") in problem.message


# --- training -------------------------------------------------------------------------------------------------------------


def test_training_reports_what_was_taken_and_the_run_lists_the_names(write, tmp_path):
    pytest.importorskip("keras")
    from nnspec import train
    from nnspec.training.loop.progress import Quiet

    class Recorded(Quiet):
        def __init__(self):
            self.lines = []

        def print(self, text):
            self.lines.append(text)

    text = """nnspec: 1
name: net
weights: {file: w.safetensors, skip: [digit]}
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 4, kernel_size: 3, padding: same}
    name: body
  - GlobalAveragePooling2D
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, targets: {digit: target}}
train: {epochs: 1, batch_size: 512, freeze: [body], loss: SparseCategoricalCrossentropy}
"""
    random = np.random.default_rng(0)
    arrays = {"conv.weight": (4, 1, 3, 3), "conv.bias": (4,), "fc.weight": (5, 4), "fc.bias": (5,)}
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in arrays.items()}
    save_file(arrays, tmp_path / "w.safetensors")
    shown = Recorded()
    run = train(load(write(text)), out=tmp_path / "run", progress=shown)
    assert "initial weights: 2 of 4 arrays of w.safetensors; unused: fc.bias, fc.weight" in shown.lines
    assert run.info["initial_weights"] == [
        {
            "file": "w.safetensors",
            "taken": 2,
            "skipped": ["digit"],
            "unused": ["fc.bias", "fc.weight"],
            "layers": {"body": "conv"},
        }
    ]
    np.testing.assert_array_equal(run.weights()["body/kernel"], arrays["conv.weight"].transpose(2, 3, 1, 0))


def test_files_with_changed_bytes_are_answered_with_diagnostics(write, tmp_path):
    h5py = pytest.importorskip("h5py")
    file = tmp_path / "w.h5"
    spec = load(write("nnspec: 1\nname: net\nweights: w.h5\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n"))
    graph = compile(spec).main
    random = np.random.default_rng(0)
    for older in (True, False):
        with h5py.File(file, "w") as made:
            if older:
                made.attrs["layer_names"] = ["dense"]
                made.create_group("dense").attrs["weight_names"] = ["dense/kernel", "dense/bias"]
            places = ("dense/dense/kernel", "dense/dense/bias") if older else ("layers/dense/vars/0", "layers/dense/vars/1")
            made[places[0]], made[places[1]] = np.ones((4, 2), np.float32), np.ones(2, np.float32)
            made["layers/dense/vars" if not older else "dense"].attrs["name"] = "dense"
        whole = file.read_bytes()
        assert sorted(initial_weights(spec, graph)) == ["dense/bias", "dense/kernel"]
        for _ in range(100):
            changed = bytearray(whole)
            for position in random.integers(0, len(whole), random.choice([1, 5, 50])):
                changed[position] = random.integers(256)
            file.write_bytes(changed[: random.integers(len(whole))] if random.random() < 0.1 else changed)
            try:
                initial_weights(spec, graph)
            except SpecError as error:
                assert error.diagnostics[0].code == "NN235"


def test_older_files_of_keras_with_a_model_in_the_model(write, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        layers = file.create_group("model_weights")
        layers.attrs["layer_names"] = np.array([b"input_1", b"backbone", b"scores"])
        layers.create_group("input_1").attrs["weight_names"] = np.array([], "S1")
        for name, inner in (("backbone", ("first", "second")), ("scores", ("scores",))):
            group = layers.create_group(name)
            group.attrs["weight_names"] = np.array(
                [f"{layer}/{part}:0".encode() for layer in inner for part in ("kernel", "bias")]
            )
            for number, layer in enumerate(inner):
                size = (4, 4) if name == "backbone" else (4, 2)
                group[f"{layer}/kernel:0"], group[f"{layer}/bias:0"] = np.full(size, number), np.full(size[1], number)
    text = (
        "nnspec: 1\nname: net\nweights: w.h5\ninputs: {x: [4]}\nlayers:\n"
        + "  - Dense: {units: 4}\n" * 2
        + "  - Dense: {units: 2}\n"
    )
    spec = load(write(text))
    found = starting(spec, compile(spec).main)
    assert found.taken[0].layers == {"dense": "backbone/first", "dense_1": "backbone/second", "dense_2": "scores"}
    assert found.weights["dense_1/bias"].tolist() == [1, 1, 1, 1]
    text = text.replace("weights: w.h5", "weights: {file: w.h5, prefix: backbone, skip: [dense_2]}")
    spec = load(write(text))
    assert starting(spec, compile(spec).main).taken[0].unused == [
        "model_weights/scores/scores/bias:0",
        "model_weights/scores/scores/kernel:0",
    ]
