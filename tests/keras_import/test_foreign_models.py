"""Models as others build them: imported, and equal to the original, or refused with the reason."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import nnspec
from benchmarks.import_probes.probe import PROBES, Probe
from benchmarks.import_probes.run import VERDICTS, all_probes, tried
from nnspec.diagnostics import SpecError
from nnspec.keras_backend import set_weight_arrays
from nnspec.keras_import import from_keras, import_file

# Keras warns of masks that end, of keys that are not names, and of lambdas: models of strangers have all of these.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

CASES = sorted((Path(__file__).parents[1] / "cases" / "import").glob("*.keras"))

IN_EVERY_RUN = [
    "nested_three_levels_of_one_name",
    "siblings_of_one_name_on_two_levels",
    "names_with_spaces_slashes_unicode_capitals",
    "names_that_networks_and_steps_both_want",
    "same_model_inside_two_models",
    "same_layer_inside_and_outside_a_model",
    "inputs_as_mapping_of_other_names",
    "nested_model_called_with_a_mapping",
    "inputs_and_outputs_nested",
    "outputs_as_mapping",
    "model_with_mapping_outputs_inside",
    "only_an_input",
    "nested_identity_model",
    "transfer_learning",
    "stacked_cells_with_a_mask",
    "stacked_cells_with_first_states",
    "shared_stacked_cells",
    "mask_given_by_hand",
    "attention_with_explicit_masks",
    "multi_head_attention_with_a_padding_mask",
    "softmax_with_a_mask",
    "mask_of_another_number",
    "mask_turned_round",
    "mask_given_to_a_model",
    "mask_through_a_model",
    "operation_in_a_model_that_drops_a_mask",
    "product_that_ignores_a_mask",
    "attention_shared_with_another_causality",
    "reversible_embedding_both_ways",
    "reversible_embedding_untied",
    "whole_floats_embedded_and_used",
    "whole_floats_into_a_nested_embedding",
    "sequential_embedding",
    "booleans_cast_to_floats",
    "floats_cast_to_integers",
    "model_called_in_training",
    "attention_scores",
    "subclassed_model",
    "subclassed_model_inside",
    "functional_subclass_named_functional",
    "functional_subclass_inside",
    "sequential_subclass_named_sequential",
    "dense_of_ones_own_registered_under_keras",
    "time_distributed_dense_of_ones_own",
    "cell_of_ones_own",
    "bidirectional_with_a_backward_layer_of_ones_own",
    "own_compute_mask",
    "activation_registered_as_relu",
    "lambda_layer",
]
FROM_TABLES = (
    "dense with a leaky relu layer",
    "rnn of stacked cells with states",
    "spectral conv",
    "time distributed spectral",
    "call einsum",
    "call split at",
    "call take several",
    "call top_k",
    "call where",
    "call x + large array",
    "op x[:, None]",
    "op take int",
    "op concatenate one",
    "op x[:, 0, 1:]",
    "Concatenate() [(6,)]",
    "Normalization(axis=(1, 3)) (12, 12, 3)",
    "GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2) [(5, 8), (5, 8)] keywords",
    "RandomSaturation(factor=0.2) pixels",
    "RandomCrop(height=8, width=9) pixels",
)


def _probes() -> list[object]:
    every = {*IN_EVERY_RUN, *FROM_TABLES}
    found = all_probes()
    assert every <= {probe.name for probe in found} and PROBES
    return [pytest.param(p, id=p.name, marks=[] if p.name in every else [pytest.mark.full]) for p in found]


@pytest.mark.parametrize("probe", _probes())
def test_a_model_is_imported_and_equal_or_refused_with_its_reason(probe: Probe, tmp_path):
    verdict, why = tried(probe, tmp_path)
    assert verdict in VERDICTS[:2], f"{verdict}: {why}"


def refusal(file: Path | keras.Model) -> str:
    with pytest.raises(SpecError) as raised:
        import_file(file) if isinstance(file, Path) else from_keras(file)
    return "\n".join(f"{d.code} {d.message} [{d.help}]" for d in raised.value.diagnostics)


@pytest.mark.parametrize("file", [case for case in CASES if case.stem != "functional_subclass_with_call"], ids=lambda f: f.stem)
def test_a_file_that_was_refused_or_crashed_is_imported_and_equal(file: Path, tmp_path):
    model = keras.models.load_model(file)
    imported = import_file(file)
    imported.write(tmp_path / "net.nnspec.yaml")
    graph = nnspec.compile(nnspec.load(tmp_path / "net.nnspec.yaml", root=tmp_path)).main
    ours = nnspec.to_keras(graph)
    set_weight_arrays(ours, graph, imported.weights)
    random = np.random.default_rng(1)
    data = {
        name: random.normal(0, 3, (4, *kind.shape)).astype(kind.dtype)  # type: ignore[arg-type]
        for name, kind in graph.inputs.items()
    }
    wanted = model(list(data.values()) if len(data) > 1 else next(iter(data.values())), training=False)
    for a, b in zip(ours(data).values(), keras.tree.flatten(wanted), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_functional_subclass_in_a_file_is_refused_because_its_call_is_not_in_the_file():
    [case] = [case for case in CASES if case.stem == "functional_subclass_with_call"]
    reported = refusal(case)
    assert reported.startswith(
        "NN624 the model `f_call` is of the custom class `mypkg>FCall`: the code of its `call` is not in"
    )
    assert "`keras.Model(model.inputs, model.outputs)`" in reported and "nnspec.from_keras(model)" in reported


class Trained(keras.Model):
    """A model that trains otherwise, and computes as any functional model."""

    def train_step(self, data):
        return {}


class Doubled(keras.Model):
    def call(self, inputs):
        return super().call(inputs) * 2


def _of(kind: type[keras.Model]) -> keras.Model:
    x = keras.Input((4,), name="x")
    return kind(x, L.Dense(2, name="dense")(x), name="own")


def test_a_live_subclass_is_imported_if_it_leaves_call_as_it_is(tmp_path):
    assert from_keras(_of(Trained)).text() == from_keras(_of(keras.Model)).text()
    assert "NN624 the model `own` is of the custom class" in refusal(_of(Doubled))
    _of(Trained).save(tmp_path / "own.keras")
    assert "NN624" in refusal(tmp_path / "own.keras")


def relu(x):
    return -x


def test_a_live_activation_that_only_has_the_name_of_keras_own_is_refused():
    model = keras.Sequential([keras.Input((4,)), L.Dense(2, activation=relu, name="dense")])
    assert "`dense` (Dense): its `activation` is the custom function" in refusal(model)


def test_what_refuses_code_names_the_place_the_reason_and_what_to_write(tmp_path):
    inner = keras.Sequential([keras.Input((4,)), L.Lambda(relu, name="turn")], name="inner")
    x = keras.Input((4,), name="x")
    keras.Model(x, ops.cumprod(inner(x), axis=1)).save(tmp_path / "m.keras")
    reported = refusal(tmp_path / "m.keras").splitlines()
    assert reported[0].startswith("NN602 `turn` (Lambda) has no equivalent: its function `relu` is code, which is never run")
    assert "replace it with equivalent layers or operations" in reported[0]
    assert "neither a layer nor a function computes `keras.ops.cumprod`" in reported[1] and "move the operation" in reported[1]


def test_an_input_that_only_embeddings_read_is_declared_as_whole_numbers_with_a_warning():
    x = keras.Input((4,), name="tokens")
    imported = from_keras(keras.Model(x, L.Embedding(5, 3)(x)))
    assert "tokens: {shape: [4], dtype: int32}" in imported.text()
    assert [d.code for d in imported.diagnostics] == ["NN625"]


def test_a_layer_that_two_models_share_becomes_two_with_a_warning(tmp_path):
    shared = L.Dense(4, name="both")
    inner = keras.Sequential([keras.Input((4,)), shared], name="inner")
    x = keras.Input((4,), name="x")
    keras.Model(x, inner(L.ReLU()(shared(x)))).save(tmp_path / "m.keras")
    imported = import_file(tmp_path / "m.keras")
    assert [d.code for d in imported.diagnostics] == ["NN626"]
    np.testing.assert_array_equal(imported.weights["both/kernel"], imported.weights["inner/both/kernel"])


def test_a_stack_of_cells_becomes_layers_live_as_from_its_file(tmp_path):
    x = keras.Input((5, 4), name="x")
    model = keras.Model(x, L.RNN([L.LSTMCell(3), L.GRUCell(2)], name="stack")(x), name="net")
    model.save(tmp_path / "m.keras")
    live, read = from_keras(model), import_file(tmp_path / "m.keras")
    lines = ["  - LSTM: {units: 3, return_sequences: true}", "    name: stack_0", "  - GRU: 2", "    name: stack"]
    assert read.text().splitlines()[-4:] == lines
    assert live.text() == read.text() and live.weights.keys() == read.weights.keys()
    assert all((live.weights[name] == read.weights[name]).all() for name in read.weights)
