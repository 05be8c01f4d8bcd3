"""A spec, lowered to Keras and imported again, is the same network, wherever Keras can say what the spec says.

The law: the Keras models of both have the same config, but for names. That is every layer, every argument, every connection.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.diagnostics import SpecError
from nnspec.graph import Graph, compile
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.keras_import import Imported, from_keras, import_file
from nnspec.spec import load
from nnspec.types import Condition
from tests.conftest import CORPUS
from tests.gallery.commands import SPECS, small_overrides
from tests.layers.cases import CASES, Case

FILES = sorted([*CORPUS.glob("*.nnspec.yaml"), *SPECS.glob("*.nnspec.yaml")])
# Those with a command that trains them small are read with it; they have many layers all the same.
GALLERY = [pytest.param(file, marks=[pytest.mark.full] if small_overrides(file) else []) for file in FILES]
# Padding of a pooling by numbers is arithmetic in Keras, and a layer of ours in TimeDistributed is a model.
BEYOND = ("AveragePooling", "MaxPooling", "TimeDistributed")


def compiled(imported: Imported, folder: Path) -> Graph:
    file = folder / "imported.nnspec.yaml"
    file.write_text(imported.text(), encoding="utf-8")
    return compile(load(file)).main


def config_of(graph: Graph) -> list[Any]:
    """The config of a graph's Keras model, names replaced by the order in which they come."""
    numbers: dict[str, str] = {}

    def anonymous(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: item for key, item in value.items() if key != "build_config"}
            if "keras_history" in kept:
                kept["keras_history"] = [_number(kept["keras_history"][0]), *kept["keras_history"][1:]]
            if isinstance(kept.get("name"), str):
                kept["name"] = _number(kept["name"])
            if kept.get("class_name") == "Concatenate":
                rank = len(kept["inbound_nodes"][0]["args"][0][0]["config"]["shape"])
                kept["config"] = {**kept["config"], "axis": kept["config"]["axis"] % rank}
            return {key: anonymous(item) for key, item in kept.items()}
        return [anonymous(item) for item in value] if isinstance(value, list) else value

    def _number(name: str) -> str:
        return numbers.setdefault(name, f"#{len(numbers)}")

    layers = json.loads(to_keras(graph).to_json())["config"]["layers"]
    return [anonymous(layer) for layer in layers]


FIRST = {case.op: case for case in reversed(CASES)}
EACH = [pytest.param(case, id=str(case), marks=[] if FIRST[case.op] is case else [pytest.mark.full]) for case in CASES]


@pytest.mark.parametrize("case", EACH)
def test_every_case_of_every_layer_comes_back_as_it_was(case: Case, tmp_path):
    graph = case.graph()
    try:
        again = compiled(from_keras(to_keras(graph)), tmp_path)
    except SpecError as error:
        own = any("(nnspec>" in d.message or "training=True" in d.message for d in error.diagnostics)  # a class of our own
        assert (own or case.op.startswith(BEYOND)) and {d.code for d in error.diagnostics} <= {"NN602", "NN603"}, error
        pytest.skip(str(error))
    assert again.parameters == graph.parameters
    if case.op in ("MultiHeadAttention", "GroupQueryAttention") and any(x.masked for x in case.inputs.values()):
        return  # our lowering passes copies of masked tensors, which the imported spec copies again
    assert config_of(again) == config_of(graph)


OURS = ["Parameter", "ReversibleEmbedding", "GroupQueryAttention", "Normalization", "Sampling", "MaxPoolingWithIndices2D"]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras, when it saves
@pytest.mark.parametrize("op", OURS)
def test_a_saved_layer_of_ours_comes_back_with_its_weights(op: str, tmp_path):
    case = next(case for case in CASES if case.op == op)
    graph = case.graph()
    model = to_keras(graph, seed=3)
    set_weight_arrays(model, graph, case.weights(graph))
    model.save(tmp_path / "m.keras")
    imported = import_file(tmp_path / "m.keras")
    again = compiled(imported, tmp_path)
    data = list(case.data(2, {"T": 7, "S": 2, "H": 9, "W": 8, "C": 3}).values())
    wanted = answers(graph, weight_arrays(model, graph), data)
    got = answers(again, imported.weights, data)
    assert all(np.array_equal(a, b) for a, b in zip(got, wanted, strict=True))


def answers(graph: Graph, arrays: Mapping[str, np.ndarray], data: list[Any]) -> list[np.ndarray]:
    model = to_keras(graph)
    set_weight_arrays(model, graph, graph.own(arrays))
    return [np.asarray(output) for output in model(dict(zip(graph.inputs, data, strict=True)), training=False).values()]


def networks(file: Path) -> Iterator[Graph]:
    yield from compile(load(file, small_overrides(file))).networks.values()


@pytest.mark.parametrize("file", GALLERY, ids=lambda file: file.name.partition(".")[0])
def test_every_network_of_the_corpus_and_the_gallery_comes_back_as_it_was(file: Path, tmp_path):
    for graph in networks(file):
        if any(kind.mask is not None for kind in graph.inputs.values()):
            continue  # a mask that comes in is an input of its own in Keras
        model = to_keras(graph, seed=3)
        try:
            imported = from_keras(model)
        except SpecError as error:
            beyond = ("(nnspec>", "training=", "(keras.ops, Pad)")
            assert all(any(word in d.message for word in beyond) for d in error.diagnostics), error
            pytest.skip("a layer for which Keras has no class of its own does not come back")
        again = compiled(imported, tmp_path)
        assert again.parameters == graph.parameters
        sizes = [
            [
                size if isinstance(size, int) else graph.conditions.get(str(size), Condition()).next_fit(32)
                for size in kind.shape
            ]
            for kind in graph.inputs.values()
        ]
        random = np.random.default_rng(1)
        data = [
            random.integers(0, 5, (2, *shape)).astype(kind.dtype)
            if kind.is_integer
            else random.normal(size=(2, *shape)).astype(kind.dtype)
            for shape, kind in zip(sizes, graph.inputs.values(), strict=True)
        ]
        wanted = answers(graph, weight_arrays(model, graph), data)
        for a, b in zip(answers(again, imported.weights, data), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 * np.abs(b).max())


STEPS = st.lists(
    st.sampled_from(
        [
            "Conv2D: {filters: 4, kernel_size: 3, padding: same}",
            "Conv2D: {filters: 3, kernel_size: 1, activation: relu, use_bias: false}",
            "DepthwiseConv2D: {kernel_size: 3, padding: same, depth_multiplier: 2}",
            "BatchNormalization: {axis: -1, momentum: 0.9, scale: false}",
            "LayerNormalization: {axis: [2, 3]}",
            "Activation: gelu",
            "ReLU: {max_value: 6.0}",
            "Dropout: {rate: 0.25, noise_shape: [null, 1, 1, 1]}",
            "ZeroPadding2D: {padding: [[0, 1], [0, 1]]}",
            "Rescaling: {scale: 0.5, offset: 1.0}",
            "MaxPooling2D: {pool_size: 2, strides: 1, padding: same}",
        ]
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS, again=st.integers(0, 5), frozen=st.booleans())
def test_networks_that_nobody_thought_of_come_back_as_they_were(steps, again, frozen, tmp_path):
    lines = [f"  - {step}\n    name: s{number}" for number, step in enumerate(steps)]
    lines[0] += "\n    freeze: true" * (frozen and steps[0].startswith("Conv"))
    shared = again % len(steps)
    lines.append("  - GlobalAveragePooling2D:\n    name: pooled")
    lines.append(f"  - GlobalMaxPooling2D:\n    from: s{shared}\n  - Concatenate:\n    from: [pooled, global_max_pooling2d]")
    file = tmp_path / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\ninputs: {x: [8, 8, 3]}\nlayers:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    graph = compile(load(file)).main
    imported = from_keras(to_keras(graph))
    back = compiled(imported, tmp_path)
    assert config_of(back) == config_of(graph)
    assert back.trainable_parameters == graph.trainable_parameters
    assert compiled(from_keras(to_keras(back)), tmp_path).nodes.keys() == back.nodes.keys()
