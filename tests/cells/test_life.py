"""The life of a recurrence in a project: its graph, weights, training, comparison, explanation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import nnspec
from nnspec.comparison import compare
from nnspec.drawing import to_html, to_mermaid, to_svg
from nnspec.explanations.places import origins
from nnspec.graph import Model
from nnspec.graph.describe import describe
from nnspec.graph.fixed_sizes import at_sizes
from nnspec.graph.memory import peak_activation_bytes
from nnspec.keras_backend import to_keras
from nnspec.training.run.initial_weights import initial_weights
from nnspec.types import substitute

from ..onnx_backend.nets import graph_of_text
from .specs import document, proven
from .trained import TRAINED

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves

GATED = document("{x: [T, 4]}", "  - RNN: {cell: {minimal_gated: {units: 3}}}\n  - Dense: {units: 2}", "minimal_gated")
NETWORK = (
    "networks:\n  unit:\n    inputs: {x: [4], h: [4]}\n    layers:\n      - Concatenate:\n        from: [x, h]\n"
    "      - Dense: {units: 4, activation: tanh}\n    outputs: {output: dense, h: dense}\n"
)


def names(text: str) -> list[str]:
    return [name for name, *_ in graph_of_text(text).weights()]


def test_weights_are_under_the_step_and_those_of_a_network_under_its_own_name() -> None:
    assert names(GATED)[:2] == ["rnn/forget/kernel", "rnn/forget/bias"]
    assert names(document("{x: [T, 4]}", "  - RNN: {cell: unit}", more=NETWORK)) == ["unit/dense/kernel", "unit/dense/bias"]
    both = document("{x: [T, 4]}", "  - Bidirectional: {layer: {RNN: {cell: {minimal_gated: {units: 3}}}}}", "minimal_gated")
    assert {"/".join(name.split("/")[:2]) for name in names(both)} == {"bidirectional/forward", "bidirectional/backward"}
    assert names(document("{x: [T, 4]}", "  - RNN: {cell: {GRUCell: {units: 3}}}"))[0] == "rnn/kernel"


def test_what_is_computed_at_each_step_is_counted_at_each_step() -> None:
    graph = graph_of_text(GATED)
    assert str(graph.macs) == f"{2 * 7 * 3}*T + 6"
    assert graph.parameters == 2 * (7 * 3 + 3) + 8
    [peak] = peak_activation_bytes(graph)
    [more] = peak_activation_bytes(graph_of_text(GATED.replace("units: 3}}}", "units: 30}}}")))
    assert substitute(more, {"T": 4}) > substitute(peak, {"T": 4})
    rows = {layer["name"]: layer for layer in describe(Model("net", {"main": graph}))["networks"]["main"]["layers"]}
    assert rows["rnn/forget"]["macs"] == "21*T"
    assert rows["rnn/forget"]["shape"] == [None, 3]
    assert sum(row["parameters"] for row in rows.values()) == graph.parameters


def test_drawings_show_what_is_in_a_cell() -> None:
    model = Model("net", {"main": graph_of_text(GATED)})
    for draw in (to_mermaid, to_svg, to_html):
        assert "candidate" in draw(model)


def test_a_frozen_recurrence_trains_nothing_inside() -> None:
    graph = graph_of_text(GATED.replace("minimal_gated: {units: 3}}}\n", "minimal_gated: {units: 3}}}\n    freeze: true\n"))
    assert graph.trainable_parameters == 8
    inside = GATED.replace("activation: sigmoid}\n", "activation: sigmoid}\n        freeze: true\n")
    graph = graph_of_text(inside)
    assert graph.trainable_parameters == 8 + 24
    trained = to_keras(graph, seed=1).trainable_weights
    assert sum(int(np.prod(variable.shape)) for variable in trained) == 8 + 24


def test_a_frozen_network_is_frozen_in_every_cell() -> None:
    layers = "  - RNN: {cell: unit, return_sequences: true}\n    freeze: true\n  - RNN: {cell: unit}\n    freeze: true\n"
    assert graph_of_text(document("{x: [T, 4]}", layers, more=NETWORK)).trainable_parameters == 0


def test_weights_start_from_a_file(write: Callable[[str], Path], tmp_path: Path) -> None:
    arrays = {"old/forget/kernel": np.ones((7, 3), np.float32), "old/forget/bias": np.ones(3, np.float32)}
    arrays |= {"old/candidate/kernel": np.ones((7, 3), np.float32), "old/candidate/bias": np.ones(3, np.float32)}
    save_file(arrays, tmp_path / "w.safetensors")
    start = "    weights: {file: w.safetensors, prefix: old}\n"
    spec = nnspec.load(write(GATED.replace("minimal_gated: {units: 3}}}\n", "minimal_gated: {units: 3}}}\n" + start)))
    found = initial_weights(spec, nnspec.compile(spec).main)
    assert sorted(found) == ["rnn/candidate/bias", "rnn/candidate/kernel", "rnn/forget/bias", "rnn/forget/kernel"]


def test_a_recurrence_can_be_shared() -> None:
    layers = (
        "  - RNN: {cell: {minimal_gated: {units: 3}}}\n    from: a\n"
        "  - share: rnn\n    from: {x: b, h: rnn}\n    name: again\n  - Concatenate:\n    from: [rnn, again]\n"
    )
    graph, _ = proven(document("{a: [T, 4], b: [S, 4]}", layers, "minimal_gated"))
    assert len(list(graph.weights())) == 4


def test_a_shared_recurrence_of_another_width_is_an_error(write: Callable[[str], Path]) -> None:
    layers = "  - RNN: {cell: {minimal_gated: {units: 3}}}\n    from: a\n  - share: rnn\n    from: b\n    name: again\n  - Add:\n    from: [rnn, again]\n"
    text = document("{a: [T, 4], b: [S, 5]}", layers, "minimal_gated")
    [found] = [d for d in nnspec.api.validate(write(text)) if d.is_error]
    assert "the cell takes (4,) as `x`, got (5,)" in found.message


def test_a_difference_inside_a_cell_is_a_difference(tmp_path: Path) -> None:
    files = []
    for number, text in enumerate((GATED, GATED.replace("activation: tanh", "activation: relu"))):
        files.append(tmp_path / f"{number}.nnspec.yaml")
        files[-1].write_text(text, encoding="utf-8")
    specs = [nnspec.load(file) for file in files]
    models = [nnspec.compile(spec) for spec in specs]
    [network] = compare(specs[0], models[0], specs[1], models[1]).networks
    assert [(change.name, change.changes[0].after) for change in network.layers] == [("rnn/candidate", "relu")]
    assert not compare(specs[0], models[0], specs[0], models[0]).networks


def test_an_argument_inside_a_cell_is_explained(write: Callable[[str], Path]) -> None:
    spec = nnspec.load(write(GATED))
    [found] = origins(spec, "rnn/forget.units")
    assert found.value == 3
    [found] = origins(spec, "rnn.return_sequences")
    assert found.value is False


def test_sizes_can_be_fixed(write: Callable[[str], Path]) -> None:
    spec = nnspec.load(write(GATED))
    fixed = at_sizes(spec, nnspec.compile(spec), {"T": 5})
    assert fixed.main.macs == 5 * 42 + 6


def test_repeated_recurrences_have_weights_of_their_own() -> None:
    layers = "  - RNN: {cell: {minimal_gated: {units: 4}}, return_sequences: true}\n    repeat: 2\n    name: stack\n"
    graph, _ = proven(document("{x: [T, 4]}", layers, "minimal_gated"))
    assert names(document("{x: [T, 4]}", layers, "minimal_gated"))[4] == "stack/1/forget/kernel"
    assert len(list(graph.weights())) == 8


@pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave", "null"])
def test_both_directions_agree_with_those_of_the_built_in_layer(merge: str) -> None:
    from .test_meaning import MASKS, keras_of

    inputs = "{tokens: {shape: [T], dtype: int32}, a: [3], b: [3]}"
    embedded = "  - Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}\n    from: tokens\n"
    states = "    from: {x: embedding, forward_state: a, backward_state: b}\n    name: both\n"
    output = "both" if merge != "null" else "both.forward_output, other: both.backward_output"
    texts = [
        document(
            inputs,
            f"{embedded}  - Bidirectional: {{layer: {{{layer}, return_sequences: true, return_state: true}}}}, merge_mode: {merge}}}\n"
            f"{states}outputs: {{all: {output}, f: both.forward_state, b: both.backward_state}}",
        )
        for layer in ("GRU: {units: 3", "RNN: {cell: {GRUCell: {units: 3}}")
    ]
    first, second = graph_of_text(texts[0]), proven(texts[1])[0]
    from ..onnx_backend.nets import random_weights

    weights = random_weights(first)
    assert list(weights) == [name for name, *_ in second.weights()]
    random = np.random.default_rng(3)
    given = {name: random.normal(size=(5, 3)).astype("float32") for name in ("a", "b")}
    given["tokens"] = np.where(MASKS, np.arange(1, 26).reshape(5, 5), 0).astype("int32")
    wanted, found = keras_of(first, weights)(given), keras_of(second, weights)(given)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-6)


def test_every_time_step_of_a_film_is_read_by_a_recurrence() -> None:
    proven(
        document("{x: [S, T, 4]}", "  - TimeDistributed: {layer: {RNN: {cell: {minimal_gated: {units: 3}}}}}", "minimal_gated")
    )
    both = "  - TimeDistributed: {layer: {Bidirectional: {layer: {RNN: {cell: {GRUCell: {units: 3}}}}}}}"
    assert names(document("{x: [S, T, 4]}", both))[0] == "time_distributed/forward/kernel"
    proven(document("{x: [S, T, 4]}", both))


def test_a_mask_inside_a_cell_is_no_mask_of_the_last_output() -> None:
    cell = (
        "blocks:\n  reader:\n    inputs: {x: null, memory: [S, 2], h: [1]}\n    layers:\n      - Compute: h + mean(x, 1, true)\n        name: new\n"
        "      - Compute: memory + expand_dims(new, 1)\n        name: seen\n    outputs: {output: seen, h: new}\n"
    )
    embedded = "  - Embedding: {input_dim: 9, output_dim: 2, mask_zero: true}\n    from: tokens\n"
    graph = graph_of_text(
        document(
            "{x: [T, 4], tokens: {shape: [S], dtype: int32}}",
            embedded + "  - RNN: {cell: reader}\n    from: {x: x, memory: embedding}\n",
            more=cell,
        )
    )
    outputs = to_keras(graph, seed=1)({"x": np.ones((2, 3, 4), "float32"), "tokens": np.ones((2, 5), "int32")})
    assert getattr(outputs["rnn"], "_keras_mask", None) is None


def test_a_loop_over_merged_steps_does_not_have_the_batch_of_the_loop_before() -> None:
    cell = "blocks:\n  adder:\n    inputs: {x: [], h: []}\n    layers:\n      - Compute: 0.5 * h + x\n    outputs: {output: compute, h: compute}\n"
    layers = (
        "  - RNN: {cell: {LSTMCell: {units: 2}}, return_sequences: true}\n"
        "  - TimeDistributed: {layer: {RNN: {cell: adder, return_sequences: true}}}\n"
    )
    proven(document("{x: [T, 4]}", layers, more=cell))


def test_a_recurrence_is_trained_resumed_and_exported(write: Callable[[str], Path], tmp_path: Path) -> None:
    run = nnspec.train(write(TRAINED), out=tmp_path / "run")
    weights = run.weights()
    assert {"rnn/forget/kernel", "rnn/candidate/bias"} <= set(weights)
    written = nnspec.export(tmp_path / "run", tmp_path / "model.onnx")
    assert written is not None
