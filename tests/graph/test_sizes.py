"""What layers ask of free sizes: each case is bound, stated or refused at its line, and what validates is built."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnspec
from nnspec.diagnostics import SpecError
from nnspec.graph.describe import stated_sizes
from nnspec.types import Condition

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves
CASES = Path(__file__).parent.parent / "cases" / "sizes"

STATED = {
    "add_dense": ["H is 4"],
    "att": ["T is 8"],
    "att_conflict": ["T must equal S + 1"],
    "bcast_t_vs_1_sym": [],
    "concat_dense": ["T is 8"],
    "dot_6t_vs_4t": ["T is 8"],
    "dotdense": ["H is 4"],
    "einsum": ["T is 7"],
    "large_kernel": ["T must be at least 300"],
    "mask_merge": ["T is 1"],
    "max_add_lstm": ["H is 4"],
    "odd_even": ["T must be 1 more than a multiple of 2"],
    "parallel": ["T is 1"],
    "reshape_exact": ["T is 3"],
    "reshape_t_4_1_8": ["T must be a multiple of 2"],
    "residual_stride": [],
    "resize": [],
    "slice_at_most": ["T must be at least 301"],
    "strides_two_and_three": ["T must be 1, 2 or 4"],
    "t_cancels": ["T must be at least 3"],
    "t_s_t_s_1": ["T must equal S + 1"],
    "t_t_vs_t": [],
    "t_vs_5000": ["T is 5000"],
    "two_strides": ["T must be 1, 2 or 4"],
}
REFUSED = {
    "groupnorm": "6 channels cannot be split into 4 groups",
    "layernorm_sym": "its size must be fixed",
    "network_sym_conflict": "no size of `T` is valid: `T` must equal `T//2`",
    "odd_and_even": "no size of `T` is valid",
    "posemb2": "unknown key `sequence_length`",
    "t_t_3_vs_t_neg": "no size of `T` is valid: `3*T` must equal `T`",
}


def main_of(file: Path) -> nnspec.Graph:
    return nnspec.compile(nnspec.load(file)).main


def written(folder: Path, inputs: str, layers: str) -> Path:
    file = folder / "net.nnspec.yaml"
    file.write_text(f"nnspec: 1\nname: net\ninputs: {inputs}\nlayers:\n{layers}")
    return file


def test_every_case_is_stated_or_refused():
    assert {file.name.removesuffix(".nnspec.yaml") for file in CASES.iterdir()} == STATED.keys() | REFUSED.keys()


@pytest.mark.parametrize("case", STATED)
def test_what_is_known_of_free_sizes_is_stated(case):
    assert stated_sizes(main_of(CASES / f"{case}.nnspec.yaml")) == STATED[case]


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_size_fits_is_refused(case):
    with pytest.raises(SpecError) as refused:
        main_of(CASES / f"{case}.nnspec.yaml")
    assert any(REFUSED[case] in problem.message for problem in refused.value.diagnostics)


@pytest.mark.parametrize("case", STATED)
def test_what_validates_is_built(case, tmp_path):
    nnspec.build(nnspec.load(CASES / f"{case}.nnspec.yaml"), tmp_path)
    assert (tmp_path / "model.onnx").exists()


def test_a_symbol_that_must_equal_a_number_is_that_number_in_keras(tmp_path):
    model = nnspec.to_keras(main_of(CASES / "add_dense.nnspec.yaml"))
    assert [tensor.shape for tensor in model.inputs] == [(None, 4), (None, 4)]


def test_a_size_without_a_name_gets_one_if_something_is_asked_of_it(tmp_path):
    graph = main_of(written(tmp_path, "{signal: [null, 4]}", "  - Reshape: [-1, 8]\n"))
    assert dict(graph.conditions) == {"signal_axis1": Condition(multiple_of=2)}
    assert str(graph.inputs["signal"]) == "(signal_axis1, 4)"


def test_two_sizes_without_names_that_must_be_equal_are_one(tmp_path):
    graph = main_of(written(tmp_path, "{a: [null, 4], b: [null, 4]}", "  - Add:\n    from: [a, b]\n"))
    assert graph.inputs["a"].shape == graph.inputs["b"].shape


def test_an_error_that_follows_from_a_bound_size_shows_what_bound_it(tmp_path):
    layers = "  - Add:\n    from: [a, b]\n  - Reshape: [5, 7]\n"
    with pytest.raises(SpecError) as refused:
        main_of(written(tmp_path, "{a: [T, 4], b: [8, 4]}", layers))
    [problem] = refused.value.diagnostics
    assert problem.message == "cannot reshape (8, 4) to [5, 7]: it has 32 elements, not 35"
    assert problem.notes[-1].message == "`T` is 8 because of this `Add`"


def test_a_layer_before_the_one_that_binds_a_size_gets_the_number(tmp_path):
    layers = "  - Flatten:\n    from: a\n    name: flat\n  - Dense: {units: 3}\n    name: y\n  - Add:\n    from: [a, b]\n    name: z\n"
    file = written(tmp_path, "{a: [T, 4], b: [8, 4]}", layers)
    file.write_text(file.read_text() + "outputs: [y, z]\n")
    assert main_of(file).nodes["y"].weights[0].shape == (32, 3)


def test_what_nothing_reads_binds_no_size(tmp_path):
    layers = "  - Add:\n    from: [a, b]\n    name: unused\n  - Dense: {units: 3}\n    from: a\n"
    assert main_of(written(tmp_path, "{a: [T, 4], b: [8, 4]}", layers)).bound == {}


def test_a_positive_stop_and_a_negative_start_of_a_slice_ask_for_as_many_positions(tmp_path):
    layers = "  - Slice: {start: -3}\n    name: last\n  - Slice: {stop: 5}\n    from: a\n    name: first\n"
    file = written(tmp_path, "{a: [T, 4]}", layers)
    file.write_text(file.read_text() + "outputs: [last, first]\n")
    graph = main_of(file)
    assert [str(graph.nodes[name].output) for name in graph.outputs] == ["(3, 4)", "(5, 4)"]
    assert dict(graph.conditions) == {"T": Condition(at_least=5)}


def test_sizes_without_names_that_must_be_equal_get_one_name(tmp_path):
    graph = main_of(
        written(tmp_path, "{a: [null, null, 3]}", "  - Permute: {dims: [2, 1, 3]}\n  - Add:\n    from: [a, permute]\n")
    )
    assert str(graph.inputs["a"]) == "(a_axis1, a_axis1, 3)"


def test_sizes_that_no_machine_holds_at_their_smallest_are_refused(tmp_path):
    layers = "  - MaxPooling2D: {pool_size: 1000}\n  - Conv2D: {filters: 1, kernel_size: 50}\n"
    with pytest.raises(SpecError, match="at the smallest valid sizes"):
        main_of(written(tmp_path, "{a: [H, W, 3]}", layers))


def test_a_decoder_that_takes_some_lengths_alone_is_refused(tmp_path):
    layers = (
        "  - Embedding: {input_dim: 9, output_dim: 4}\n    name: e\n  - MaxPooling1D\n  - UpSampling1D:\n    name: u\n"
        "  - Add:\n    from: [e, u]\n  - Dense: {units: 9}\n    name: logits\n"
        "generate: {token: {input: tokens, logits: logits}, start: 1, end: 2, max_length: 5}\n"
    )
    file = written(tmp_path, "{tokens: {shape: [T], dtype: int32}}", layers)
    assert [problem.code for problem in nnspec.validate(file)] == ["NN713"]


def test_a_decoder_that_adds_its_memory_to_its_tokens_is_refused(tmp_path):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text("""nnspec: 1
name: ed
networks:
  encoder:
    inputs: {src: {shape: [S], dtype: int32}}
    layers: [{Embedding: {input_dim: 9, output_dim: 4}}, {GRU: {units: 4, return_sequences: true}, name: st}]
    outputs: {states: st}
  decoder:
    inputs: {tokens: {shape: [T], dtype: int32}, memory: [M, 4]}
    layers:
      - {Embedding: {input_dim: 9, output_dim: 4}, from: tokens, name: e}
      - {Add: , from: [e, memory]}
      - {Dense: {units: 9}, name: logits}
inputs: {src: {shape: [S], dtype: int32}, tgt: {shape: [T], dtype: int32}}
layers:
  - {encoder: , from: src}
  - {decoder: , from: {tokens: tgt, memory: encoder.states}}
generate: {encode: encoder, decode: decoder, token: {input: tokens, logits: logits}, memory: {memory: states}, start: 1, end: 2}
""")
    assert "NN713" in [problem.code for problem in nnspec.validate(file)]
